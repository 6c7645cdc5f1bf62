-- Read requests by the contract's rules, and remember what was read.

local access = require("gateway.access")
local crypto = require("nginx.lua.crypto")
local lrucache = require("resty.lrucache")
local names = require("gateway.names")

local find = string.find
local ipairs = ipairs
local math_huge = math.huge
local ngx = ngx
local sub = string.sub
local tonumber = tonumber

local _M = {}

local PREFIX = "/images/"
local LONGEST_REMEMBERED = 1024 -- bytes of a request that is worth remembering
local REMEMBERED = 6144 -- requests, of every worker; see docs/performance.md for the number
local ALWAYS = math_huge

local rules
local requests


-- Take the rules. Called once, before the workers are forked.
function _M.init(loaded)
    rules = loaded
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
        ending_paths = {},
        allowed_until = -1,
        version = name.signature.v,
        ends = name.signature.exp and (tonumber(name.signature.exp) or 0),
    }
end


-- The path and query that the service is asked: the canonical name, and the request's signature and version.
function _M.question(name)
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


-- Read a request, or take what was read of it before: a table with `name`, or with `status` and `detail` where the
-- request is refused.
function _M.read(request_uri)
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


-- Read nginx's current request and check that it may be answered. Returns what was read, or nil, status and detail.
function _M.admit()
    local method = ngx.req.get_method()
    if method ~= "GET" and method ~= "HEAD" then
        return nil, method == "OPTIONS" and 204 or 405
    end
    local reading = _M.read(ngx.var.request_uri)
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


return _M
