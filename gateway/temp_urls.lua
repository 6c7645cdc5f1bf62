-- Sign and check temporary URLs of the directory store, as Swift signs its own. Twin of temp_urls.py.

local access = require("gateway.access")
local filenames = require("gateway.filenames")
local names = require("gateway.names")
local uri = require("gateway.uri")

local byte = string.byte
local check_image = names.check_image
local concat = table.concat
local end_of = access.end_of
local find = string.find
local floor = math.floor
local format = string.format
local gsub = string.gsub
local ipairs = ipairs
local match = string.match
local max = math.max
local min = math.min
local same = access.same
local sub = string.sub
local tonumber = tonumber
local visible = filenames.visible

local _M = {}

local PREFIX = "/temp/"
local DIGESTS = { [40] = "sha1", [64] = "sha256", [128] = "sha512" } -- by the hexadecimal digits of a signature
local METHODS = { GET = { "GET" }, HEAD = { "HEAD", "GET" } } -- what may be signed, for the method of a request
local PATH = "the path must be /temp/originals/NAME or /temp/derived/NAME/@RECIPE.FORMAT, spelled so"
local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }


-- The signature of a decoded path in hexadecimal digits; `digest` is sha1, sha256 or sha512.
function _M.sign(method, expires, path, key, digest, crypto)
    return crypto.hmac_hex(digest, key, format("%s\n%.0f\n%s", method, expires, path))
end


-- Container and name that a raw path means.
local function object_of(path)
    if sub(path, 1, #PREFIX) ~= PREFIX then
        return nil, 400, PATH
    end
    local segments, status, detail = uri.split_path(sub(path, #PREFIX + 1))
    if not segments then
        return nil, status, detail
    end
    local container, last = segments[1], #segments
    if container == "originals" then
        local image
        image, status, detail = check_image(concat(segments, "/", 2))
        return image and container, image or status, detail
    end
    if container ~= "derived" or last < 2 or not find(segments[last], "^@[a-z0-9.,=:_-]+$") then
        return nil, 400, PATH
    end
    local image
    image, status, detail = check_image(concat(segments, "/", 2, last - 1))
    if not image then
        return nil, status, detail
    end

    return container, image .. "/" .. segments[last]
end


local function days_in(year, month)
    local leaps = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
    return month == 2 and leaps and 29 or DAYS[month]
end


-- Days from 1970-01-01, in years that begin with March, so that the leap day is the last.
local function days_since_epoch(year, month, day)
    if month <= 2 then
        year, month = year - 1, month + 12
    end
    local leaps = floor(year / 4) - floor(year / 100) + floor(year / 400)

    return 365 * year + leaps + floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end


-- Seconds since the epoch, given as such or in ISO 8601; nil where it is neither.
local function time_of(text)
    local year, month, day, hour, minute, second = match(text, "^(%d%d%d%d)-(%d%d)-(%d%d)T(%d%d):(%d%d):(%d%d)Z$")
    if not year then
        return end_of(text)
    end
    year, month, day = tonumber(year), tonumber(month), tonumber(day)
    hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
    local is_day = year > 0 and DAYS[month] ~= nil and day > 0 and day <= days_in(year, month)
    if not is_day or hour > 23 or minute > 59 or second > 59 then
        return nil
    end

    return days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
end


local function is_signed(method, expires, path, signature, keys, crypto)
    local digest = DIGESTS[#signature]
    if not digest or find(signature, "[^0-9a-f]") then
        return false
    end
    local found = false
    for _, key in ipairs(keys) do
        for _, signed in ipairs(METHODS[method]) do
            found = same(_M.sign(signed, expires, path, key, digest, crypto), signature) or found
        end
    end

    return found
end


local function escape_byte(one)
    return format("%%%02X", byte(one))
end


-- Content-Disposition as Swift gives it, with the name in both of its forms (RFC 6266, RFC 8187).
local function disposition_of(name, filename, inline)
    local kind = inline and "inline" or "attachment"
    if inline and filename == "" then
        return kind
    end
    local given = visible(filename ~= "" and filename or match(name, "[^/]*$"))
    local quoted, encoded = gsub(given, "[^%w_.~/ -]", escape_byte), gsub(given, "[^%w_.~/-]", escape_byte)

    return format("%s; filename=\"%s\"; filename*=UTF-8''%s", kind, quoted, encoded)
end


-- What the URL of this raw path and query gives at `now` (seconds since the epoch): a table with `container`, `name`,
-- `expires` and `disposition`. An error is 400 where the path names no object, 401 where the signature is missing,
-- wrong or expired, 405 where the method is neither GET nor HEAD.
function _M.admit(method, path, query, keys, now, crypto)
    if not METHODS[method] then
        return nil, 405, "only GET and HEAD are answered here"
    end
    local container, name, detail = object_of(path)
    if not container then
        return nil, name, detail
    end
    local parameters, status
    parameters, status, detail = uri.split_query(query)
    if not parameters then
        return nil, status, detail
    end
    local signature, ends = parameters.temp_url_sig or "", parameters.temp_url_expires or ""
    if signature == "" or ends == "" then
        return nil, 401, "a URL here needs temp_url_sig and temp_url_expires; the API gives such URLs"
    end
    local expires = time_of(ends)
    if not expires then
        return nil, 401, "temp_url_expires: must be seconds since the epoch, or YYYY-MM-DDThh:mm:ssZ"
    end
    if expires < now then
        return nil, 401, "temp_url_expires: the URL has expired"
    end
    if not is_signed(method, expires, PREFIX .. container .. "/" .. name, signature, keys, crypto) then
        return nil, 401, "temp_url_sig: the signature is wrong for this URL"
    end

    return {
        container = container,
        name = name,
        expires = expires,
        disposition = disposition_of(name, parameters.filename or "", parameters.inline ~= nil),
    }
end


-- The Content-Type of a derived image or of metadata, which its name gives.
function _M.media_type(name, rules)
    local extension = match(name, "([^.]*)$")
    if extension == "json" then
        return "application/json"
    end
    local row = rules.formats[extension]

    return row and row.type or "application/octet-stream"
end


-- Cache-Control of an answer: the browser alone keeps it, and no longer than the URL holds.
function _M.cache_control(expires, max_age, now)
    return format("private, max-age=%.0f", max(0, min(max_age, expires - now)))
end


return _M
