-- Compute the paths of derived files below a root. Twin of paths.py.

local text_of = require("gateway.text")

local ipairs = ipairs
local split = text_of.split

local _M = {}

local LONGEST_SEGMENT = 255 -- bytes, NAME_MAX of every file system in use
local MARKER = "@base"
local SMALLER = "@smaller"


-- The folder for what of an image cannot lie under its own name.
local function hashed_folder(image, crypto)
    return "@/" .. crypto.sha256_hex(image)
end


-- The folder that holds what was derived of an image, and whether it is the image's own name.
local function folder_path(image, crypto)
    for _, segment in ipairs(split(image, "/")) do
        if #segment > LONGEST_SEGMENT then
            return hashed_folder(image, crypto), false
        end
    end

    return image, true
end


-- The path of a leaf of an image: `image/leaf`, or its hash where a segment is longer than 255 bytes.
function _M.file_path(image, leaf, extension, crypto)
    local folder, held = folder_path(image, crypto)
    if held and #leaf <= LONGEST_SEGMENT then
        return folder .. "/" .. leaf
    end

    return hashed_folder(image, crypto) .. "/" .. crypto.sha256_hex(image .. "/" .. leaf) .. "." .. extension
end


-- The path of a leaf of an image whose original has an end: a hash, so no request is its path as it stands.
function _M.ending_path(image, leaf, extension, crypto)
    return hashed_folder(image, crypto) .. "/" .. crypto.sha256_hex(image .. "/" .. leaf) .. ".ending." .. extension
end


-- The marker of an image (see marker.lua), in the folder of what was derived of it.
function _M.marker_path(image, crypto)
    return folder_path(image, crypto) .. "/" .. MARKER
end


-- The file beside the marker that notes which formats do not pay for the whole image (see marker.lua).
function _M.smaller_path(image, crypto)
    return folder_path(image, crypto) .. "/" .. SMALLER
end


return _M
