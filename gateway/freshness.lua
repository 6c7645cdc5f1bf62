-- Compute how long browsers may cache a derived image. Twin of freshness.py.

local access = require("gateway.access")
local equivalence = require("gateway.equivalence")
local recipes = require("gateway.recipes")

local canonicalise = equivalence.canonicalise
local end_of = access.end_of
local floor = math.floor
local format_text = string.format
local ipairs = ipairs
local max = math.max
local min = math.min
local pairs = pairs
local preset_recipe = recipes.preset_recipe
local print_recipe = recipes.print_recipe
local sort = table.sort

local _M = {}

local SHARED = { "s-maxage", "stale-while-revalidate", "stale-if-error" }
local STALE = { ["stale-while-revalidate"] = true, ["stale-if-error"] = true } -- RFC 5861
local IMMUTABLE = "public, max-age=31536000, immutable" -- RFC 8246; of URLs that carry the version that is there


-- Seconds by canonical recipe in one format, of the presets that have a time of their own; of several with one recipe,
-- the first in the alphabet counts.
local function preset_times(format, rules)
    local known = rules.times_of_presets[format]
    if known then
        return known
    end

    local presets = {}
    for preset in pairs(rules.preset_max_age) do
        presets[#presets + 1] = preset
    end
    sort(presets)

    known = {}
    for _, preset in ipairs(presets) do
        local recipe = preset_recipe(preset, rules)
        recipe = recipe and canonicalise(recipe, format, rules)
        local printed = recipe and print_recipe(recipe, rules)
        if printed and not known[printed] then
            known[printed] = rules.preset_max_age[preset]
        end
    end
    rules.times_of_presets[format] = known

    return known
end


-- Cache-Control of what browsers may keep for so many seconds; `most` is how long the URL holds, if it ends.
local function directives(seconds, rules, most)
    local text = format_text("public, max-age=%d", most and min(seconds, most) or seconds)
    for _, word in ipairs(SHARED) do
        local value = rules.shared_caches[word]
        if value and not (most and STALE[word]) then
            text = text .. format_text(", %s=%d", word, most and min(value, most) or value)
        end
    end

    return text
end


-- Cache-Control of an answer at `now`, in seconds since the epoch: its preset's own time, else the configured one; for
-- ever where its URL carries a version that is `current`. Nothing is kept beyond the end of its URL, or of its
-- original, which `ends`, and then it is never served stale.
function _M.cache_control(name, rules, now, current, ends)
    local url_ends = end_of(name.signature.exp or "")
    if url_ends then
        ends = ends and min(ends, url_ends) or url_ends
    end
    if current and not ends then
        return IMMUTABLE
    end
    local seconds = rules.max_age
    if name.format ~= "json" then
        seconds = preset_times(name.format, rules)[print_recipe(name.recipe, rules)] or seconds
    end

    return directives(seconds, rules, ends and max(0, floor(ends - now)))
end


return _M
