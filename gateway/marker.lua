-- Parse the two small files beside the derived images of an original. Twin of marker.py, which describes them and
-- writes them.

local gmatch = string.gmatch
local match = string.match
local tonumber = tonumber

local _M = {}

local MARKER = "^([%l%d]+) ([%l%d]+) ([!-~]+) (%d+) (%d+) (%d+)\n(%-?)(%d+)( ?)(%d*)\n$"
local MOST_DIGITS = 15 -- of a number that Lua holds exactly


local function number_of(digits)
    return #digits <= MOST_DIGITS and tonumber(digits) or nil
end


-- What a marker file says, a table of base, source, etag, modified, width, height, frames, and ends where the original
-- has an end; nil if it is damaged or has another layout.
function _M.parse_marker(text)
    local base, source, etag, width, height, frames, sign, modified, blank, ends = match(text, MARKER)
    if not base or (blank == "") ~= (ends == "") then
        return nil
    end

    width, height, frames, modified = number_of(width), number_of(height), number_of(frames), number_of(modified)
    local has_end = ends ~= ""
    ends = has_end and number_of(ends) or nil
    if not (width and height and frames and modified) or (has_end and not ends) then
        return nil
    end

    return {
        base = base,
        source = source,
        etag = etag,
        modified = sign == "-" and -modified or modified,
        width = width,
        height = height,
        frames = frames,
        ends = ends,
    }
end


-- The notes by chosen format. Words that are no notes are passed over.
function _M.parse_smaller(text)
    local noted = {}
    for word in gmatch(text, "[^ \n]+") do
        local chosen, smaller = match(word, "^([%l%d]+)=([%l%d]+)$")
        if chosen then
            noted[chosen] = smaller
        end
    end

    return noted
end


return _M
