-- The canonical recipes of presets. Twin of presets.py.

local equivalence = require("gateway.equivalence")
local recipes = require("gateway.recipes")

local canonicalise = equivalence.canonicalise
local pairs = pairs
local preset_recipe = recipes.preset_recipe
local print_recipe = recipes.print_recipe

local _M = {}


-- The canonical recipes of all presets in one format, by how they are printed; presets that cannot be made in it are
-- left out.
function _M.preset_recipes(format, rules)
    local known = rules.recipes_of_presets[format]
    if known then
        return known
    end

    known = {}
    for preset in pairs(rules.presets) do
        local recipe = preset_recipe(preset, rules)
        recipe = recipe and canonicalise(recipe, format, rules)
        if recipe then
            known[print_recipe(recipe, rules)] = recipe
        end
    end
    rules.recipes_of_presets[format] = known

    return known
end


return _M
