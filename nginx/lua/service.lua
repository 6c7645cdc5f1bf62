-- Send what nginx knows to the service, from timers.

local match = string.match
local ngx = ngx

local _M = {}

local PATIENCE = 2000 -- milliseconds

local socket_path


-- Take the path of the service's socket. Called once in every worker.
function _M.init(path)
    socket_path = path
end


-- POST a body; the status of the answer as text, nil where there was none in time.
function _M.post(path, body)
    local socket = ngx.socket.tcp()
    socket:settimeout(PATIENCE)
    if not socket:connect("unix:" .. socket_path) then
        return nil
    end
    socket:send({
        "POST ", path, " HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\nContent-Length: ", #body, "\r\n\r\n", body,
    })
    local status = match(socket:receive("*l") or "", "^HTTP/1.1 (%d+)")
    socket:close()

    return status
end


return _M
