-- What the contract's Lua wants of a host: SHA-256 and HMAC-SHA-256, by the libcrypto that nginx is linked with.

local ffi = require("ffi")

local byte = string.byte
local C = ffi.C
local encode_base64 = ngx.encode_base64
local ffi_str = ffi.string
local format = string.format
local gsub = string.gsub

local _M = {}

ffi.cdef([[
const void *EVP_sha256(void);
unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest);
unsigned char *HMAC(const void *method, const void *key, int key_size, const unsigned char *data, size_t size,
                    unsigned char *digest, unsigned int *digest_size);
]])

local SIZE = 32 -- bytes of either digest
local URL_SAFE = { ["+"] = "-", ["/"] = "_" }

local digest = ffi.new("unsigned char[?]", SIZE) -- for all calls: none of them yields


local function hex(one)
    return format("%02x", byte(one))
end


-- The SHA-256 of `text` in 64 hexadecimal digits.
function _M.sha256_hex(text)
    C.SHA256(text, #text, digest)

    return (gsub(ffi_str(digest, SIZE), ".", hex))
end


-- The HMAC-SHA-256 of `message`, as base64url without padding: 43 characters.
function _M.hmac_sha256_base64url(key, message)
    C.HMAC(C.EVP_sha256(), key, #key, message, #message, digest, nil)

    return (gsub(encode_base64(ffi_str(digest, SIZE), true), "[+/]", URL_SAFE))
end


return _M
