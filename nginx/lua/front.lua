-- What nginx calls: it reads a request by the contract's rules and sets the variables that nginx.conf uses. It has no
-- rules of its own.

local access = require("gateway.access")
local cjson = require("cjson.safe")
local crypto = require("nginx.lua.crypto")
local formats = require("nginx.lua.formats")
local freshness = require("gateway.freshness")
local lrucache = require("resty.lrucache")
local markers = require("nginx.lua.markers")
local names = require("gateway.names")
local problems = require("nginx.lua.problems")
local relief = require("nginx.lua.relief")
local rules_of = require("gateway.rules")
local temp_urls = require("nginx.lua.temp_urls")

local error = error
local find = string.find
local io_open = io.open
local ipairs = ipairs
local match = string.match
local math_huge = math.huge
local ngx = ngx
local sub = string.sub
local tonumber = tonumber

local _M = {}

local PREFIX = "/images/"
local NOWHERE = "/@none" -- a path that no derived image has
local LONGEST_REMEMBERED = 1024 -- bytes of a request that is worth remembering
local REMEMBERED = 6144 -- requests, of every worker; see docs/performance.md for the number
local ALWAYS = math_huge

local rules
local usual -- Cache-Control, as nginx.conf has it
local requests


-- Load the rendered rules. Called once, before the workers are forked.
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
    markers.init(document.derived)
    temp_urls.init(rules, document.temp_urls)
    usual = document.cache_control
    requests = lrucache.new(REMEMBERED)
end


local function parse(request_uri)
    local path, query = request_uri, ""
    local mark = find(request_uri, "?", 1, true)
    if mark then
        path, query = sub(request_uri, 1, mark - 1), sub(request_uri, mark + 1)
    end
    if sub(path, 1, #PREFIX) ~= PREFIX then
        return { status = 400, detail = "the path must begin with /images/, spelled so" }
    end

    local name, status, detail = names.parse(sub(path, #PREFIX + 1), query, rules)
    if not name then
        return { status = status, detail = detail }
    end

    return {
        name = name,
        paths = {},
        allowed_until = -1,
        version = name.signature.v,
        ends = name.signature.exp ~= nil,
    }
end


-- What the service is asked for: the name as it is written, and what a request may have beside it.
local function question(name)
    local asked = PREFIX .. names.escape(names.print(name, rules))
    local separator = "?"
    for _, key in ipairs(rules.request_parameters) do
        if name.signature[key] then
            asked = asked .. separator .. key .. "=" .. ngx.escape_uri(name.signature[key])
            separator = "&"
        end
    end

    return asked
end


-- The request's reading, remembered: a table with `name`, or with `status` and `detail` where it is refused.
local function read(request_uri)
    local reading = requests:get(request_uri)
    if not reading then
        reading = parse(request_uri)
        if #request_uri <= LONGEST_REMEMBERED then
            requests:set(request_uri, reading)
        end
    end

    return reading
end


-- Whether the request may be answered; a verdict in its favour holds until its signature ends.
local function allowed(reading)
    local now = ngx.time()
    if now <= reading.allowed_until then
        return true
    end
    local verdict, status, detail = access.authorise(reading.name, rules, now, crypto)
    if not verdict then
        return nil, status, detail
    end

    reading.allowed_until = tonumber(reading.name.signature.exp) or ALWAYS
    return true
end


-- Where the derived image lies below the derived cache, if it is there.
local function path_in(reading, format)
    local path = reading.paths[format]
    if not path then
        local name, decided = reading.name, reading.name
        if name.format ~= format then
            decided = names.decide(name, format, rules)
        end
        path = decided and "/" .. names.disk_path(decided, rules, crypto) or NOWHERE
        reading.paths[format] = path
    end

    return path
end


-- The request's reading, once it may be answered; nil, status and detail where it may not.
local function admit()
    local method = ngx.req.get_method()
    if method ~= "GET" and method ~= "HEAD" then
        return nil, method == "OPTIONS" and 204 or 405
    end
    local reading = read(ngx.var.request_uri)
    if not reading.name then
        return nil, reading.status, reading.detail
    end
    if reading.name.format == "auto" then
        ngx.var.vary = "Accept"
    end
    local ok, status, detail = allowed(reading)
    if not ok then
        return nil, status, detail
    end

    return reading
end


-- Whether the files on disk are of the version that the request names; nil where it names none.
local function is_current(reading)
    if not reading.version then
        return nil
    end
    local marker = markers.of(reading.name.image, true)

    return marker ~= nil and marker.etag == reading.version
end


-- Cache-Control of the answer; of a URL that ends it changes with every second.
local function cache_control_of(reading, current)
    local now = reading.ends and ngx.time() or 0
    if current then
        return freshness.cache_control(reading.name, rules, now, true)
    end
    if reading.told ~= now then
        reading.told, reading.cache_control = now, freshness.cache_control(reading.name, rules, now, false)
    end

    return reading.cache_control
end


-- Where the answer would lie, of whatever version it is.
local function place(reading)
    local format = formats.of(reading.name)
    return format and path_in(reading, format) or NOWHERE
end


-- The path of the answer below the derived cache, or one that is not there: where only the service can tell, and where
-- the request is refused. It may not answer by itself: nginx calls it while it sets variables, which is cheapest.
-- What is here of another version than the request names is its answer once the service has been asked in vain.
function _M.find()
    local reading = admit()
    if not reading then
        return NOWHERE
    end

    local current = is_current(reading)
    if current == false and (ngx.var.miss or "") == "" then
        return NOWHERE
    end
    local control = cache_control_of(reading, current)
    if control ~= usual then
        ngx.var.cache_control = control
    end

    return place(reading)
end


-- Set what the service is asked (`$miss`) for what is not on disk, or go where refusals are answered. Where another
-- version is on disk than the request names, the service is asked without much patience, and left alone while full.
function _M.miss()
    local reading = admit()
    if not reading then
        return ngx.exec("@refused")
    end

    local is_here = reading.version and markers.is_file(place(reading))
    local is_full = relief.holds()
    if is_full and not is_here then
        return ngx.exec("@refused")
    end
    ngx.var.miss = question(reading.name)
    if is_full then
        return ngx.exec("@rules")
    end
    if is_here then
        ngx.req.read_body() -- refused here, if it is malformed or too large: @version has no page for that
        return ngx.exec("@version")
    end
end


-- Tell the client why the request is refused.
function _M.refuse()
    local reading, status, detail = admit()
    if reading then
        return problems.answer(503, "no more images can be made just now")
    end
    if status == 204 then
        return problems.options()
    end
    return problems.answer(status, detail)
end


-- What the contract finds wrong with a request that nginx refused by itself, if it does.
local function what_is_malformed()
    local request_uri = match(ngx.var.request or "", "^%S+ (%S+) HTTP/")
    return request_uri and read(request_uri).detail
end


-- nginx's own errors, as the rest of the world hears them.
function _M.problem()
    local status = tonumber(sub(ngx.var.uri, -3))
    return problems.answer(status, status == 400 and what_is_malformed() or nil)
end


return _M
