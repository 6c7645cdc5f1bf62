-- Decode the path and the query of a URL into segments and parameters, and encode them. Twin of uri.py.

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
local sub = string.sub
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


-- Whether one of the patterns is this key, or its beginning where the pattern ends in `*`.
local function is_ignored(key, patterns)
    for _, one in ipairs(patterns or {}) do
        if key == one or (sub(one, -1) == "*" and sub(key, 1, #one - 1) == sub(one, 1, -2)) then
            return true
        end
    end

    return false
end


-- Add the raw parameter `part` to what is known, unless its key is ignored: what that holds is not looked at.
local function add(parameters, keys, part, ignored)
    local raw_key, raw_value = partition(gsub(part, "%+", " "), "=")
    local key, status, detail = decode(raw_key)
    if not key then
        return nil, status, detail
    end
    if is_ignored(key, ignored) then
        return true
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

    return true
end


-- The decoded parameters, each once, without those whose key one of `ignored` matches: their values by key, and a list
-- of the keys as they came.
function _M.split_query(query, ignored)
    if #query > LONGEST_REQUEST then
        return nil, 400, format("the query has more than %d bytes", LONGEST_REQUEST)
    end

    local parameters, keys = {}, {}
    for _, part in ipairs(split(query, "&")) do
        if part ~= "" then
            local added, status, detail = add(parameters, keys, part, ignored)
            if not added then
                return nil, status, detail
            end
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
