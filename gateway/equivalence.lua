-- One spelling for all recipes that give the same result. Twin of equivalence.py.
--
-- `source` and `auto` are formats that are not decided yet: what depends on the format then stays in the recipe.

local numbers = require("gateway.numbers")
local overlays = require("gateway.overlays")
local text_of = require("gateway.text")
local values = require("gateway.values")

local contains = text_of.contains
local find = string.find
local floor = math.floor
local format_text = string.format
local ipairs = ipairs
local match = string.match
local max = math.max
local maximum = values.maximum
local pairs = pairs
local plain = numbers.plain
local scaled = numbers.scaled
local sub = string.sub
local tonumber = tonumber

local _M = {}

local HALF_TURN = 18000 -- hundredths of a degree


local function integer_text(number)
    return format_text("%.0f", number)
end


-- Fold `dpr` into `w` and `h`, rounding half up.
local function scale(recipe, rules)
    local tenths = floor(tonumber(recipe.dpr or "1") * 10 + 0.5)
    recipe.dpr = nil
    for _, key in ipairs({ "w", "h" }) do
        if recipe[key] then
            local product = floor((tonumber(recipe[key]) * tenths + 5) / 10)
            local most = maximum(rules.operations[key], rules.limits)
            if product > most then
                return nil, 400, key .. " times dpr is " .. integer_text(product)
                    .. ": must be at most " .. integer_text(most)
            end
            recipe[key] = integer_text(product)
        end
    end

    return recipe
end


-- Fold `ar` into the one of `w` and `h` that is missing, rounding half up; beside both it changes nothing.
local function shape(recipe, rules)
    local ratio = recipe.ar
    recipe.ar = nil
    if not ratio or (recipe.w and recipe.h) then
        return recipe
    end
    if not recipe.w and not recipe.h then
        return nil, 400, "ar=" .. ratio .. ": needs w or h"
    end

    local across, down = match(ratio, "^(.*):(.*)$")
    local given, missing, one, other = "w", "h", tonumber(across), tonumber(down)
    if not recipe.w then
        given, missing, one, other = "h", "w", other, one
    end
    local side = max(1, floor((2 * tonumber(recipe[given]) * other + one) / (2 * one)))
    local most = maximum(rules.operations[missing], rules.limits)
    if side > most then
        return nil, 400, missing .. " by ar is " .. integer_text(side)
            .. ": must be at most " .. integer_text(most)
    end
    recipe[missing] = integer_text(side)
    recipe.fit = recipe.fit or "cover"

    return recipe
end


-- Of the two spellings of every turn and mirror, keep the one that turns less (hv is a half turn).
local function turn(recipe)
    local degrees, flip = scaled(recipe.rot or "0", 2, 0, 360), recipe.flip
    if flip == "hv" then
        degrees, flip = (degrees + HALF_TURN) % (2 * HALF_TURN), nil
    end
    if flip and degrees >= HALF_TURN then
        degrees, flip = degrees - HALF_TURN, flip == "h" and "v" or "h"
    end

    recipe.rot, recipe.flip = plain(degrees, 2), flip
end


-- Without the alpha of `bg` where the format has none: there the colour is laid down whole.
local function opaque(recipe, format, rules)
    local about = rules.formats[format]
    if recipe.bg and about and about.alpha == false then
        recipe.bg = sub(recipe.bg, 1, 6)
    end
end


local function default_of(row)
    return row.type == "switch" and "0" or row.default
end


local function meets(key, wanted, recipe, format, rules)
    if key == "format" then
        return contains(wanted, format) or contains(rules.undecided, format)
    end

    local value = recipe[key]
    if wanted == "set" then
        return value ~= nil
    end
    if wanted == "unset" then
        return value == nil
    end
    if wanted == "sized" then
        return value ~= nil and find(value, "^[^:]*:[^:]*$") ~= nil
    end
    if wanted["not"] then
        return value ~= nil and not contains(wanted["not"], value)
    end

    return contains(wanted, value)
end


-- Whether one of the conditions holds: each maps keys to what all of them must be.
local function holds(conditions, recipe, format, rules)
    for _, one in ipairs(conditions) do
        local all = true
        for key, wanted in pairs(one) do
            all = all and meets(key, wanted, recipe, format, rules)
        end
        if all then
            return true
        end
    end

    return false
end


-- Without the keys that change nothing beside the others, until none is left.
local function drop_idle(recipe, format, rules)
    while true do
        local effective, dropped = {}, false
        for key, value in pairs(recipe) do
            local matters = rules.operations[key].matters
            if not matters or holds(matters, recipe, format, rules) then
                effective[key] = value
            else
                dropped = true
            end
        end
        if not dropped then
            return effective
        end
        recipe = effective
    end
end


-- Without a `q` that is the default of the format, where another key has the image encoded anew in any case. Alone, or
-- beside keys that may leave the encoded image as it is, it stays: it asks for just that.
local function drop_quality(recipe, format, rules)
    local encodes = false
    for key in pairs(recipe) do
        encodes = encodes or (key ~= "q" and rules.operations[key].encodes ~= false)
    end
    if encodes and recipe.q == rules.quality[format] then
        recipe.q = nil
    end

    return recipe
end


-- The one spelling of all recipes that give the same result in `format`. An error where a key lacks what it needs,
-- or the box exceeds the limits by `dpr` or `ar`.
function _M.canonicalise(given, format, rules)
    local recipe = {}
    for key, value in pairs(given) do
        recipe[key] = value
    end

    local fits, status, detail = scale(recipe, rules)
    if not fits then
        return nil, status, detail
    end
    local shaped
    shaped, status, detail = shape(recipe, rules)
    if not shaped then
        return nil, status, detail
    end
    turn(recipe)
    opaque(recipe, format, rules)
    recipe.over = overlays.require(recipe.over, rules)

    for _, key in ipairs(rules.order) do
        if recipe[key] == default_of(rules.operations[key]) then
            recipe[key] = nil
        end
    end

    for _, key in ipairs(rules.order) do
        local row = rules.operations[key]
        if recipe[key] and row.needs and not holds(row.needs, recipe, format, rules) then
            return nil, 400, key .. "=" .. recipe[key] .. ": " .. row.needs_text
        end
    end

    return drop_quality(drop_idle(recipe, format, rules), format, rules)
end


return _M
