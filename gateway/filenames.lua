-- Names of files as clients show them, without characters that hide or reorder others. Twin of filenames.py.

local gsub = string.gsub
local ipairs = ipairs

local _M = {}

-- In UTF-8: U+061C, U+200B to U+200F and U+2028 to U+202E, U+2060 to U+2069, U+FEFF.
local INVISIBLE = { "\216\156", "\226\128[\139-\143\168-\174]", "\226\129[\160-\169]", "\239\187\191" }


-- `text`, valid UTF-8, with `_` for each such character.
function _M.visible(text)
    for _, pattern in ipairs(INVISIBLE) do
        text = gsub(text, pattern, "_")
    end

    return text
end


return _M
