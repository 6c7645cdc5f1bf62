-- Find the formats that can hold a result: its animation and its longest side. Twin of holding.py, which has the
-- bounds of the formats.

local floor = math.floor
local huge = math.huge
local ipairs = ipairs
local max = math.max
local min = math.min
local next = next
local tonumber = tonumber

local _M = {}

-- Bytes of an engine process that its libraries, the original and the result take, of an original of any size.
local MOST = 192 * 1024 * 1024
-- Where fewer are enough: bytes of the libraries alone, and for each pixel; and the share that may be in pieces.
local LIBRARIES, PIXEL, SHARE = 32 * 1024 * 1024, 20, 3 / 8


-- The most pixels that width and height of the result may have, in either order. `shape` has the image's width, height
-- and frames.
local function largest(recipe, shape, rules)
    local width, height = shape.width, shape.height
    local w, h = tonumber(recipe.w or 0), tonumber(recipe.h or 0)
    if w > 0 and h > 0 and recipe.fit ~= "outside" then
        local grows = recipe.up or recipe.fit == "pad"
        width, height = grows and w or min(w, width), grows and h or min(h, height)
    elseif (w > 0 or h > 0) and (recipe.crop or recipe.trim) then
        if recipe.up then
            width, height = max(width, rules.limits.width), max(height, rules.limits.height)
        end
    elseif w > 0 or h > 0 then
        local scale = max(w / width, h / height)
        if not recipe.up then
            scale = min(scale, 1)
        end
        width, height = max(1, floor(width * scale + 0.5)), max(1, floor(height * scale + 0.5))
    end
    if tonumber(recipe.rot or 0) % 90 ~= 0 then
        local sum = width + height
        return sum, sum
    end

    return width, height
end


-- The most pixels, of all frames together, that an animation in a format may have; 0 where it holds none.
local function most_moving(row, time)
    if not row.animated then
        return 0
    end

    return row.frame_budget and row.frame_budget * time or huge
end


local function may_move(row, pixels, time)
    return row.negotiated_moving ~= false and pixels <= most_moving(row, time)
end


-- Bytes that a process takes beside the encoder, of an original and a result of up to so many pixels.
local function beside(pixels, memory)
    return min(MOST, max(LIBRARIES + PIXEL * pixels, SHARE * memory))
end


-- Whether so many bytes are enough to encode so many pixels.
local function has_room(row, pixels, room)
    return not row.pixel_memory or row.pixel_memory * pixels <= room
end


-- The formats that `auto` may become for this recipe of this image, the preferred first: of the rules' `negotiate`,
-- which it is where all of them may.
function _M.fitting(recipe, shape, rules)
    local moves = shape.frames > 1 and not recipe.frame
    local is_measured = next(recipe) ~= nil and not recipe.crop and not recipe.trim
    local width, height = largest(recipe, shape, rules)
    local room = rules.memory - beside(max(shape.width * shape.height * shape.frames, width * height), rules.memory)
    local side = max(width, height)
    local pixels = side * side * shape.frames
    local found = {}
    for _, one in ipairs(rules.negotiate) do
        local row = rules.formats[one.format]
        if side <= (row.longest or side) and (not moves or may_move(row, pixels, rules.time))
            and (not is_measured or has_room(row, width * height, room)) then
            found[#found + 1] = one
        end
    end

    return #found == #rules.negotiate and rules.negotiate or found
end


return _M
