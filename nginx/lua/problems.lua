-- Answer errors of nginx itself as application/problem+json (RFC 9457), with the codes of docs/api.md, or as a page for
-- a browser that navigates.

local cjson = require("cjson.safe")
local error_page = require("gateway.error_page")

local concat = table.concat
local encode = cjson.encode
local find = string.find
local format = string.format
local gsub = string.gsub
local ipairs = ipairs
local ngx = ngx
local pairs = pairs

local _M = {}

local METHODS = "GET, HEAD, OPTIONS"
local PHRASES = {
    [400] = "Bad Request",
    [401] = "Unauthorized",
    [403] = "Forbidden",
    [404] = "Not Found",
    [405] = "Method Not Allowed",
    [408] = "Request Timeout",
    [412] = "Precondition Failed",
    [413] = "Content Too Large",
    [416] = "Range Not Satisfiable",
    [429] = "Too Many Requests",
    [500] = "Internal Server Error",
    [503] = "Service Unavailable",
}
local CODES = {
    [400] = "malformed",
    [401] = "unauthorised",
    [403] = "forbidden",
    [404] = "no-such-resource",
    [405] = "method-not-allowed",
    [408] = "slow-sender",
    [412] = "precondition-failed",
    [413] = "too-large",
    [416] = "requested-range-not-satisfiable",
    [429] = "too-many-requests",
    [500] = "internal",
    [503] = "service-unavailable",
}
local DETAILS = {
    [400] = "the request is malformed",
    [414] = "the request line or a header is longer than 16 KiB",
    [403] = "this is not public",
    [404] = "there is nothing here; images are below /images/",
    [405] = "only GET, HEAD and OPTIONS are answered here",
    [408] = "the request did not arrive in time",
    [412] = "the image is not the one that the request's conditions name",
    [413] = "a request here has no body; uploads go to the API port",
    [416] = "the image has fewer bytes than the range begins at",
    [429] = "too many images that were not made yet are asked for from this address",
    [500] = "something went wrong here; the log knows more",
    [503] = "the image is not on this disk, and the service that makes it does not answer",
}
local LEFT_OVER = { -- of the file that would have been the answer
    "Access-Control-Allow-Origin",
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Security-Policy",
    "ETag",
    "Last-Modified",
    "X-Cache",
    "X-Content-Type-Options",
}
local MORE_HEADERS = {
    [401] = { ["WWW-Authenticate"] = 'Signature realm="images"' },
    [405] = { Allow = METHODS },
    [429] = { ["Retry-After"] = "1" },
    [503] = { ["Retry-After"] = "2" },
}


local pages


-- Take the pages for browsers: `near` for clients on this machine, `far` for all others.
function _M.init(given)
    pages = given
end


-- Answer with the methods that are allowed, and end the request.
function _M.options()
    ngx.header["Allow"] = METHODS
    ngx.header["Access-Control-Allow-Methods"] = METHODS
    ngx.header["Access-Control-Max-Age"] = "86400"
    return ngx.exit(ngx.HTTP_NO_CONTENT)
end


-- The document of a problem. Its members stand in the order of the service's, since cjson's own order is not the same
-- in every build; nor is a slash escaped, as cjson does.
local function document(status, detail)
    local members = {
        '"type": ' .. encode("urn:image-gateway:problem:" .. CODES[status]),
        '"title": ' .. encode(PHRASES[status]),
        '"status": ' .. format("%d", status),
        '"detail": ' .. encode(detail),
    }
    return "{" .. gsub(concat(members, ", "), "\\/", "/") .. "}"
end


-- The body of a problem and its content type.
local function body_of(status, detail)
    if not error_page.wants_page(ngx.var.http_accept or "", ngx.var.http_sec_fetch_dest or "") then
        return document(status, detail), "application/problem+json"
    end
    local address = ngx.var.remote_addr
    local near = address == "::1" or find(address, "^127%.")
    local page = near and pages.near or pages.far
    return error_page.fill_in(page, status, PHRASES[status], detail), error_page.CONTENT_TYPE
end


-- Answer with a problem, and end the request. Without a detail the status's own is used; 414, a request
-- that is too long, is answered as 400.
function _M.answer(status, detail)
    detail = detail or DETAILS[status]
    if status == 414 then
        status = 400
    end
    local body, content_type = body_of(status, detail)
    local header = ngx.header
    ngx.status = status
    for _, key in ipairs(LEFT_OVER) do
        header[key] = nil
    end
    header["Content-Type"] = content_type
    header["Content-Length"] = #body
    header["Cache-Control"] = "no-store"
    header["Vary"] = error_page.VARY
    for key, value in pairs(MORE_HEADERS[status] or {}) do
        header[key] = value
    end

    ngx.print(body)
    return ngx.exit(ngx.OK)
end


return _M
