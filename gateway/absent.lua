-- The page that a browser gets where nothing is. Twin of absent.py, which makes the page without its detail.

local find = string.find
local gmatch = string.gmatch
local gsub = string.gsub
local lower = string.lower

local _M = { CONTENT_TYPE = "text/html; charset=utf-8" }

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }


-- The page with its detail, as text.
function _M.fill_in(page, detail)
    local escaped = gsub(gsub(detail, "[&<>\"']", ENTITIES), "%%", "%%%%")
    return (gsub(page, "{detail}", escaped))
end


-- Whether a browser asks for something to show, by its Accept header: nothing else names HTML.
function _M.wants_page(accept)
    for part in gmatch(accept, "[^,]+") do
        if find(lower(part), "^%s*text/html%s*$") or find(lower(part), "^%s*text/html%s*;") then
            return true
        end
    end
    return false
end


return _M
