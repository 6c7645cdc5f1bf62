-- Points and regions of an image in one canonical spelling. Twin of positions.py.

local numbers = require("gateway.numbers")
local text_of = require("gateway.text")

local concat = table.concat
local find = string.find
local ipairs = ipairs
local min = math.min
local number = numbers.normalise
local pairs = pairs
local plain = numbers.plain
local scaled = numbers.scaled
local split = text_of.split
local sub = string.sub

local _M = {}

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


-- A point: a word of the compass, `smart`, or X:Y in fractions of the image.
function _M.point(_, text)
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


local function printed(lengths)
    local texts = {}
    for place, one in ipairs(lengths) do
        texts[place] = plain(one.value, one.unit == "p" and 2 or 0) .. one.unit
    end

    return concat(texts, ":")
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


-- A length in whole pixels, or in percent (`p`).
function _M.length(text)
    local found = length(text)

    return found and printed({ found })
end


-- A region by its size alone; that of the whole image lies nowhere else.
local function sized(lengths)
    local whole = true
    for _, one in ipairs(lengths) do
        if one.value == 0 then
            return nil
        end
        whole = whole and one.unit == "p" and one.value == 10000
    end

    return (whole and "0:0:" or "") .. printed(lengths)
end


-- A region: X:Y:WIDTH:HEIGHT or WIDTH:HEIGHT, each in pixels or in percent (`p`).
function _M.region(_, text)
    local parts = split(text, ":")
    if #parts ~= 2 and #parts ~= 4 then
        return nil
    end

    local lengths = {}
    for place, part in ipairs(parts) do
        lengths[place] = length(part)
        if not lengths[place] then
            return nil
        end
    end
    if #lengths == 2 then
        return sized(lengths)
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

    return printed(lengths)
end


return _M
