-- What nginx calls: it reads a request by the contract's rules and sets the variables that nginx.conf uses. It has no
-- rules of its own.

local answer_headers = require("nginx.lua.answer_headers")
local cjson = require("cjson.safe")
local crypto = require("nginx.lua.crypto")
local formats = require("nginx.lua.formats")
local freshness = require("gateway.freshness")
local markers = require("nginx.lua.markers")
local names = require("gateway.names")
local problems = require("nginx.lua.problems")
local relief = require("nginx.lua.relief")
local requests = require("nginx.lua.requests")
local rules_of = require("gateway.rules")
local srcset = require("nginx.lua.srcset")
local temp_urls = require("nginx.lua.temp_urls")

local admit = requests.admit
local error = error
local io_open = io.open
local match = string.match
local ngx = ngx
local sub = string.sub
local tonumber = tonumber

local _M = {}

local NOWHERE = "/@none" -- a path that no derived image has
_M.NOWHERE = NOWHERE
local HASHED = "/@/" -- what the paths begin with that do not tell the image

local rules
local usual -- Cache-Control, as nginx.conf has it


-- Load the rendered rules, and return their document. Called once, before the workers are forked.
function _M.init(path)
    local file, why = io_open(path, "rb")
    if not file then
        error("the rules cannot be read: " .. why)
    end
    local document = cjson.decode(file:read("*a"))
    file:close()
    if not document then
        error("the rules are not JSON: " .. path)
    end

    rules = rules_of.load(document)
    formats.init(rules)
    answer_headers.init(rules, document.headers)
    markers.init(document.derived)
    temp_urls.init(rules, document.temp_urls)
    usual = document.cache_control
    problems.init(document.error_pages)
    requests.init(rules)
    srcset.init(rules)

    return document
end


-- Where the derived image lies below the derived cache, if it is there; of an original that `ends` apart from others.
local function path_in(reading, format, ends)
    local known = ends and reading.ending_paths or reading.paths
    local path = known[format]
    if not path then
        local name, decided = reading.name, reading.name
        if name.format ~= format then
            decided = names.decide(name, format, rules)
        end
        path = decided and "/" .. names.disk_path(decided, rules, crypto, ends ~= nil) or NOWHERE
        known[format] = path
    end

    return path
end


-- Whether the files on disk are of the version that the request names; nil where it names none.
local function is_current(reading)
    if not reading.version then
        return nil
    end
    local marker = markers.of(reading.name.image, true)

    return marker ~= nil and marker.etag == reading.version
end


-- Cache-Control of the answer; of a URL or an original that ends it changes with every second.
local function cache_control_of(reading, current, ends)
    if ends then
        return freshness.cache_control(reading.name, rules, ngx.time(), current, ends)
    end
    local now = reading.ends and ngx.time() or 0
    if current then
        return freshness.cache_control(reading.name, rules, now, true)
    end
    if reading.dated ~= now then
        reading.dated, reading.cache_control = now, freshness.cache_control(reading.name, rules, now, false)
    end

    return reading.cache_control
end


-- Where the answer would lie, of whatever version it is.
local function place(reading, ends)
    local format = formats.of(reading.name)
    return format and path_in(reading, format, ends) or NOWHERE
end


-- The path of the answer to a reading, with the variables of its headers set.
function _M.answer(reading, current)
    local ends = markers.end_of(reading.name.image)
    if ends and ngx.time() >= ends then
        return NOWHERE
    end
    local control = cache_control_of(reading, current, ends)
    if control ~= usual then
        ngx.var.cache_control = control
    end
    local format = formats.of(reading.name)
    if not format then
        return NOWHERE
    end
    answer_headers.set(reading.name, format)

    local path = path_in(reading, format, ends)
    if sub(path, 1, #HASHED) == HASHED then
        ngx.var.image = reading.name.image
    end
    return path
end


-- Whether the answer is here although its original ends, so that it lies apart from others. That costs hits nothing:
-- `find` knows of an end when this has read the marker.
local function is_ending_here(reading)
    local marker = markers.of(reading.name.image)
    if not (marker and marker.ends) or ngx.time() >= marker.ends then
        return false
    end
    local is_another = reading.version and reading.version ~= marker.etag

    return not is_another and markers.is_file(place(reading, marker.ends))
end


-- Return the path of the answer below the derived cache. Return NOWHERE if only the service knows the answer, or if the
-- request is refused. This function cannot answer: nginx calls it while it sets variables, which is cheapest. A file of
-- another version than the request names is the answer if the service was asked before and did not answer.
function _M.find()
    local reading = admit()
    if not reading then
        return NOWHERE
    end

    local current = is_current(reading)
    if current == false and (ngx.var.miss or "") == "" then
        return NOWHERE
    end

    return _M.answer(reading, current)
end


-- For an image that is not on disk, set `$miss`, the request to the service, or go to the location that refuses. If
-- another version is on disk than the request names, the service is asked with a short timeout, and not while it is
-- full.
function _M.miss()
    local reading = admit()
    if not reading then
        if srcset.is_asked() and not relief.holds() then
            ngx.var.miss = ngx.var.request_uri
            return
        end
        return ngx.exec("@refused")
    end
    if is_ending_here(reading) then
        return ngx.exec("@rules")
    end

    local ends = markers.end_of(reading.name.image)
    local is_over = ends and ngx.time() >= ends
    local is_here = reading.version and not is_over and markers.is_file(place(reading, ends))
    local is_full = relief.holds()
    if is_full and not is_here then
        return ngx.exec("@refused")
    end
    ngx.var.miss = requests.question(reading.name)
    if is_full then
        return ngx.exec("@rules")
    end
    if is_here then
        ngx.req.read_body() -- refused here, if it is malformed or too large: @version has no page for that
        return ngx.exec("@version")
    end
end


-- Answer with the reason why the request is refused.
function _M.refuse()
    local reading, status, detail = admit()
    if reading or srcset.is_asked() then
        return problems.answer(503, "no more images can be made just now")
    end
    if status == 204 then
        return problems.options()
    end
    return problems.answer(status, detail)
end


-- The contract's error for a request that nginx refused by itself, or nil.
local function what_is_malformed()
    local request_uri = match(ngx.var.request or "", "^%S+ (%S+) HTTP/")
    return request_uri and requests.read(request_uri).detail
end


-- Answer an error of nginx itself.
function _M.problem()
    local status = tonumber(sub(ngx.var.uri, -3))
    return problems.answer(status, status == 400 and what_is_malformed() or nil)
end


return _M
