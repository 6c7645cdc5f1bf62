-- Tell the service which images nginx sends by itself: their names, in batches, with how often each was sent. The
-- service asks the store about them behind the answers. The names are those of the log of hits, where bytes that are no
-- printable ASCII, and backslashes, are written as \xXX.

local concat = table.concat
local match = string.match
local next = next
local pairs = pairs
local service = require("nginx.lua.service")
local sub = string.sub

local _M = {}

local MOST = 10000 -- images that wait to be told; more are not, until they are used again
local BYTES = 2 ^ 19 -- of a batch: the service takes no larger one

local images, count = {}, 0


-- An image was sent so many times. `place` is the path of its file, and then, where that is a hash, its name.
function _M.note(place, times)
    local image = match(place, "^/@/%S+ (.+)$") or match(place, "^/(.-)/@")
    if not image or (count == MOST and not images[image]) then
        return
    end
    if not images[image] then
        count = count + 1
    end
    images[image] = (images[image] or 0) + times
end


-- Send what is noted. What gets no answer, or one of a service that is failing, is sent the next time.
function _M.tell()
    if not next(images) then
        return
    end
    local lines, told, size = {}, {}, 0
    for image, times in pairs(images) do
        local line = times .. " " .. image .. "\n"
        if size + #line <= BYTES then
            size = size + #line
            lines[#lines + 1], told[#told + 1] = line, image
        end
    end
    local status = service.post("/used", concat(lines))
    if status and sub(status, 1, 1) ~= "5" then
        for _, image in pairs(told) do
            images[image] = nil
            count = count - 1
        end
    end
end


return _M
