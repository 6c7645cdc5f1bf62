-- Read and print recipes. Twin of recipes.py.
--
-- A recipe is a table of operation to canonical value, without its format.

local hints = require("gateway.hints")
local overlays = require("gateway.overlays")
local text_of = require("gateway.text")
local values = require("gateway.values")

local concat = table.concat
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local expectation = values.expectation
local expand = overlays.expand
local insert = table.insert
local ipairs = ipairs
local normalise = values.normalise
local pairs = pairs
local partition = text_of.partition
local quote = text_of.quote
local sort = table.sort
local split = text_of.split
local value_hint = values.value_hint

local _M = {}

_M.FULL = "full"


-- Add an operation to what is given: a list of { key, text }, which has each key it holds as a field too. `words` may
-- be written here: by default the operations.
function _M.add(given, word, text, rules, words)
    local key = rules.aliases[word]
    if not key then
        local unknown = word ~= "" and word or "=" .. text
        local hint = did_you_mean(word, words or rules.words, rules.meant.keys)
        if hint == "" then
            hint = "; there are " .. concat(rules.order, ", ")
        end
        return nil, 400, quote(unknown) .. ": no such operation" .. hint
    end
    if given[key] then
        return nil, 400, word .. ": given twice"
    end

    given[#given + 1] = { key = key, text = text }
    given[key] = true

    return true
end


-- Check and normalise every value of what is given. An error names the key and its range.
function _M.read(given, rules)
    local recipe = {}
    for _, pair in ipairs(given) do
        local key, text = pair.key, pair.text
        local row = rules.operations[key]
        local value, status, problem
        if row.type == "overlays" then
            value, status, problem = expand(text, rules)
        else
            value = normalise(row, text, rules.limits)
        end
        if status then
            return nil, status, problem
        end
        if not value then
            local wanted = expectation(row, rules.limits)
            return nil, 400, key .. "=" .. quote(text) .. ": must be " .. wanted
                .. value_hint(row, text, rules.meant.switches)
        end
        recipe[key] = value
    end

    for _, word in ipairs(recipe.keep and split(recipe.keep, ":") or {}) do
        if not contains(rules.keep, word) then
            return nil, 400, "keep=" .. word .. ": the configuration does not allow it"
        end
    end

    return recipe
end


-- The values of a preset, not yet canonical for any format. An error names it and those there are.
function _M.preset_recipe(preset, rules)
    if not rules.presets[preset] then
        local known = {}
        for word in pairs(rules.presets) do
            known[#known + 1] = word
        end
        sort(known)
        insert(known, 1, _M.FULL)

        local unknown, hint = preset ~= "" and preset or "preset=", did_you_mean(preset, known)
        if hint == "" then
            hint = "; there are " .. concat(known, ", ")
        end
        return nil, 400, quote(unknown) .. ": no such preset" .. hint
    end

    local given = {}
    for _, part in ipairs(split(rules.presets[preset], ",")) do
        local word, text = partition(part, "=")
        if text then
            local added, status, detail = _M.add(given, word, text, rules)
            if not added then
                return nil, status, detail
            end
        elseif part ~= _M.FULL then
            local item = part ~= "" and quote(part) or "an empty item"
            return nil, 400, "preset " .. preset .. ": " .. item .. ": must be key=value"
        end
    end

    return _M.read(given, rules)
end


-- `w=300,fit=cover`, or `full` for the empty recipe. The recipe must be canonical.
function _M.print_recipe(recipe, rules)
    local parts = {}
    for _, key in ipairs(rules.order) do
        if recipe[key] then
            parts[#parts + 1] = key .. "=" .. recipe[key]
        end
    end

    return #parts > 0 and concat(parts, ",") or _M.FULL
end


return _M
