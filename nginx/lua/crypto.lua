-- SHA-256 and HMACs for the contract's Lua, by the libcrypto that nginx is linked with.

local ffi = require("ffi")

local byte = string.byte
local C = ffi.C
local encode_base64 = ngx.encode_base64
local ffi_str = ffi.string
local format = string.format
local gsub = string.gsub

local _M = {}

ffi.cdef([[
const void *EVP_sha1(void);
const void *EVP_sha256(void);
const void *EVP_sha512(void);
unsigned char *SHA256(const unsigned char *data, size_t size, unsigned char *digest);
unsigned char *HMAC(const void *method, const void *key, int key_size, const unsigned char *data, size_t size,
                    unsigned char *digest, unsigned int *digest_size);
]])

local SIZE = 32 -- bytes of SHA-256
local LONGEST = 64 -- bytes of any digest
local DIGESTS = {
    sha1 = { C.EVP_sha1(), 20 },
    sha256 = { C.EVP_sha256(), SIZE },
    sha512 = { C.EVP_sha512(), LONGEST },
}
local URL_SAFE = { ["+"] = "-", ["/"] = "_" }

local digest = ffi.new("unsigned char[?]", LONGEST) -- for all calls: none of them yields


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


-- The HMAC of `message` in hexadecimal digits, by the digest of this name: sha1, sha256 or sha512.
function _M.hmac_hex(name, key, message)
    local method, size = DIGESTS[name][1], DIGESTS[name][2]
    C.HMAC(method, key, #key, message, #message, digest, nil)

    return (gsub(ffi_str(digest, size), ".", hex))
end


return _M
