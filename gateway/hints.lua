-- Guess the known word that an unknown one most likely means, for error messages. Twin of hints.py.

local text_of = require("gateway.text")

local abs = math.abs
local byte = string.byte
local contains = text_of.contains
local find = string.find
local floor = math.floor
local ipairs = ipairs
local lower = string.lower
local min = math.min

local _M = {}

local LONGEST_HINTED = 24 -- bytes of a word; a longer one is no slip of the finger, and comparing it would take time


-- The optimal string alignment distance: edits and swaps of neighbours, each letter in at most one of them.
local function slips(one, other)
    local last, before
    local row = {}
    for column = 0, #other do
        row[column] = column
    end

    for place = 1, #one do
        last, before, row = before, row, { [0] = place }
        local letter, previous = byte(one, place), byte(one, place - 1)
        for column = 1, #other do
            local wanted = byte(other, column)
            local change = letter == wanted and 0 or 1
            local cost = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + change)
            if place > 1 and column > 1 and letter == byte(other, column - 1) and previous == wanted then
                cost = min(cost, last[column - 2] + 1)
            end
            row[column] = cost
        end
    end

    return row[#other]
end


-- The known word that differs from `word` by one slip in three letters and by two at most, the first of several; nil
-- where there is none.
--
-- A slip is a letter too many, too few, wrong, or swapped with its neighbour; case does not count. `meant` maps words
-- of other image services to words of this one, and has priority.
function _M.nearest(word, known, meant)
    if #word > LONGEST_HINTED or find(word, "[\128-\255]") then
        return nil
    end

    local text = lower(word)
    local translated = meant and meant[text]
    if translated and contains(known, translated) then
        return translated
    end

    local best, least = nil, min(2, floor(#text / 3)) + 1
    for _, one in ipairs(known) do
        if abs(#one - #text) < least then
            local count = slips(text, lower(one))
            if count < least then
                best, least = one, count
            end
        end
    end

    return best
end


-- `; did you mean webp?`, or nothing where no known word is close.
function _M.did_you_mean(word, known, meant)
    local found = _M.nearest(word, known, meant)

    return found and "; did you mean " .. found .. "?" or ""
end


return _M
