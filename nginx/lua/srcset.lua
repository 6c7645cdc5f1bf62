-- Recognise requests for the widths of an image, which the service answers (service/api/resources/srcset.py), only
-- where access is open.

local names = require("gateway.names")

local match = string.match
local ngx = ngx
local sub = string.sub

local _M = {}

local PREFIX = "/images/"
local ENDS = "/" .. names.SRCSET_LEAF
local rules


-- Take the rules. Called once, before the workers are forked.
function _M.init(loaded)
    rules = loaded
end


-- Whether nginx's current request is one.
function _M.is_asked()
    if rules.access ~= "open" then
        return false
    end
    local method, request_uri = ngx.req.get_method(), ngx.var.request_uri
    if method ~= "GET" and method ~= "HEAD" then
        return false
    end
    local path = match(request_uri, "^[^?]*")

    return sub(path, 1, #PREFIX) == PREFIX and sub(path, -#ENDS) == ENDS
end


return _M
