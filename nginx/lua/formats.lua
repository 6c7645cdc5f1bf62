-- Choose the format of a request: the one it names, or what `auto` and `source` become for image and client.

local format_choice = require("gateway.format_choice")
local lrucache = require("resty.lrucache")
local markers = require("nginx.lua.markers")
local names = require("gateway.names")
local negotiate = require("gateway.negotiate")

local concat = table.concat
local ipairs = ipairs
local ngx = ngx

local _M = {}

local REMEMBERED = 384 -- Accept headers among certain formats, of every worker; see docs/performance.md for the number

local rules
local accepts


-- Take the rules. Called once, before the workers are forked.
function _M.init(loaded)
    rules = loaded
    accepts = lrucache.new(REMEMBERED)
end


-- A text that stands for these formats; remembered in their table.
local function words_of(formats)
    if not formats.words then
        local words = {}
        for place, one in ipairs(formats) do
            words[place] = one.format
        end
        formats.words = concat(words, " ") .. "\n"
    end

    return formats.words
end


-- negotiate.bucket, remembered.
local function bucket_of(accept, formats)
    local asked = words_of(formats) .. accept
    local bucket = accepts:get(asked)
    if not bucket then
        bucket = negotiate.bucket(accept, formats)
        accepts:set(asked, bucket)
    end

    return bucket
end


-- The format of the answer, nil where only the service can choose it.
function _M.of(name)
    if not names.is_undecided(name.format) then
        return name.format
    end
    local marker = markers.of(name.image)
    if not marker then
        return nil
    end

    local accept = ngx.var.http_accept or ""
    local found = format_choice.candidates(name, marker, accept, rules, markers.smaller, bucket_of)
    return #found == 1 and found[1] or nil
end


return _M
