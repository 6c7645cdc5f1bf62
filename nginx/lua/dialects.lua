-- Answer the URLs of other image servers that were asked before. What such a URL means is computed by the service alone
-- (service/dialects/): its answer carries the canonical request, and nginx remembers that in shared memory, which drops
-- what was not used for longest. A translation holds for one version of the rules, and, where it was made of the
-- original's shape, for one original.

local front = require("nginx.lua.front")
local markers = require("nginx.lua.markers")
local problems = require("nginx.lua.problems")
local relief = require("nginx.lua.relief")
local requests = require("nginx.lua.requests")

local ipairs = ipairs
local match = string.match
local ngx = ngx
local sub = string.sub

local _M = {}

local LONGEST_REMEMBERED = 4096 -- bytes of a URL that is worth remembering
local TRANSLATION = "^(%x+) (%S+) (/images/%S+)\n(.*)$" -- the rules' fingerprint, the ETag or -, the request, Link
local ANY = "-" -- in place of an ETag: whatever the original is

local remembered
local prefixes, rules_fingerprint


-- Take the dialects of the rendered rules, nil for none. Called once, before the workers are forked; what the workers
-- of an earlier configuration have remembered is dropped.
function _M.init(dialects)
    if not dialects then
        return
    end
    remembered = ngx.shared.dialects
    prefixes, rules_fingerprint = dialects.prefixes, dialects.fingerprint
    remembered:flush_all()
    remembered:flush_expired()
end


local function reading_of(request_uri)
    local translation = remembered:get(request_uri)
    if not translation then
        return nil
    end
    local fingerprint, etag, canonical, link = match(translation, TRANSLATION)
    if fingerprint ~= rules_fingerprint then
        return nil
    end
    local reading = requests.read(canonical)
    if not reading.name then
        return nil
    end
    if reading.ends and ngx.time() > reading.ends then
        return nil
    end
    local marker = markers.of(reading.name.image) -- which tells `front` of an original that ends, too
    if etag ~= ANY and not (marker and marker.etag == etag) then
        return nil
    end

    return reading, link
end


-- The path of the answer below the derived cache, as `front.find` gives it: a path at which there is no file where only
-- the service knows the answer.
function _M.find()
    local method = ngx.req.get_method()
    local reading, link
    if method == "GET" or method == "HEAD" then
        reading, link = reading_of(ngx.var.request_uri)
    end
    if not reading then
        return front.NOWHERE
    end
    if reading.name.format == "auto" then
        ngx.var.vary = "Accept"
    end
    if link ~= "" then
        ngx.var.link = link
    end

    return front.answer(reading)
end


local function is_below_a_prefix(request_uri)
    for _, prefix in ipairs(prefixes) do
        if sub(request_uri, 1, #prefix + 1) == prefix .. "/" then
            return true
        end
    end

    return false
end


-- Set `$miss`, the request to the service: the URL as it came. What need not be asked goes to the location that
-- refuses.
function _M.miss()
    local method, request_uri = ngx.req.get_method(), ngx.var.request_uri
    local is_read = method == "GET" or method == "HEAD"
    if not is_read or relief.holds() or not is_below_a_prefix(request_uri) then
        return ngx.exec("@dialect_refused")
    end
    ngx.var.miss = request_uri
end


-- Answer what `miss` did not send to the service.
function _M.refuse()
    local method = ngx.req.get_method()
    if method == "OPTIONS" then
        return problems.options()
    end
    if method ~= "GET" and method ~= "HEAD" then
        return problems.answer(405)
    end
    if not is_below_a_prefix(ngx.var.request_uri) then
        return problems.answer(400, "the path must begin with the prefix of a dialect, spelled so")
    end

    return problems.answer(503, "no more images can be made just now")
end


-- Remember the translation that the service's answer carries. Called before the headers of an image are sent.
function _M.learn()
    local translation, request_uri = ngx.var.upstream_http_x_translation, ngx.var.request_uri
    if not translation or ngx.status >= 400 or #request_uri > LONGEST_REMEMBERED then
        return
    end
    local _, why = remembered:set(request_uri, translation .. "\n" .. (ngx.var.upstream_http_link or ""))
    if why then
        ngx.log(ngx.WARN, "a translation is not remembered: ", why)
    end
end


return _M
