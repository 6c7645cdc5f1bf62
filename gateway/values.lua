-- Normalise values of the vocabulary's types to one canonical spelling. Twin of values.py.

local hints = require("gateway.hints")
local text_of = require("gateway.text")

local abs = math.abs
local concat = table.concat
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local find = string.find
local floor = math.floor
local format = string.format
local gsub = string.gsub
local ipairs = ipairs
local lower = string.lower
local match = string.match
local min = math.min
local pairs = pairs
local partition = text_of.partition
local rep = string.rep
local split = text_of.split
local sub = string.sub
local tonumber = tonumber
local trim_end = text_of.trim_end
local type = type

local _M = {}

local MOST_DIGITS = 10 -- of a whole part: all that any range needs, and exact in Lua's numbers

local COMPASS = {
    ["0:0"] = "nw",
    ["0.5:0"] = "n",
    ["1:0"] = "ne",
    ["0:0.5"] = "w",
    ["0.5:0.5"] = "center",
    ["1:0.5"] = "e",
    ["0:1"] = "sw",
    ["0.5:1"] = "s",
    ["1:1"] = "se",
}

local POINTS = { smart = true }
for _, point in pairs(COMPASS) do
    POINTS[point] = true
end

local SWITCH_WORDS = { "0", "1", "false", "true" }
local SWITCHES = { ["0"] = "0", ["1"] = "1", ["false"] = "0", ["true"] = "1" }


-- The number times 10^places, where it is one, in range, and has no more decimals than `places`.
local function scaled(text, places, low, high)
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
local function plain(value, places)
    local digits = format("%0" .. places + 1 .. ".0f", abs(value))
    local whole = sub(digits, 1, #digits - places)
    local fraction = trim_end(sub(digits, #digits - places + 1), "0")

    return (value < 0 and "-" or "") .. whole .. (fraction ~= "" and "." .. fraction or "")
end


local function number(text, places, low, high)
    local value = scaled(text, places, low, high)

    return value and plain(value, places)
end


-- The largest value of an integer row; a word stands for the configured limit of that name.
function _M.maximum(row, limits)
    local most = row.max

    return type(most) == "string" and limits[most] or most
end


local function integer(row, text, limits)
    if row.words and contains(row.words, text) then
        return text
    end
    if find(text, ".", 1, true) then
        return nil
    end

    return number(text, 0, row.min, _M.maximum(row, limits))
end


local function decimal(row, text)
    return number(text, row.places, row.min, row.max)
end


local function switch(_, text)
    return SWITCHES[lower(text)]
end


local function word(row, text)
    return contains(row.words, text) and text or nil
end


local function words(row, text)
    local asked = split(text, ":")
    for _, one in ipairs(asked) do
        if not contains(row.words, one) then
            return nil
        end
    end

    local chosen = {}
    for _, one in ipairs(row.words) do
        if contains(asked, one) then
            chosen[#chosen + 1] = one
        end
    end

    return concat(chosen, ":")
end


local function colour(_, text)
    local digits = match(lower(text), "^#?([0-9a-f]+)$")
    if not digits then
        return nil
    end
    if #digits == 3 or #digits == 4 then
        digits = gsub(digits, ".", "%0%0")
    end
    if #digits ~= 6 and #digits ~= 8 then
        return nil
    end

    return sub(digits, 7) == "ff" and sub(digits, 1, 6) or digits
end


local function point(_, text)
    if POINTS[text] then
        return text
    end

    local parts = split(text, ":")
    if #parts ~= 2 then
        return nil
    end

    local x, y = number(parts[1], 3, 0, 1), number(parts[2], 3, 0, 1)
    if not x or not y then
        return nil
    end

    local place = x .. ":" .. y

    return COMPASS[place] or place
end


-- One number of a region: its unit (`p` for hundredths of a percent, empty for pixels) and its size.
local function length(text)
    local unit = sub(text, -1) == "p" and "p" or ""
    if unit == "" and find(text, ".", 1, true) then
        return nil
    end

    local percent = unit == "p"
    local digits = percent and sub(text, 1, -2) or text
    local value = scaled(digits, percent and 2 or 0, 0, percent and 100 or 10 ^ 6)

    return value and { unit = value == 0 and "" or unit, value = value }
end


local function region(_, text)
    local parts = split(text, ":")
    if #parts ~= 4 then
        return nil
    end

    local lengths = {}
    for place, part in ipairs(parts) do
        lengths[place] = length(part)
        if not lengths[place] then
            return nil
        end
    end

    for start = 1, 2 do
        local offset, size = lengths[start], lengths[start + 2]
        if size.value == 0 or (offset.unit == "p" and offset.value == 10000) then
            return nil
        end
        if offset.unit == "p" and size.unit == "p" then
            size.value = min(size.value, 10000 - offset.value)
        end
    end

    local printed = {}
    for place, one in ipairs(lengths) do
        printed[place] = plain(one.value, one.unit == "p" and 2 or 0) .. one.unit
    end

    return concat(printed, ":")
end


local function tuple(row, text)
    local given, parts = split(text, ":"), row.parts
    if #given > #parts then
        return nil
    end

    local values = {}
    for place, one in ipairs(given) do
        local part = parts[place]
        values[place] = number(one, part.places, part.min, part.max)
        if not values[place] then
            return nil
        end
    end

    while #values > 1 and values[#values] == parts[#values].default do
        values[#values] = nil
    end

    return concat(values, ":")
end


local TYPES = {
    integer = integer,
    decimal = decimal,
    switch = switch,
    word = word,
    words = words,
    colour = colour,
    point = point,
    region = region,
    tuple = tuple,
}


-- What the row takes, in words, for an error.
function _M.expectation(row, limits)
    if not find(row.expects, "{max}", 1, true) then
        return row.expects
    end

    return (gsub(row.expects, "{max}", format("%.0f", _M.maximum(row, limits))))
end


-- The canonical spelling of `text` as a value of `row`, or nil where it is not one.
function _M.normalise(row, text, limits)
    return TYPES[row.type](row, text, limits)
end


-- `; did you mean cover?`, where a value that is not one of `row` is close to one of its words, or nothing.
function _M.value_hint(row, text, switches)
    if row.type == "switch" then
        return did_you_mean(text, SWITCH_WORDS, switches)
    end

    return did_you_mean(text, row.words or {}, row.meant)
end


return _M
