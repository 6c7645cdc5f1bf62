-- What nginx answers alone, counted by cache level and status: in tables of each worker, so that a request costs no
-- more than an increment; and canonical names, which meet no Lua, by the lines that nginx logs. All is handed over to
-- the service every second; what it does not take is kept for later.

local cjson = require("cjson.safe")

local find = string.find
local gmatch = string.gmatch
local io_open = io.open
local next = next
local ngx = ngx
local pairs = pairs

local _M = {}

local EVERY = 1 -- seconds
local PATIENCE = 5000 -- milliseconds; a service that follows another answers within

local hits, others = {}, {} -- by status: derived images, and all else that needed no service
local left = ngx.shared.counts -- by key: what the service did not take, and what workers had not told when they left
local service, log


-- Count an answer with a derived image that was on disk.
function _M.hit()
    local status = ngx.status
    hits[status] = (hits[status] or 0) + 1
end


-- Count another answer: a refusal, or a failure of the service.
function _M.other()
    local status = ngx.status
    others[status] = (others[status] or 0) + 1
end


-- Move all counts into a batch: {["LEVEL STATUS"] = count}.
local function collect()
    local batch = {}
    for status, count in pairs(hits) do
        batch["HIT-DISK " .. status] = count
    end
    for status, count in pairs(others) do
        batch[" " .. status] = count
    end
    hits, others = {}, {}
    return batch
end


local function leave(batch)
    for key, count in pairs(batch) do
        left:incr(key, count, 0)
    end
end


local function take_left(batch)
    for _, key in pairs(left:get_keys(0)) do
        local count = left:get(key)
        if count > 0 then
            left:incr(key, -count)
            batch[key] = (batch[key] or 0) + count
        end
    end
end


-- The lines since the last time, a status each. nginx appends, so an emptied file begins anew; what it writes in the
-- instant between is not counted.
local function take_logged(batch)
    local file = io_open(log, "rb")
    local lines = file and file:read("*a") or ""
    if file then
        file:close()
    end
    if lines == "" then
        return
    end
    io_open(log, "wb"):close()
    for status in gmatch(lines, "%d%d%d") do
        local key = "HIT-DISK " .. status
        batch[key] = (batch[key] or 0) + 1
    end
end


-- A worker that leaves has no timers any more, but it may still be asked by who keeps a connection.
local function leave_from_now_on()
    leave(collect())
    function _M.hit()
        left:incr("HIT-DISK " .. ngx.status, 1, 0)
    end
    function _M.other()
        left:incr(" " .. ngx.status, 1, 0)
    end
end


-- Whether the service has taken a batch.
local function send(batch)
    local socket = ngx.socket.tcp()
    socket:settimeout(PATIENCE)
    if not socket:connect("unix:" .. service) then
        return false
    end
    local body = cjson.encode(batch)
    socket:send({
        "POST /counts HTTP/1.1\r\nHost: nginx\r\nConnection: close\r\nContent-Length: ", #body, "\r\n\r\n", body,
    })
    local line = socket:receive("*l")
    socket:close()
    return line ~= nil and find(line, " 204", 1, true) ~= nil
end


local function tell(leaving)
    if leaving then
        return leave_from_now_on()
    end
    local batch = collect()
    if ngx.worker.id() == 0 then
        take_left(batch)
        take_logged(batch)
    end
    if next(batch) and not send(batch) then
        leave(batch)
    end
end


-- Begin to tell the service that listens at this socket, of the hits in this log too. Called once in every worker.
function _M.start(socket, hits_log)
    service, log = socket, hits_log
    ngx.timer.every(EVERY, tell)
end


return _M
