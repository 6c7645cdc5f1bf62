-- The tags by which a CDN purges images. Twin of cache_tag.py.

local uri = require("gateway.uri")

local escape = uri.escape
local gsub = string.gsub
local match = string.match

local _M = {}


local function fitted(tag, longest, crypto)
    return #tag <= longest and tag or "@" .. crypto.sha256_hex(tag)
end


-- The tags of an image and of its folder, `separator` between them; each is hashed if it has more than `longest` bytes.
function _M.tags(image, longest, separator, crypto)
    local tag = gsub(escape(image), ",", "%%2C")
    local folder = match(tag, "^(.*/)[^/]*$") or "/"

    return fitted(tag, longest, crypto) .. separator .. fitted(folder, longest, crypto)
end


return _M
