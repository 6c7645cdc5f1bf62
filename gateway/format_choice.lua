-- Resolve `auto` and `source` to formats for one image and one client. Twin of format_choice.py.

local holding = require("gateway.holding")
local negotiate = require("gateway.negotiate")

local next = next

local _M = {}


-- The formats that `auto` may become for the name; remembered in the name for as long as the marker is the same table.
local function fitting(name, marker, rules)
    if name.fitting_of ~= marker then
        name.fitting_of, name.fitting = marker, holding.fitting(name.recipe, marker, rules)
    end

    return name.fitting
end


-- The formats of an undecided name for a client with this Accept header, a list with the preferred first. Two formats
-- mean that the one with fewer bytes is the answer.
--
-- `smaller(marker, chosen)` gives which of the two that is, nil if it is not noted; `bucket` is negotiate.bucket, or a
-- function that remembers what that gives.
function _M.candidates(name, marker, accept, rules, smaller, bucket)
    if name.format == "source" then
        return { marker.source }
    end

    local chosen = bucket(accept, fitting(name, marker, rules))
    if chosen == negotiate.BASE then
        chosen = marker.base
    end
    local is_whole = next(name.recipe) == nil
    if not is_whole or chosen == marker.source then
        return { chosen }
    end

    local known = smaller(marker, chosen)
    if known and (known == chosen or known == marker.source) then
        return { known }
    end

    return { chosen, marker.source }
end


return _M
