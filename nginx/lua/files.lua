-- Read the first bytes of a file without blocking, also if there is a FIFO in its place.

local ffi = require("ffi")

local C = ffi.C
local ffi_str = ffi.string
local tonumber = tonumber

local _M = {}

ffi.cdef([[
int open(const char *path, int flags, ...);
long read(int file, void *buffer, size_t size);
int close(int file);
]])

local FLAGS = 0x80000 + 0x800 -- O_CLOEXEC, O_NONBLOCK
local LONGEST = 4096 -- bytes

local buffer = ffi.new("char[?]", LONGEST) -- for all calls: none of them yields


-- At most `size` bytes (4096) from the beginning of a file; nil where it cannot be read.
function _M.head(path, size)
    local file = C.open(path, FLAGS)
    if file < 0 then
        return nil
    end
    local count = tonumber(C.read(file, buffer, size))
    C.close(file)

    return count >= 0 and ffi_str(buffer, count) or nil
end


return _M
