-- Decimal numbers in one canonical spelling. Twin of numbers.py.

local text_of = require("gateway.text")

local abs = math.abs
local find = string.find
local floor = math.floor
local format = string.format
local match = string.match
local partition = text_of.partition
local rep = string.rep
local sub = string.sub
local tonumber = tonumber
local trim_end = text_of.trim_end

local _M = {}

local MOST_DIGITS = 10 -- of a whole part: all that any range needs, and exact in Lua's numbers


-- The number times 10^places. Nil where it is not a number, out of range, or has more decimals than `places`.
function _M.scaled(text, places, low, high)
    local sign, digits = match(text, "^(%-?)(.*)$")
    local whole, fraction = partition(digits, ".")
    fraction = fraction or ""
    if find(whole, "%D") or find(fraction, "%D") or (whole == "" and fraction == "") then
        return nil
    end

    whole, fraction = match(whole, "^0*(.*)$"), trim_end(fraction, "0")
    if #whole > MOST_DIGITS or #fraction > places then
        return nil
    end

    local value = tonumber("0" .. whole .. fraction .. rep("0", places - #fraction))
    if sign == "-" then
        value = -value
    end

    local scale = 10 ^ places
    if value < floor(low * scale + 0.5) or value > floor(high * scale + 0.5) then
        return nil
    end

    return value
end


-- A scaled number without trailing zeros: 50 at two places is 0.5.
function _M.plain(value, places)
    local digits = format("%0" .. places + 1 .. ".0f", abs(value))
    local whole = sub(digits, 1, #digits - places)
    local fraction = trim_end(sub(digits, #digits - places + 1), "0")

    return (value < 0 and "-" or "") .. whole .. (fraction ~= "" and "." .. fraction or "")
end


-- The canonical spelling of a number, or nil where it is not one, out of range, or too precise.
function _M.normalise(text, places, low, high)
    local value = _M.scaled(text, places, low, high)

    return value and _M.plain(value, places)
end


-- Two numbers joined by a colon, each from 0.01 to 10000 with at most 2 decimals, in lowest terms: 1.5:1 is 3:2.
function _M.ratio(text)
    local before, after = partition(text, ":")
    local across, down = _M.scaled(before, 2, 0.01, 10000), after and _M.scaled(after, 2, 0.01, 10000)
    if not across or not down then
        return nil
    end

    local divisor, rest = across, down
    while rest > 0 do
        divisor, rest = rest, divisor % rest
    end

    return format("%.0f:%.0f", across / divisor, down / divisor)
end


return _M
