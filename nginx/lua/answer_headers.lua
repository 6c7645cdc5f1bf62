-- Set nginx's variables of the headers that an answer has only where they are configured or asked for: tags of a CDN,
-- Content-Disposition, the canonical URL. Where there are none, nothing is done.

local cache_tag = require("gateway.cache_tag")
local crypto = require("nginx.lua.crypto")
local names = require("gateway.names")
local save_as = require("gateway.save_as")

local escape = names.escape
local ipairs = ipairs
local ngx = ngx
local print_name = names.print

local _M = {}

local rules, settings
local configured


local function set_tags(name)
    ngx.var.cache_tags = cache_tag.tags(name.image, settings.longest_tag, settings.tag_separator, crypto)
end


local function set_link(name)
    ngx.var.canonical_link = "<" .. settings.canonical_url .. escape(print_name(name, rules)) .. '>; rel="canonical"'
end


-- Take the rules, and the settings that service/supervise/answer_headers.py renders. Called once, before the workers
-- are forked.
function _M.init(loaded, given)
    rules, settings = loaded, given
    configured = {}
    if settings.tag_separator then
        configured[#configured + 1] = set_tags
    end
    if settings.canonical_url then
        configured[#configured + 1] = set_link
    end
end


-- Set the variables for an answer with this name in this format, which is decided.
function _M.set(name, format)
    local asked = name.signature
    if asked.download or asked.filename then
        ngx.var.disposition = save_as.disposition(name.image, format, asked, rules)
    end
    for _, set in ipairs(configured) do
        set(name)
    end
end


return _M
