-- Bound the widths of derived images to those of a ladder, on the public port. Twin of ladder.py.

local presets = require("gateway.presets")
local recipes = require("gateway.recipes")
local values = require("gateway.values")

local floor = math.floor
local format_text = string.format
local ipairs = ipairs
local pairs = pairs
local preset_recipes = presets.preset_recipes
local print_recipe = recipes.print_recipe
local tonumber = tonumber

local _M = {}


-- The rungs next to a width: the one below, or nil; the width's own or the one above, or nil.
local function neighbours(width, ladder)
    local below
    for _, rung in ipairs(ladder) do
        if rung >= width then
            return below, rung
        end
        below = rung
    end

    return below, nil
end


-- The height times the factor of the width, rounded half up.
local function scaled(height, above, width, rules)
    local found = floor((2 * height * above + width) / (2 * width))
    local most = values.maximum(rules.operations.h, rules.limits)
    if found > most then
        return nil, 400, format_text("h scaled to the ladder is %d: must be at most %d", found, most)
    end

    return format_text("%d", found)
end


-- A canonical recipe with its width on a rung of the ladder, and its height scaled by the same factor.
function _M.on_ladder(recipe, format, rules)
    if not rules.ladder[1] or not recipe.w then
        return recipe
    end
    local width = tonumber(recipe.w)
    local below, above = neighbours(width, rules.ladder)
    if above == width or preset_recipes(format, rules)[print_recipe(recipe, rules)] then
        return recipe
    end
    if not above then
        return nil, 400, format_text("w=%d: must be at most %d, the widest of the ladder", width, below)
    end
    if rules.snap == "refuse" then
        local nearest = below and format_text("%d or %d", below, above) or format_text("%d at least", above)
        return nil, 400, format_text("w=%d: must be %s, for the ladder has no width between", width, nearest)
    end

    local snapped = {}
    for key, value in pairs(recipe) do
        snapped[key] = value
    end
    snapped.w = format_text("%d", above)
    if recipe.h then
        local height, status, detail = scaled(tonumber(recipe.h), above, width, rules)
        if not height then
            return nil, status, detail
        end
        snapped.h = height
    end

    return snapped
end


return _M
