-- Negotiate a format from the Accept header, in four buckets. Twin of negotiate.py, which names the rules of RFC
-- 9110.

local text_of = require("gateway.text")

local find = string.find
local floor = math.floor
local gsub = string.gsub
local ipairs = ipairs
local lower = string.lower
local match = string.match
local max = math.max
local split = text_of.split
local sub = string.sub
local tonumber = tonumber
local trim_end = text_of.trim_end

local _M = {}

_M.BASE = "base" -- the last bucket: the base format of the image

local BASE_TYPES = { "image/jpeg", "image/png", "image/gif" }
local LONGEST_ACCEPT = 2048 -- bytes that are read; what follows is left out
local MOST_WEIGHT = 1000


-- The weight in thousandths, or nil where it is malformed.
local function weight_of(text)
    if find(text, "^[01]$") or find(text, "^0%.%d?%d?%d?$") or find(text, "^1%.0?0?0?$") then
        return floor(tonumber(text) * MOST_WEIGHT + 0.5)
    end

    return nil
end


local function strip(text)
    return trim_end(match(text, "^[ \t]*(.*)$"), " \t")
end


-- The weight that the parameters of a range give it, or nil where it has to be left out.
local function weight_by(parameters)
    local weight = MOST_WEIGHT
    for place = 2, #parameters do
        weight = weight_of(match(strip(parameters[place]), "^q=(.*)$") or "")
        if not weight then
            return nil
        end
    end

    return weight
end


-- Every media range of an Accept header, in lower case, with its weight in thousandths.
function _M.weights(accept)
    local found = {}
    local unquoted = gsub(gsub(sub(accept, 1, LONGEST_ACCEPT), "\\.", ""), '"[^"]*"', "")
    for _, element in ipairs(split(lower(unquoted), ",")) do
        local parts = split(element, ";")
        local weight = weight_by(parts)
        if weight then
            found[strip(parts[1])] = weight
        end
    end

    return found
end


-- `jxl`, `avif`, `webp` or `base`: the format a client with this Accept header gets for `auto`. `negotiate` is that
-- of the rules: a list of { format, type }.
function _M.bucket(accept, negotiate)
    local ranges = _M.weights(accept or "")
    local any_image = ranges["image/*"] or ranges["*/*"] or 0
    local best, most = _M.BASE, -1
    for _, media_type in ipairs(BASE_TYPES) do
        most = max(most, (ranges[media_type] or any_image) - 1)
    end

    for _, one in ipairs(negotiate) do
        local weight = ranges[one.type] or 0
        if weight > 0 and weight > most then
            best, most = one.format, weight
        end
    end

    return best
end


return _M
