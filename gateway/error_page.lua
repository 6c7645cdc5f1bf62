-- The page that a browser gets in place of a problem+json. Twin of error_page.py, which makes the page without its
-- status, title and detail.

local format = string.format
local gsub = string.gsub
local lower = string.lower
local max = math.max
local pairs = pairs
local weights = require("gateway.negotiate").weights

local _M = { CONTENT_TYPE = "text/html; charset=utf-8", VARY = "Sec-Fetch-Dest, Accept" }

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local NAVIGATIONS = { [""] = true, document = true, frame = true, iframe = true }


-- The page with its status, title and detail, as text.
function _M.fill_in(page, status, title, detail)
    local values = { status = format("%d", status), title = title, detail = detail }
    for name, value in pairs(values) do
        values[name] = gsub(value, "[&<>\"']", ENTITIES)
    end
    return (gsub(page, "{([a-z]+)}", values))
end


-- Whether a browser navigates: Accept names HTML, and JSON not as much, and Sec-Fetch-Dest, where there is one, is that
-- of a page and not of an image.
function _M.wants_page(accept, destination)
    local ranges = weights(accept)
    local json = max(ranges["application/problem+json"] or 0, ranges["application/json"] or 0)
    local is_html = (ranges["text/html"] or 0) > json
    return is_html and NAVIGATIONS[lower(destination)] or false
end


return _M
