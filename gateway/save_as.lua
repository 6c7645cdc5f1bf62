-- Read `download` and `filename`, and compute Content-Disposition (RFC 6266) of them. Twin of save_as.py.

local filenames = require("gateway.filenames")
local text_of = require("gateway.text")

local byte = string.byte
local find = string.find
local format_text = string.format
local gsub = string.gsub
local ipairs = ipairs
local lower = string.lower
local match = string.match
local pairs = pairs
local quote = text_of.quote
local visible = filenames.visible

local _M = {}

local LONGEST_FILENAME = 255 -- bytes, as most file systems have it
local TRUTHS = { ["0"] = false, ["false"] = false, ["1"] = true, ["true"] = true }
local KEYS = { "download", "filename" }


-- A name without the extension of a format, and without what would make it a path or a hidden file.
local function stem_of(filename, rules)
    local text = match(gsub(visible(filename), "[/\\]", "_"), "^[ .]*(.-)[ .]*$")
    local stem, extension = match(text, "^(.+)%.(%w+)$")
    if stem and rules.extensions[lower(extension)] then
        text = match(stem, "^(.-)[ .]*$")
    end

    return text
end


local function check(filename, rules)
    if find(filename, "%c") or find(filename, "\194[\128-\159]") then
        return nil, 400, "filename: holds a control character"
    end
    if #filename > LONGEST_FILENAME then
        return nil, 400, format_text("filename: must have at most %d bytes", LONGEST_FILENAME)
    end
    if stem_of(filename, rules) == "" then
        return nil, 400, "filename=" .. quote(filename) .. ": must be a name such as holidays"
    end

    return true
end


-- The parameters of a request with `download` as 1, or left out where it is false.
function _M.normalised(parameters, rules)
    if not parameters.download and not parameters.filename then
        return parameters
    end

    local found = {}
    for key, value in pairs(parameters) do
        found[key] = value
    end
    if found.download then
        local truth = TRUTHS[lower(found.download)]
        if truth == nil then
            return nil, 400, "download=" .. quote(found.download) .. ": must be 1 or 0"
        end
        found.download = truth and "1" or nil
    end
    if found.filename then
        local ok, status, detail = check(found.filename, rules)
        if not ok then
            return nil, status, detail
        end
    end

    return found
end


-- What follows the name and the end time in the text that is signed: a line for each of the two that is given.
function _M.signed_text(parameters)
    local text = ""
    for _, key in ipairs(KEYS) do
        if parameters[key] then
            text = text .. "\n" .. key .. "=" .. parameters[key]
        end
    end

    return text
end


local function escape_byte(one)
    return format_text("%%%02X", byte(one))
end


-- Content-Disposition of an answer, empty where neither is asked for.
function _M.disposition(image, extension, parameters, rules)
    if not parameters.download and not parameters.filename then
        return ""
    end

    local kind = parameters.download and "attachment" or "inline"
    local stem = parameters.filename and stem_of(parameters.filename, rules) or stem_of(match(image, "[^/]*$"), rules)
    local filename = (stem == "" and "image" or stem) .. "." .. extension
    local plain = gsub(gsub(filename, "[\194-\244][\128-\191]*", "_"), '["%%\\]', "_")
    if plain == filename then
        return format_text('%s; filename="%s"', kind, filename)
    end
    local escaped = gsub(filename, "[^%w!#$&+%-.^_`|~]", escape_byte)

    return format_text("%s; filename=\"%s\"; filename*=UTF-8''%s", kind, plain, escaped)
end


return _M
