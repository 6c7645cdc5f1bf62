-- What Lua's strings lack of Python's: split, partition, a strict check of UTF-8; and quoting for errors.

local byte = string.byte
local find = string.find
local gsub = string.gsub
local ipairs = ipairs
local sub = string.sub

local _M = {}

local LONGEST_QUOTE = 40 -- bytes


-- Unicode, table 3-7: a first byte from, to; how many bytes follow; the second byte from, to. Any that follow the
-- second are 0x80 to 0xBF. So overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
local SEQUENCES = {
    { 0xC2, 0xDF, 1, 0x80, 0xBF },
    { 0xE0, 0xE0, 2, 0xA0, 0xBF },
    { 0xE1, 0xEC, 2, 0x80, 0xBF },
    { 0xED, 0xED, 2, 0x80, 0x9F },
    { 0xEE, 0xEF, 2, 0x80, 0xBF },
    { 0xF0, 0xF0, 3, 0x90, 0xBF },
    { 0xF1, 0xF3, 3, 0x80, 0xBF },
    { 0xF4, 0xF4, 3, 0x80, 0x8F },
}

local sequence_of = {}
for _, sequence in ipairs(SEQUENCES) do
    for first = sequence[1], sequence[2] do
        sequence_of[first] = sequence
    end
end


-- The bytes of the sequence that begins at `start`, a byte above 0x7F; nil where it is broken.
local function sequence_size(text, start)
    local sequence = sequence_of[byte(text, start)]
    if not sequence then
        return nil
    end

    local low, high = sequence[4], sequence[5]
    for place = start + 1, start + sequence[3] do
        local following = byte(text, place)
        if not following or following < low or following > high then
            return nil
        end
        low, high = 0x80, 0xBF
    end

    return sequence[3] + 1
end


-- Whether Python's strict decoder takes these bytes as UTF-8.
function _M.is_utf8(text)
    local start = find(text, "[\128-\255]")
    while start do
        local size = sequence_size(text, start)
        if not size then
            return false
        end
        start = find(text, "[\128-\255]", start + size)
    end

    return true
end


-- The parts of `text` between the separators, which is one plain character: one part more than there are separators.
function _M.split(text, separator)
    local parts, start = {}, 1
    while true do
        local place = find(text, separator, start, true)
        if not place then
            parts[#parts + 1] = sub(text, start)
            return parts
        end
        parts[#parts + 1] = sub(text, start, place - 1)
        start = place + 1
    end
end


-- What is before and after the first separator. Without one: the whole text, and nil.
function _M.partition(text, separator)
    local place = find(text, separator, 1, true)
    if not place then
        return text, nil
    end

    return sub(text, 1, place - 1), sub(text, place + 1)
end


-- `text` without those of `characters` that it ends in. (A pattern would take quadratic time for some texts.)
function _M.trim_end(text, characters)
    local last = #text
    while last > 0 and find(characters, sub(text, last, last), 1, true) do
        last = last - 1
    end

    return sub(text, 1, last)
end


-- `text` cut and cleaned for an error: at most 40 bytes, each that is not printable ASCII a question mark.
function _M.quote(text)
    local cleaned = gsub(sub(text, 1, LONGEST_QUOTE), "[^ -~]", "?")

    return cleaned .. (#text > LONGEST_QUOTE and "..." or "")
end


-- Whether a list holds a word.
function _M.contains(list, word)
    for _, one in ipairs(list) do
        if one == word then
            return true
        end
    end

    return false
end


return _M
