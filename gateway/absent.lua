-- The page that a browser gets where nothing is. Twin of absent.py, which makes the page without its detail.

local gsub = string.gsub
local max = math.max
local weights = require("gateway.negotiate").weights

local _M = { CONTENT_TYPE = "text/html; charset=utf-8" }

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }


-- The page with its detail, as text.
function _M.fill_in(page, detail)
    local escaped = gsub(gsub(detail, "[&<>\"']", ENTITIES), "%%", "%%%%")
    return (gsub(page, "{detail}", escaped))
end


-- Whether a browser asks for something to show, by its Accept header: it names HTML, and JSON not as much.
function _M.wants_page(accept)
    local ranges = weights(accept)
    local json = max(ranges["application/problem+json"] or 0, ranges["application/json"] or 0)
    return (ranges["text/html"] or 0) > json
end


return _M
