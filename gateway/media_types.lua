-- The media type of an original by its first bytes: its name promises nothing. Twin of media_types.py.

local byte = string.byte
local ipairs = ipairs
local min = math.min
local sub = string.sub

local _M = {}

_M.HEAD = 64 -- how many bytes of a file are looked at

local UNKNOWN = "application/octet-stream"
local SIGNATURES = {
    { "\255\216\255", "image/jpeg" },
    { "\137PNG\r\n\26\n", "image/png" },
    { "GIF87a", "image/gif" },
    { "GIF89a", "image/gif" },
    { "II*\0", "image/tiff" },
    { "MM\0*", "image/tiff" },
    { "II+\0", "image/tiff" },
    { "MM\0+", "image/tiff" },
    { "\0\0\1\0", "image/vnd.microsoft.icon" },
}
local BRANDS = { -- of a file type box, ISO/IEC 14496-12
    { { avif = true, avis = true }, "image/avif" },
    { { heic = true, heix = true, heim = true, heis = true, hevc = true, hevx = true }, "image/heic" },
}
local BMP_HEADERS = -- sizes; other files begin with "BM" too
    { [12] = true, [16] = true, [40] = true, [52] = true, [56] = true, [64] = true, [108] = true, [124] = true }


local function of_brands(head)
    local first, second, third, fourth = byte(head, 1, 4)
    local box = sub(head, 1, min(first * 16777216 + second * 65536 + third * 256 + fourth, _M.HEAD))
    for _, row in ipairs(BRANDS) do
        if row[1][sub(box, 9, 12)] then
            return row[2]
        end
        for place = 17, #box, 4 do
            if row[1][sub(box, place, place + 3)] then
                return row[2]
            end
        end
    end

    return UNKNOWN
end


-- The media type of a file that begins with `head`, at most HEAD bytes.
function _M.media_type(head)
    for _, row in ipairs(SIGNATURES) do
        local signature, kind = row[1], row[2]
        if sub(head, 1, #signature) == signature then
            return kind
        end
    end
    if sub(head, 1, 4) == "RIFF" and sub(head, 9, 12) == "WEBP" then
        return "image/webp"
    end
    if sub(head, 5, 8) == "ftyp" then
        return of_brands(head)
    end
    local first, second, third, fourth = byte(head, 15, 18)
    local size = fourth and first + second * 256 + third * 65536 + fourth * 16777216
    if sub(head, 1, 2) == "BM" and BMP_HEADERS[size or 0] then
        return "image/bmp"
    end

    return UNKNOWN
end


return _M
