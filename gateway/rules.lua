-- What both sides need to know to read a request: the vocabulary, joined with what one configuration says.
-- Twin of rules.py, whose document() is what is loaded here.

local char = string.char
local gsub = string.gsub
local ipairs = ipairs
local pairs = pairs
local tonumber = tonumber

local _M = {}


local function bytes_of(hex)
    return (gsub(hex, "%x%x", function(pair)
        return char(tonumber(pair, 16))
    end))
end


-- What media_types.lua must know of a format: media type, brands as a set, signatures as lists of { first, text }.
local function kind_of(row)
    local kind = { type = row.type, brands = {}, signatures = {} }
    for _, brand in ipairs(row.brands or {}) do
        kind.brands[brand] = true
    end
    for place, signature in ipairs(row.signatures or {}) do
        local pieces = {}
        for offset, hex in pairs(signature) do
            pieces[#pieces + 1] = { first = tonumber(offset) + 1, text = bytes_of(hex) }
        end
        kind.signatures[place] = pieces
    end

    return kind
end


local function append(list, words)
    for _, word in ipairs(words) do
        list[#list + 1] = word
    end
end


-- The rules of a decoded document. Beside what the document holds:
-- operations  the rows of the vocabulary by key, and `order`, their keys in canonical order
-- aliases     every word that names an operation, to its key
-- words       the same words as a list, keys first; `query_words` has the other parameters of a query too
-- kinds       what media_types.lua must know of each format of originals
-- format_aliases  other words of formats, to the format
-- extensions  the extensions of names that tell a format
-- format_words  the formats that may be asked for, decided or not
-- negotiate   the formats that `auto` may become, each with its media type, the preferred first
-- recipes_of_presets  what presets.lua remembers: the presets' canonical recipes by format
-- times_of_presets    what freshness.lua remembers: seconds by the presets' canonical recipes, by format
function _M.load(document)
    local vocabulary = document.vocabulary
    local rules = {
        limits = document.limits,
        quality = document.quality,
        out = document.out,
        default_format = document.default_format,
        keep = document.keep,
        presets = document.presets,
        access = document.access,
        keys = document.keys,
        metadata = document.metadata,
        max_age = document.max_age,
        preset_max_age = document.preset_max_age,
        ignored_query = document.ignored_query,
        time = document.time,
        memory = document.memory,
        shared_caches = document.shared_caches,
        ladder = document.ladder,
        snap = document.snap,
        overlays = document.overlays,
        required = document.required,
        undecided = vocabulary.undecided,
        formats = vocabulary.formats,
        kinds = {},
        format_aliases = {},
        meant = vocabulary.meant,
        request_parameters = vocabulary.request_parameters,
        naming_parameters = vocabulary.naming_parameters,
        api_parameters = vocabulary.api_parameters,
        operations = {},
        order = {},
        aliases = {},
        words = {},
        query_words = {},
        extensions = { json = true },
        format_words = {},
        negotiate = {},
        recipes_of_presets = {},
        times_of_presets = {},
    }

    for place, row in ipairs(vocabulary.operations) do
        rules.operations[row.key] = row
        rules.order[place] = row.key
        rules.aliases[row.key] = row.key
        for _, alias in ipairs(row.aliases or {}) do
            rules.aliases[alias] = row.key
        end
    end
    append(rules.words, rules.order)
    for _, row in ipairs(vocabulary.operations) do
        append(rules.words, row.aliases or {})
    end
    for word, row in pairs(vocabulary.formats) do
        for _, alias in ipairs(row.aliases or {}) do
            rules.format_aliases[alias] = word
            rules.extensions[alias] = true
        end
    end
    for place, word in ipairs(document.originals) do
        rules.extensions[word] = true
        rules.kinds[place] = kind_of(vocabulary.formats[word] or vocabulary.only_originals[word])
    end
    append(rules.format_words, rules.out)
    append(rules.format_words, rules.undecided)
    append(rules.query_words, rules.words)
    append(rules.query_words, vocabulary.naming_parameters)
    append(rules.query_words, vocabulary.request_parameters)

    for place, format in ipairs(document.negotiate) do
        rules.negotiate[place] = { format = format, type = vocabulary.formats[format].type }
    end

    return rules
end


return _M
