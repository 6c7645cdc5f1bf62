-- Relieve a service that is full: its answer says for how long nginx refuses requests by itself, at a tenth of the
-- cost. Each worker learns it from its own requests.

local ngx = ngx
local tonumber = tonumber

local _M = {}

local since, refuse_until = 0, 0 -- both by the clock, which may be set: a time before `since` says that it was


-- Take note of what the service's answer says. Called before its headers are sent.
function _M.heed()
    local seconds = tonumber(ngx.var.upstream_http_x_relief)
    if seconds then
        since = ngx.now()
        refuse_until = since + seconds
        ngx.header["X-Relief"] = nil
    end
end


-- Whether nginx refuses by itself now.
function _M.holds()
    local now = ngx.now()
    return since <= now and now < refuse_until
end


return _M
