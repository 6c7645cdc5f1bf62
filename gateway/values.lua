-- Normalise values of the vocabulary's types to one canonical spelling. Twin of values.py.

local hints = require("gateway.hints")
local numbers = require("gateway.numbers")
local positions = require("gateway.positions")
local text_of = require("gateway.text")

local concat = table.concat
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local find = string.find
local format = string.format
local gsub = string.gsub
local ipairs = ipairs
local lower = string.lower
local match = string.match
local number = numbers.normalise
local partition = text_of.partition
local split = text_of.split
local sub = string.sub
local type = type

local _M = {}

local SWITCH_WORDS = { "0", "1", "false", "true" }
local SWITCHES = { ["0"] = "0", ["1"] = "1", ["false"] = "0", ["true"] = "1" }


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


-- The hex digits of a colour: six, or eight where it is not opaque.
local function digits_of(text)
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


local function colour(_, text)
    return digits_of(text)
end


local function colours(row, text)
    local found = split(text, ":")
    if #found ~= row.count then
        return nil
    end
    for place, one in ipairs(found) do
        found[place] = digits_of(one)
        if not found[place] or #found[place] ~= 6 then
            return nil
        end
    end

    return concat(found, ":")
end


local function border(row, text)
    local fuzz, colour_text = partition(text, ":")
    fuzz = decimal(row, fuzz)
    local digits = colour_text and digits_of(colour_text)
    if not fuzz or (colour_text and not digits) then
        return nil
    end

    return digits and fuzz .. ":" .. digits or fuzz
end


local function ratio(_, text)
    return numbers.ratio(text)
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
    colours = colours,
    border = border,
    ratio = ratio,
    point = positions.point,
    region = positions.region,
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
