-- Read the marker and the notes that the service writes beside derived files, and cache them in memory.

local crypto = require("nginx.lua.crypto")
local lrucache = require("resty.lrucache")
local marker_text = require("gateway.marker")
local paths = require("gateway.paths")

local io_open = io.open
local ngx = ngx

local _M = {}

local REMEMBERED = 6144 -- images, of every worker; see docs/performance.md for the number
local MARKER_FOR = 1 -- seconds that a marker is believed without looking, as long as the clock does not step back

local root
local remembered


-- Set the folder of the derived files. Called once, before the workers are forked.
function _M.init(derived)
    root = derived
    remembered = lrucache.new(REMEMBERED)
end


-- The content of a small file, nil where there is none.
local function content_of(path)
    local file = io_open(root .. "/" .. path, "rb")
    if not file then
        return nil
    end
    local content = file:read("*a")
    file:close()

    return content
end


-- What the marker file of an image says (see gateway/marker.lua), nil where nothing is known. Where it has to be
-- `fresh`, the file is read in any case.
function _M.of(image, fresh)
    local now = ngx.now()
    local known = remembered:get(image)
    if known and not fresh and now >= known.read and now - known.read < MARKER_FOR then
        return known
    end
    local content = content_of(paths.marker_path(image, crypto))
    local marker = content and marker_text.parse_marker(content)
    if not marker then
        return nil
    end

    marker.image, marker.read = image, now
    remembered:set(image, marker)
    return marker
end


-- When the store deletes the original of an image, in seconds of the epoch; nil where it does not, or where no marker
-- was read within the last second.
function _M.end_of(image)
    local known = remembered:get(image)
    local age = known and ngx.now() - known.read

    return age and age >= 0 and age < MARKER_FOR and known.ends or nil
end


-- Whether there is a file at this path below the derived cache, which begins with a slash.
function _M.is_file(path)
    local file = io_open(root .. path, "rb")
    if file then
        file:close()
    end

    return file ~= nil
end


-- The format that gives fewer bytes for a whole image than the chosen one, as the service has noted it beside the
-- marker; nil where it has not.
function _M.smaller(marker, chosen)
    if not marker.smaller then
        marker.smaller = marker_text.parse_smaller(content_of(paths.smaller_path(marker.image, crypto)) or "")
    end

    return marker.smaller[chosen]
end


return _M
