-- Which format a request gets: what it names, or what `auto` and `source` become for the image and the client.

local holding = require("gateway.holding")
local lrucache = require("resty.lrucache")
local markers = require("nginx.lua.markers")
local names = require("gateway.names")
local negotiate = require("gateway.negotiate")

local concat = table.concat
local ipairs = ipairs
local next = next
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


-- The formats that `auto` may become for the request, and a text that stands for them; remembered for as long as the
-- marker is.
local function fitting(reading, marker)
    if reading.marker ~= marker then
        local words = {}
        reading.marker, reading.fitting = marker, holding.fitting(reading.name.recipe, marker, rules)
        for place, one in ipairs(reading.fitting) do
            words[place] = one.format
        end
        reading.words = concat(words, " ") .. "\n"
    end

    return reading.fitting, reading.words
end


-- The bucket of an Accept header among these formats.
local function bucket_of(accept, formats, words)
    local asked = words .. accept
    local bucket = accepts:get(asked)
    if not bucket then
        bucket = negotiate.bucket(accept, formats)
        accepts:set(asked, bucket)
    end

    return bucket
end


-- The format that the request gets, nil where only the service can tell.
function _M.of(reading)
    local name = reading.name
    if not names.is_undecided(name.format) then
        return name.format
    end
    local marker = markers.of(name.image)
    if not marker then
        return nil
    end
    if name.format == "source" then
        return marker.source
    end
    local chosen = bucket_of(ngx.var.http_accept or "", fitting(reading, marker))
    if chosen == negotiate.BASE then
        chosen = marker.base
    end
    local is_whole = next(name.recipe) == nil
    if not is_whole or chosen == marker.source then
        return chosen
    end

    return markers.smaller(marker, chosen)
end


return _M
