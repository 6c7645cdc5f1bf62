-- Answer temporary URLs, for /temp/ in nginx.conf. The contract says which of them are valid; nginx sends the file.

local crypto = require("nginx.lua.crypto")
local files = require("nginx.lua.files")
local media_types = require("gateway.media_types")
local problems = require("nginx.lua.problems")
local temp_urls = require("gateway.temp_urls")

local find = string.find
local gsub = string.gsub
local ipairs = ipairs
local ngx = ngx
local sub = string.sub

local _M = {}

local LONGEST_KEY = 4096 -- bytes

local rules, settings


-- Take the rules, and which keys and folders there are. Called once, before the workers are forked.
function _M.init(loaded, given)
    rules, settings = loaded, given
end


-- The keys: the configured ones, or those that the service has made. They are read at each request, so that one that is
-- made, or removed, counts at once.
local function keys()
    if settings.keys[1] then
        return settings.keys
    end
    local found = {}
    for _, path in ipairs(settings.key_files) do
        local key = gsub(files.head(path, LONGEST_KEY) or "", "[\r\n]+$", "")
        if key ~= "" then
            found[#found + 1] = key
        end
    end

    return found
end


local function read()
    local path, query = ngx.var.request_uri, ""
    local mark = find(path, "?", 1, true)
    if mark then
        path, query = sub(path, 1, mark - 1), sub(path, mark + 1)
    end

    return temp_urls.admit(ngx.req.get_method(), path, query, keys(), ngx.time(), crypto)
end


-- The media type that nginx sends: the name of a derived image tells it, and the content of an original.
local function media_type_of(grant)
    if grant.container == "derived" then
        return temp_urls.media_type(grant.name, rules)
    end
    local path = settings.roots.originals .. "/" .. grant.name

    return media_types.media_type(files.head(path, media_types.HEAD) or "", rules)
end


-- Set the file that is sent (`$temp_root`, `$temp_path`), or go to the location that refuses.
function _M.admit()
    local grant = read()
    if not grant then
        return ngx.exec("@temp_refused")
    end
    grant.media_type = media_type_of(grant)
    ngx.ctx.grant = grant
    ngx.var.temp_root = settings.roots[grant.container]
    ngx.var.temp_path = "/" .. grant.name
end


-- Set the headers of an answer that is the file.
function _M.head()
    local grant, status = ngx.ctx.grant, ngx.status
    if not grant or (status ~= 200 and status ~= 304) then
        return
    end
    if status == 200 then
        ngx.header["Content-Type"] = grant.media_type
        ngx.header["Content-Disposition"] = grant.disposition
    end
    ngx.header["Cache-Control"] = temp_urls.cache_control(grant.expires, rules.max_age, ngx.time())
end


-- Answer with the reason why the URL is refused.
function _M.refuse()
    if ngx.req.get_method() == "OPTIONS" then
        return problems.options()
    end
    local grant, status, detail = read()
    if grant then
        return problems.answer(404, "the image of this URL is not here any more")
    end

    return problems.answer(status, detail)
end


return _M
