-- Note which files were sent, for mounts that record no access times (noatime): in a table of each worker, and every
-- few seconds in the files themselves, by an access time later than their change. The request pays for a table entry.

local ffi = require("ffi")

local C = ffi.C
local ngx = ngx
local pairs = pairs

local _M = {}

local EVERY = 10 -- seconds
local MOST = 5000 -- files each time, 10 ms of work; what is read more often than others is among them
local AT_FDCWD = -100 -- fcntl(2)
local UTIME_OMIT = 1073741822 -- utimensat(2): leave this time, from which validators are made, as it is

ffi.cdef([[
struct ig_timespec { long seconds; long nanoseconds; };
int utimensat(int folder, const char *path, const struct ig_timespec times[2], int flags);
]])

local files, count = {}, 0
local times = ffi.new("struct ig_timespec[2]")


-- Note the file that this request was answered with.
function _M.note()
    local path = ngx.var.request_filename
    if path and count < MOST and not files[path] then
        files[path] = true
        count = count + 1
    end
end


local function set_times()
    local noted = files
    files, count = {}, 0
    times[0].seconds, times[0].nanoseconds = ngx.time() + EVERY, 0
    times[1].seconds, times[1].nanoseconds = 0, UTIME_OMIT
    for path in pairs(noted) do
        C.utimensat(AT_FDCWD, path, times, 0) -- one that is gone is no failure
    end
end


-- Called once in every worker.
function _M.start()
    ngx.timer.every(EVERY, set_times)
end


return _M
