-- What the service has noted of an image beside its derived files, for what nginx cannot know: which formats `auto` and
-- `source` mean for it, and of which original the files were made.

local crypto = require("nginx.lua.crypto")
local lrucache = require("resty.lrucache")
local names = require("gateway.names")

local gmatch = string.gmatch
local io_open = io.open
local ipairs = ipairs
local match = string.match
local ngx = ngx
local tonumber = tonumber

local _M = {}

local REMEMBERED = 6144 -- images, of every worker; see docs/performance.md for the number
local MARKER_FOR = 1 -- seconds that a marker is believed without looking, as long as the clock does not step back
local SMALLER = "@smaller" -- beside the marker

local root
local remembered


-- Say where the derived files lie. Called once, before the workers are forked.
function _M.init(derived)
    root = derived
    remembered = lrucache.new(REMEMBERED)
end


-- The words of a small file's first line, nil where there is none.
local function words_of(path)
    local file = io_open(root .. "/" .. path, "rb")
    if not file then
        return nil
    end
    local words = {}
    for word in gmatch(file:read("*l") or "", "%S+") do
        words[#words + 1] = word
    end
    file:close()

    return words
end


-- What a marker file says of an image: base format, source format, ETag of the original, and its shape (width, height,
-- frames). Where it has to be `fresh`, the file is read in any case.
function _M.of(image, fresh)
    local now = ngx.now()
    local known = remembered:get(image)
    if known and not fresh and now >= known.read and now - known.read < MARKER_FOR then
        return known
    end
    local path = names.marker_path(image, crypto)
    local words = words_of(path)
    if not words or #words ~= 6 then
        return nil
    end

    local marker = {
        base = words[1],
        source = words[2],
        etag = words[3],
        width = tonumber(words[4]),
        height = tonumber(words[5]),
        frames = tonumber(words[6]),
        folder = match(path, "^(.*/)"),
        read = now,
    }
    remembered:set(image, marker)
    return marker
end


-- Whether there is a file at this path below the derived cache, which begins with a slash.
function _M.is_file(path)
    local file = io_open(root .. path, "rb")
    if file then
        file:close()
    end

    return file ~= nil
end


-- What gives fewer bytes for a whole image than the format that was chosen, as the service has noted it beside the
-- marker; nil where it has not.
function _M.smaller(marker, chosen)
    if not marker.smaller then
        marker.smaller = {}
        for _, word in ipairs(words_of(marker.folder .. SMALLER) or {}) do
            local noted, smaller = match(word, "^(%l+)=(%l+)$")
            if noted then
                marker.smaller[noted] = smaller
            end
        end
    end

    return marker.smaller[chosen]
end


return _M
