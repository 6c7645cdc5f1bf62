-- Relief for a service that is full: it says for how long it need not be asked, and nginx refuses by itself meanwhile,
-- at a tenth of the cost. Each worker learns it for itself.

local ngx = ngx
local tonumber = tonumber

local _M = {}

local refuse_until = 0


-- Take note of what the service's answer says. Called before its headers are sent.
function _M.heed()
    local seconds = tonumber(ngx.var.upstream_http_x_relief)
    if seconds then
        refuse_until = ngx.now() + seconds
        ngx.header["X-Relief"] = nil
    end
end


-- Whether the service need not be asked now.
function _M.holds()
    return ngx.now() < refuse_until
end


return _M
