-- The overlays of a recipe: which of the configuration's, where, how strong, how large. Twin of overlays.py.

local hints = require("gateway.hints")
local numbers = require("gateway.numbers")
local positions = require("gateway.positions")
local text_of = require("gateway.text")

local concat = table.concat
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local find = string.find
local ipairs = ipairs
local length = positions.length
local normalise = numbers.normalise
local pairs = pairs
local partition = text_of.partition
local quote = text_of.quote
local sort = table.sort
local split = text_of.split
local sub = string.sub

local _M = {}

local MOST = 8 -- overlays of one image
local OWN_SIZE = "own"
local PLACES = { "center", "n", "ne", "e", "se", "s", "sw", "w", "nw", "tile", "diagonal" }
local DEFAULTS = { "se", "0", "0", "1", OWN_SIZE } -- place, offsets across and down, opacity, and scale
local LONGEST_STAMP = 64


local function place(text)
    return contains(PLACES, text) and text or nil
end


-- The name of the overlay in an item, which may go on with a stamp and a place.
local function name_of(item)
    local head = partition(item, ":")
    return (partition(head, "."))
end


local function opacity(text)
    return normalise(text, 2, 0.01, 1)
end


local function scale(text)
    if text == OWN_SIZE then
        return text
    end
    local value = sub(text, -1) == "p" and normalise(sub(text, 1, -2), 2, 0.01, 100) or nil

    return value and value .. "p"
end


local PARTS = {
    { expects = "one of " .. concat(PLACES, ", "), read = place },
    { expects = "an offset in whole pixels, or percent with p", read = length },
    { expects = "an offset in whole pixels, or percent with p", read = length },
    { expects = "an opacity from 0.01 to 1 with at most 2 decimals", read = opacity },
    { expects = "a scale in percent of the picture's width, such as 20p, or own", read = scale },
}


local function parts_of(given, usual, item)
    if #given > #PARTS then
        return nil, 400, "over=" .. quote(item) .. ": must be name:place:x:y:opacity:scale"
    end

    local parts = {}
    for index, value in ipairs(usual) do
        parts[index] = value
    end
    for index, text in ipairs(given) do
        local value = PARTS[index].read(text)
        if not value then
            return nil, 400, "over=" .. quote(item) .. ": " .. quote(text) .. ": must be " .. PARTS[index].expects
        end
        parts[index] = value
    end

    return parts
end


local function is_stamp(text)
    return #text <= LONGEST_STAMP and find(text, "^[0-9a-f]+$") ~= nil
end


local function known(name, rules)
    local names = {}
    for one in pairs(rules.overlays) do
        names[#names + 1] = one
    end
    if #names == 0 then
        return "; the configuration has none"
    end
    sort(names)
    local hint = did_you_mean(name, names)

    return hint ~= "" and hint or "; there are " .. concat(names, ", ")
end


local function expanded(item, rules)
    local first, rest = partition(item, ":")
    local name, stamp = partition(first, ".")
    local row = rules.overlays[name]
    if not row or (stamp and not is_stamp(stamp)) then
        return nil, 400, "over=" .. quote(item) .. ": no such overlay" .. known(name, rules)
    end

    local usual = stamp and DEFAULTS or split(row.place, ":")
    local parts, status, detail = parts_of(rest and split(rest, ":") or {}, usual, item)
    if not parts then
        return nil, status, detail
    end
    while #parts > 0 and parts[#parts] == DEFAULTS[#parts] do
        parts[#parts] = nil
    end

    return concat({ name .. "." .. row.stamp, (#parts > 0 and concat(parts, ":") or nil) }, ":")
end


-- The canonical spelling of the value of `over`: the present stamp of every overlay, and where it lies. What a name
-- without a stamp leaves out, the configuration's `place` of the overlay gives; after a stamp it is that of DEFAULTS.
-- There are MOST at most, besides those that are required.
function _M.expand(text, rules)
    local items = split(text, "~")
    local count = 0
    for _, item in ipairs(items) do
        count = count + (contains(rules.required, name_of(item)) and 0 or 1)
    end
    if count > MOST then
        return nil, 400, "over=" .. quote(text) .. ": " .. count .. " overlays: at most " .. MOST .. " are allowed"
    end

    local found = {}
    for index, item in ipairs(items) do
        local one, status, detail = expanded(item, rules)
        if not one then
            return nil, status, detail
        end
        found[index] = one
    end

    return concat(found, "~")
end


-- The value of `over` with the overlays that every image must bear on top, as they are configured.
function _M.require(value, rules)
    if #rules.required == 0 then
        return value
    end

    local items = {}
    for _, item in ipairs(value and split(value, "~") or {}) do
        if not contains(rules.required, name_of(item)) then
            items[#items + 1] = item
        end
    end
    for _, name in ipairs(rules.required) do
        items[#items + 1] = expanded(name, rules)
    end

    return concat(items, "~")
end


return _M
