-- Find the media type of an original from its first bytes, not from its name. Twin of media_types.py.

local byte = string.byte
local ipairs = ipairs
local min = math.min
local sub = string.sub

local _M = {}

_M.HEAD = 64 -- how many bytes of a file are looked at

local UNKNOWN = "application/octet-stream"


-- Whether all pieces of a signature stand where they must.
local function matches(head, signature)
    for _, piece in ipairs(signature) do
        if sub(head, piece.first, piece.first + #piece.text - 1) ~= piece.text then
            return false
        end
    end

    return true
end


local function matches_any(head, signatures)
    for _, signature in ipairs(signatures) do
        if matches(head, signature) then
            return true
        end
    end

    return false
end


-- The brands of a file type box, ISO/IEC 14496-12; none where the file does not begin with one.
local function brands_of(head)
    if sub(head, 5, 8) ~= "ftyp" then
        return {}
    end
    local first, second, third, fourth = byte(head, 1, 4)
    local box = sub(head, 1, min(first * 16777216 + second * 65536 + third * 256 + fourth, _M.HEAD))
    local brands = { sub(box, 9, 12) }
    for place = 17, #box, 4 do
        brands[#brands + 1] = sub(box, place, place + 3)
    end

    return brands
end


local function has_one_of(wanted, brands)
    for _, brand in ipairs(brands) do
        if wanted[brand] then
            return true
        end
    end

    return false
end


-- The media type of a file that begins with `head`, at most HEAD bytes.
function _M.media_type(head, rules)
    local brands = brands_of(head)
    for _, kind in ipairs(rules.kinds) do
        if has_one_of(kind.brands, brands) or matches_any(head, kind.signatures) then
            return kind.type
        end
    end

    return UNKNOWN
end


return _M
