-- Authorise requests on the public port, and sign URLs. Twin of access.py.

local names = require("gateway.names")
local presets = require("gateway.presets")
local recipes = require("gateway.recipes")
local save_as = require("gateway.save_as")
local text_of = require("gateway.text")
local bit = require("bit")

local bor = bit.bor
local bxor = bit.bxor
local byte = string.byte
local find = string.find
local format_text = string.format
local partition = text_of.partition
local preset_recipes = presets.preset_recipes
local print_name = names.print
local print_recipe = recipes.print_recipe
local signed_text = save_as.signed_text
local tonumber = tonumber

local _M = {}

local MOST_DIGITS = 12 -- of the end time: seconds since the epoch


-- The signature of a canonical name, base64url without padding; `expires` in seconds since the epoch, or nil; `more`
-- what save_as.signed_text gives.
function _M.sign(name, key, expires, more, crypto)
    local ends = expires and format_text("%.0f", expires) or ""

    return crypto.hmac_sha256_base64url(key, name .. "\n" .. ends .. more)
end


-- Whether two strings are equal, in a time that says nothing but their length.
local function same(one, other)
    if #one ~= #other then
        return false
    end

    local difference = 0
    for place = 1, #one do
        difference = bor(difference, bxor(byte(one, place), byte(other, place)))
    end

    return difference == 0
end

_M.same = same


-- Whether a preset expands to this name, in the format the name asks for.
local function is_preset(name, rules)
    return name.format ~= "json" and preset_recipes(name.format, rules)[print_recipe(name.recipe, rules)] ~= nil
end


-- The end time that `exp` names, in seconds since the epoch; nil where it is not a number of seconds.
local function end_of(exp)
    return find(exp, "^%d+$") and #exp <= MOST_DIGITS and tonumber(exp) or nil
end

_M.end_of = end_of


local function verify(name, rules, now, crypto)
    local signature, expires = name.signature.sig, name.signature.exp
    if not signature then
        return nil, 401, "sig: this name needs a signature, ?sig=KEYID.BASE64URL"
    end
    local ends = expires and end_of(expires)
    if expires and not ends then
        return nil, 403, "exp: must be the end time in seconds since the epoch"
    end

    local key_id, given = partition(signature, ".")
    local key = rules.keys[key_id]
    local more = signed_text(name.signature)
    local expected = _M.sign(print_name(name, rules), key or "", ends, more, crypto)
    if not same(expected, given or "") or not key then
        return nil, 403, "sig: the signature is wrong for this name"
    end
    if ends and ends < now then
        return nil, 403, "exp: the signature has expired"
    end

    return true
end


-- true if the public port may answer this name at `now` (seconds since the epoch). An error is 401 where a signature
-- is missing, 403 where it is wrong or has expired, or where only presets are served.
function _M.authorise(name, rules, now, crypto)
    if name.format == "json" and not rules.metadata then
        return nil, 403, "metadata is not public here"
    end
    if rules.access == "open" or is_preset(name, rules) then
        return true
    end
    if rules.access == "presets" then
        return nil, 403, "only presets are served here"
    end

    return verify(name, rules, now, crypto)
end


return _M
