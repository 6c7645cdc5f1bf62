-- Parse the two forms of a request for a derived image: the leaf of a derived name, and the query.
-- Twin of forms.py.
--
-- Both become the same table: `given`, the operations as they were written (see recipes.add); `preset`, a bare word;
-- `extension`, the format as it was written; or only `meta`, true where the metadata is asked for.

local hints = require("gateway.hints")
local recipes = require("gateway.recipes")
local text_of = require("gateway.text")

local add = recipes.add
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local ipairs = ipairs
local lower = string.lower
local match = string.match
local partition = text_of.partition
local quote = text_of.quote
local split = text_of.split

local _M = {}

_M.META_LEAF = "@meta.json"

local TRUTH_WORDS = { "True", "False" }
local TRUTHS = { ["0"] = false, ["false"] = false, ["1"] = true, ["true"] = true }


-- What a leaf asks for: `@w=300,h=200.webp`, `@thumbnail,q=60.png`, `@full.jpg`, `@meta.json`.
function _M.read_leaf(leaf, rules)
    if leaf == _M.META_LEAF then
        return { meta = true }
    end

    local body, extension = match(leaf, "^@(.+)%.(.-)$")
    if not body then
        return nil, 400, quote(leaf) .. ": must be @RECIPE.FORMAT, such as @w=300.webp or @full.jpg"
    end

    local given, preset = {}, nil
    for _, part in ipairs(split(body, ",")) do
        local word, text = partition(part, "=")
        if part == "" then
            return nil, 400, quote(leaf) .. ": an item between its commas is empty"
        end
        if text then
            local added, status, detail = add(given, word, text, rules)
            if not added then
                return nil, status, detail
            end
        elseif preset then
            return nil, 400, quote(part) .. ": must be key=value, after the preset " .. quote(preset)
        else
            preset = part
        end
    end

    return { given = given, preset = preset, extension = extension }
end


-- The older clients' `True` and `False`; false where the parameter is missing.
local function truth(parameters, key)
    local text = parameters[key] or "0"
    local value = TRUTHS[lower(text)]
    if value == nil then
        return nil, 400, key .. "=" .. quote(text) .. ": must be True or False" .. did_you_mean(text, TRUTH_WORDS)
    end

    return value
end


-- The preset, or false: `thumbnail=True` is the older spelling of one.
local function preset_of(parameters)
    local thumbnail, status, detail = truth(parameters, "thumbnail")
    if thumbnail == nil then
        return nil, status, detail
    end
    if thumbnail and parameters.preset then
        return nil, 400, "thumbnail: given beside preset; give one of them"
    end

    return thumbnail and "thumbnail" or parameters.preset or false
end


-- One of the older `xsize` and `ysize` alone bounds both sides.
local function bound_both(given, parameters)
    local size, other = parameters.xsize or parameters.ysize, parameters.xsize and "h" or "w"
    if size and not given[other] then
        given[#given + 1] = { key = other, text = size }
    end
end


-- The metadata of the whole image. No operation is allowed with it.
local function metadata(given, parameters, preset)
    local first = given[1] and given[1].key
        or parameters.format and "format"
        or parameters.kind and "kind"
        or preset ~= "" and preset
    if first then
        return nil, 400, quote(first) .. ": metadata is of the whole image; leave this out"
    end

    return { meta = true }
end


-- What the parameters of a query ask for; `keys` lists those to be read, as they came.
function _M.read_query(parameters, keys, rules)
    if parameters.format and parameters.kind then
        return nil, 400, "kind: given twice, as format and as kind"
    end
    local preset, status, detail = preset_of(parameters)
    if preset == nil then
        return nil, status, detail
    end

    local given = {}
    for _, key in ipairs(keys) do
        if not contains(rules.naming_parameters, key) then
            local added, why, what = add(given, key, parameters[key], rules, rules.query_words)
            if not added then
                return nil, why, what
            end
        end
    end

    local meta
    meta, status, detail = truth(parameters, "meta")
    if meta == nil then
        return nil, status, detail
    end
    if meta then
        return metadata(given, parameters, preset)
    end
    bound_both(given, parameters)

    local extension = parameters.format or parameters.kind or rules.default_format
    return { given = given, preset = preset, extension = extension }
end


return _M
