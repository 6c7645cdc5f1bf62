-- The path and the query of a URL: from raw bytes to decoded segments and parameters, and back. Twin of uri.py.

local text_of = require("gateway.text")

local byte = string.byte
local char = string.char
local find = string.find
local format = string.format
local gsub = string.gsub
local ipairs = ipairs
local is_utf8 = text_of.is_utf8
local partition = text_of.partition
local quote = text_of.quote
local split = text_of.split
local tonumber = tonumber

local _M = {}

local LONGEST_REQUEST = 8192 -- bytes of path and of query, each: a name of 1024 bytes with every byte escaped, and room


local function unescape(digits)
    return char(tonumber(digits, 16))
end


local function decode(raw)
    if not find(raw, "[%%\128-\255]") then
        return raw
    end

    local decoded, escapes = gsub(raw, "%%(%x%x)", unescape)
    local _, percents = gsub(raw, "%%", "")
    if escapes ~= percents then
        return nil, 400, "a broken percent escape: % must be followed by two hex digits"
    end
    if not is_utf8(decoded) then
        return nil, 400, "the name is not valid UTF-8"
    end

    return decoded
end


-- The decoded segments of a raw request path; broken escapes and escaped slashes are errors.
function _M.split_path(path)
    if #path > LONGEST_REQUEST then
        return nil, 400, format("the path has more than %d bytes", LONGEST_REQUEST)
    end

    local segments, slash = {}, false
    for place, raw in ipairs(split(path, "/")) do
        local segment, status, detail = decode(raw)
        if not segment then
            return nil, status, detail
        end
        segments[place], slash = segment, slash or find(segment, "/", 1, true)
    end
    if slash then
        return nil, 400, "a slash inside a segment (%2F) cannot be part of a name"
    end

    return segments
end


-- The decoded parameters, each once: their values by key, and a list of the keys as they came.
function _M.split_query(query)
    if #query > LONGEST_REQUEST then
        return nil, 400, format("the query has more than %d bytes", LONGEST_REQUEST)
    end

    local parameters, keys = {}, {}
    for _, part in ipairs(split(query, "&")) do
        if part ~= "" then
            local raw_key, raw_value = partition(gsub(part, "%+", " "), "=")
            local key, status, detail = decode(raw_key)
            if not key then
                return nil, status, detail
            end
            local value
            value, status, detail = decode(raw_value or "")
            if not value then
                return nil, status, detail
            end
            if parameters[key] then
                return nil, 400, quote(key) .. ": given twice"
            end
            parameters[key], keys[#keys + 1] = value, key
        end
    end

    return parameters, keys
end


local function escape_byte(one)
    return format("%%%02X", byte(one))
end


-- A name as the path of a URL: everything but unreserved characters, slashes and sub-delimiters escaped.
function _M.escape(name)
    return (gsub(name, "[^%w/!$&'()*+,;=:@._~-]", escape_byte))
end


return _M
