-- Parse a request into the canonical name of the image it asks for. Twin of names.py.
--
-- A name is a table: `image`, `recipe` (a table), `format` (`json` for metadata), and `signature` with the request's
-- `sig`, `exp`, `v`, `download` and `filename`, which are never part of the name. Everything is bytes; `crypto` is a
-- table of sha256_hex(text) and hmac_sha256_base64url(key, message).

local equivalence = require("gateway.equivalence")
local forms = require("gateway.forms")
local hints = require("gateway.hints")
local ladder = require("gateway.ladder")
local paths = require("gateway.paths")
local recipes = require("gateway.recipes")
local save_as = require("gateway.save_as")
local text_of = require("gateway.text")
local uri = require("gateway.uri")

local byte = string.byte
local canonicalise = equivalence.canonicalise
local concat = table.concat
local contains = text_of.contains
local did_you_mean = hints.did_you_mean
local find = string.find
local format_text = string.format
local ipairs = ipairs
local lower = string.lower
local on_ladder = ladder.on_ladder
local pairs = pairs
local preset_recipe = recipes.preset_recipe
local print_recipe = recipes.print_recipe
local quote = text_of.quote
local read = recipes.read
local read_leaf = forms.read_leaf
local read_query = forms.read_query
local split = text_of.split

local _M = {
    escape = uri.escape,
}

local FULL = recipes.FULL
_M.SRCSET_LEAF = "@srcset.json" -- which the service alone answers
local LONGEST_IMAGE_NAME = 1024 -- bytes, Swift's limit for an object's name

local UNDECIDED = { auto = true, source = true }


-- Whether a format is one that cannot be made before it is decided.
function _M.is_undecided(format)
    return UNDECIDED[format] == true
end


-- The last segment: `@w=300.webp`.
function _M.leaf(name, rules)
    if name.format == "json" then
        return forms.META_LEAF
    end

    return "@" .. print_recipe(name.recipe, rules) .. "." .. name.format
end


-- The canonical name: `photos/cat.jpg/@w=300.webp`.
function _M.print(name, rules)
    return name.image .. "/" .. _M.leaf(name, rules)
end


local function merged(under, over)
    local both = {}
    for key, value in pairs(under) do
        both[key] = value
    end
    for key, value in pairs(over) do
        both[key] = value
    end

    return both
end


-- The name of an image, as it was given; an error says what is wrong with it. It must be valid UTF-8.
local function check_image(name)
    if name == "" then
        return nil, 400, "the name is empty"
    end
    if #name > LONGEST_IMAGE_NAME then
        return nil, 400, format_text("the name has %d bytes: at most %d are allowed", #name, LONGEST_IMAGE_NAME)
    end
    if find(name, "%c") or find(name, "\194[\128-\159]") then
        return nil, 400, "the name holds a control character"
    end

    for _, segment in ipairs(split(name, "/")) do
        if segment == "" then
            return nil, 400, "the name has an empty segment: no leading, trailing or double slash"
        end
        if segment == "." or segment == ".." then
            return nil, 400, "the name has a segment '.' or '..'"
        end
        if byte(segment) == 64 then
            return nil, 400, "a segment of the name begins with '@', which is reserved for derived images"
        end
    end

    return name
end

_M.check_image = check_image


-- Take the parameters of the request itself out of those of the name: their values, and the keys that are left.
local function take_signature(parameters, keys, rules)
    local taken, left = {}, {}
    for _, key in ipairs(keys) do
        if contains(rules.request_parameters, key) then
            taken[key] = parameters[key]
        else
            left[#left + 1] = key
        end
    end

    return taken, left
end


local function format_of(extension, rules)
    local word = lower(extension)
    local format = rules.format_aliases[word] or word
    if not contains(rules.out, format) and not UNDECIDED[format] then
        local hint = did_you_mean(extension, rules.format_words, rules.meant.formats)
        local formats = concat(rules.format_words, ", ")
        return nil, 400, "format " .. quote(extension) .. ": must be one of " .. formats .. hint
    end

    return format
end


-- The canonical name of what is asked of an image.
local function name_of(image, asked, rules)
    if asked.meta then
        return { image = image, recipe = {}, format = "json" }
    end

    local format, recipe, status, detail
    format, status, detail = format_of(asked.extension, rules)
    if not format then
        return nil, status, detail
    end
    recipe, status, detail = read(asked.given, rules)
    if not recipe then
        return nil, status, detail
    end

    if asked.preset and asked.preset ~= FULL then
        local under
        under, status, detail = preset_recipe(asked.preset, rules)
        if not under then
            return nil, status, detail
        end
        recipe = merged(under, recipe)
    end

    recipe, status, detail = canonicalise(recipe, format, rules)
    if not recipe then
        return nil, status, detail
    end
    recipe, status, detail = on_ladder(recipe, format, rules)
    if not recipe then
        return nil, status, detail
    end

    return { image = image, recipe = recipe, format = format }
end


-- What the raw `path` (without the prefix `/images/`) and the raw `query` (without `?`) ask for.
--
-- The name is canonical; its format may still be `auto` or `source`. Parameters that the rules ignore are dropped.
-- Errors have status 400, or 403 for what only the API answers.
function _M.parse(path, query, rules)
    local segments, status, detail = uri.split_path(path)
    if not segments then
        return nil, status, detail
    end

    local parameters, keys
    parameters, keys, detail = uri.split_query(query or "", rules.ignored_query)
    if not parameters then
        return nil, keys, detail
    end

    local taken, left = take_signature(parameters, keys, rules)
    local signature
    signature, status, detail = save_as.normalised(taken, rules)
    if not signature then
        return nil, status, detail
    end
    for _, key in ipairs(left) do
        if contains(rules.api_parameters, key) then
            return nil, 403, key .. ": only the API answers this"
        end
    end

    local leaf = byte(segments[#segments]) == 64 and segments[#segments] or nil
    local image
    image, status, detail = check_image(concat(segments, "/", 1, leaf and #segments - 1 or #segments))
    if not image then
        return nil, status, detail
    end
    if leaf and leaf ~= _M.SRCSET_LEAF and left[1] then
        local allowed = concat(rules.request_parameters, ", ")
        local hint = did_you_mean(left[1], rules.request_parameters)
        return nil, 400, quote(left[1]) .. ": a derived name takes no parameters but " .. allowed .. hint
    end

    if leaf == _M.SRCSET_LEAF then
        return nil, 403, leaf .. ": only the API answers this"
    end

    local asked, name
    if leaf then
        asked, status, detail = read_leaf(leaf, rules)
    else
        asked, status, detail = read_query(parameters, left, rules)
    end
    if not asked then
        return nil, status, detail
    end

    name, status, detail = name_of(image, asked, rules)
    if not name then
        return nil, status, detail
    end
    name.signature = signature

    return name
end


-- The name with its undecided format replaced, canonical again. The request did not name this format, so what it
-- cannot do is left out.
function _M.decide(name, format, rules)
    local recipe = merged(name.recipe, {})
    if not contains(rules.operations.mb.needs[1].format, format) then
        recipe.mb = nil
    end

    local status, detail
    recipe, status, detail = canonicalise(recipe, format, rules)
    if not recipe then
        return nil, status, detail
    end

    return { image = name.image, recipe = recipe, format = format, signature = name.signature }
end


-- Where the derived image lies below the derived cache: its name, or a hash where no file system holds that, or where
-- its original is `ending`.
function _M.disk_path(name, rules, crypto, ending)
    local place = ending and paths.ending_path or paths.file_path

    return place(name.image, _M.leaf(name, rules), name.format, crypto)
end


return _M
