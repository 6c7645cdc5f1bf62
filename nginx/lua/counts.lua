-- Count the answers that nginx gives without the service, by cache level, status and dialect. Hits are counted by the
-- lines that nginx logs, so a hit needs no Lua. All others are counted in a table of each worker, at the cost of an
-- increment. Every second the counts are added in shared memory, and one worker sends them to the service in batches
-- with ids. A batch that is sent again, because the service was slow to confirm it, is counted once.

local cjson = require("cjson.safe")

local gmatch = string.gmatch
local io_open = io.open
local match = string.match
local next = next
local ngx = ngx
local pairs = pairs
local pcall = pcall
local service = require("nginx.lua.service")
local type = type
local used = require("nginx.lua.used")

local _M = {}

local EVERY = 1 -- seconds

local temp_urls = {} -- by status
local others = {} -- by status and dialect: what needed no service and is no derived image
local shared = ngx.shared.counts -- by "LEVEL STATUS DIALECT": what is in no batch yet; by id: batches not confirmed
local handing_over = false
local serial = 0
local log, begun


-- Count an answer to a temporary URL, whatever it is.
function _M.temp_url()
    local status = ngx.status
    temp_urls[status] = (temp_urls[status] or 0) + 1
end


-- The key of an answer's status and of the dialect of its URL: "404 iiif", or "404" of a canonical name.
local function of_dialect(status, dialect)
    return dialect and dialect ~= "" and status .. " " .. dialect or status
end


-- Count an answer without a derived image: a refusal, or a failure of the service.
function _M.other()
    local key = of_dialect(ngx.status, ngx.var.dialect)
    others[key] = (others[key] or 0) + 1
end


local function share(level, counts)
    for key, count in pairs(counts) do
        shared:incr(level .. " " .. key, count, 0)
    end
end


local function share_own()
    share("TEMP-URL", temp_urls)
    share("", others)
    temp_urls, others = {}, {}
end


-- The lines since the last time: a status each, after the dialect where there is one, and what was sent. nginx appends,
-- so the file can be emptied after it was read. Lines that are written between the two are not counted. Equal lines are
-- looked into once.
local function share_logged()
    local file = io_open(log, "rb")
    local lines = file and file:read("*a") or ""
    if file then
        file:close()
    end
    local emptied = lines ~= "" and io_open(log, "wb")
    if not emptied then
        return
    end
    emptied:close()
    local times, counts = {}, {}
    for line in gmatch(lines, "[^\n]+") do
        times[line] = (times[line] or 0) + 1
    end
    for line, count in pairs(times) do
        local dialect, status, place = match(line, "^(%l*) ?(%d%d%d) (.*)$")
        if status then
            local key = of_dialect(status, dialect)
            counts[key] = (counts[key] or 0) + count
            used.note(place, count)
        end
    end
    share("HIT-DISK", counts)
end


-- A worker that is ending has no timers, but it may still answer on kept-alive connections.
local function share_from_now_on()
    function _M.temp_url()
        shared:incr("TEMP-URL " .. ngx.status, 1, 0)
    end
    function _M.other()
        shared:incr(" " .. of_dialect(ngx.status, ngx.var.dialect), 1, 0)
    end
end


-- The contents of the shared memory: counts that are in no batch, and batches.
local function look()
    local counts, batches = {}, {}
    for _, key in pairs(shared:get_keys(0)) do
        local value = shared:get(key)
        if type(value) == "string" then
            batches[key] = value
        elseif value and value > 0 then
            counts[key] = value
        end
    end
    return counts, batches
end


-- Make a batch of counts. The batch is stored before the counts are subtracted, so nothing changes if there is no
-- memory for it. During a reload two workers may take the same counts, which makes them negative; the next batch
-- cancels it.
local function batch_of(counts)
    serial = serial + 1
    local id = begun .. "-" .. serial
    local batch = cjson.encode({ id = id, counts = counts })
    if not next(counts) or not shared:safe_set(id, batch) then
        return {}
    end
    for key, count in pairs(counts) do
        shared:incr(key, -count)
    end
    return { [id] = batch }
end


-- Whether the service has dealt with a batch. A batch that it refuses is dropped, since it would refuse it again.
local function send(batch)
    local status = service.post("/counts", batch)
    if status == "400" then
        ngx.log(ngx.ERR, "the service refuses counts, which are lost: ", batch)
    end
    return status == "204" or status == "400"
end


-- Send a batch to the service until it is confirmed; later counts wait for the next batch.
local function hand_over()
    local counts, batches = look()
    if not next(batches) then
        batches = batch_of(counts)
    end
    for id, batch in pairs(batches) do
        if not send(batch) then
            return
        end
        shared:delete(id)
    end
end


local function report(leaving)
    share_own()
    if leaving then
        return share_from_now_on()
    end
    if ngx.worker.id() ~= 0 then
        return
    end
    share_logged()
    if handing_over then
        return
    end
    handing_over = true
    local done, why = pcall(hand_over)
    if done then
        done, why = pcall(used.tell)
    end
    handing_over = false
    if not done then
        ngx.log(ngx.ERR, "counts are not handed over: ", why)
    end
end


-- Begin to report to the service that listens at this socket, of the hits in this log too. Called once in every worker.
function _M.start(socket, hits_log)
    service.init(socket)
    log = hits_log
    begun = ngx.worker.pid() .. "-" .. ngx.now()
    ngx.timer.every(EVERY, report)
end


return _M
