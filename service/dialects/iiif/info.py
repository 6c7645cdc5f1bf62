"""info.json of an image, in versions 3 and 2 of the Image API (section 5), and what it lists: sizes and tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.holding import Shape
from service.dialects.iiif.region import Region
from service.dialects.iiif.size import Most, Pixels

CONTEXTS = {2: "http://iiif.io/api/image/2/context.json", 3: "http://iiif.io/api/image/3/context.json"}
PROTOCOL = "http://iiif.io/api/image"

_LEVEL_2_FORMATS = ("jpg", "png")
_QUALITIES = ("color", "gray", "bitonal")
_BEYOND_LEVEL_0 = ["baseUriRedirect", "cors", "jsonldMediaType", "rotationBy90s"]
_BEYOND_LEVEL_2 = ["canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary"]
_SUPPORTED_BY_2 = [
    *("baseUriRedirect", "canonicalLinkHeader", "cors", "jsonldMediaType", "mirroring", "profileLinkHeader"),
    *("regionByPct", "regionByPx", "regionSquare", "rotationArbitrary", "rotationBy90s"),
    *("sizeAboveFull", "sizeByConfinedWh", "sizeByDistortedWh", "sizeByH", "sizeByPct", "sizeByW", "sizeByWh"),
]


def level(*, refuses: bool) -> int:
    """The compliance level: only sizes and tiles that are listed are level 0."""
    return 0 if refuses else 2


def profile(version: int, *, refuses: bool) -> str:
    """The URI of the compliance level."""
    return f"{PROTOCOL}/{version}/level{level(refuses=refuses)}.json"


def scale_factors(shape: Shape, tile: int) -> list[int]:
    """1, 2, 4 and so on, up to the one at which the image fits into one tile."""
    factors = [1]
    while max(shape.width, shape.height) > tile * factors[-1]:
        factors.append(2 * factors[-1])
    return factors


def reduced(width: int, height: int, factor: int) -> Pixels:
    """A size divided by a scale factor, rounded up, as viewers compute it."""
    return -(-width // factor), -(-height // factor)


def sizes(shape: Shape, tile: int, most: Most) -> list[Pixels]:
    """The sizes of the whole image, the smallest first."""
    found = [reduced(shape.width, shape.height, factor) for factor in reversed(scale_factors(shape, tile))]
    return [size for size in found if most.takes(size)] or [most.fill((shape.width, shape.height))]


def lists(region: Region, size: Pixels, shape: Shape, tile: int, most: Most) -> bool:
    """Whether info.json names this: a size of the whole image, its largest, or a tile."""
    if region.covers(shape):
        whole = shape.width, shape.height
        largest = whole if most.takes(whole) else most.fill(whole)
        return size == largest or size in sizes(shape, tile, most)
    return any(
        region == _tile_at(region, factor * tile, shape) and size == reduced(region.width, region.height, factor)
        for factor in scale_factors(shape, tile)
    )


def _tile_at(region: Region, side: int, shape: Shape) -> Region:
    """The tile of the grid in which the region begins."""
    x, y = region.x // side * side, region.y // side * side
    return Region(x, y, min(side, shape.width - x), min(side, shape.height - y))


def document(
    version: int, uri: str, shape: Shape, tile: int, most: Most, formats: Sequence[str], rights: str, *, refuses: bool
) -> dict[str, Any]:
    """info.json of the image at `uri`, the base URI; `formats` can be written here."""
    bounds = {"maxWidth": most.width, "maxHeight": most.height}
    if most.area < most.width * most.height:
        bounds["maxArea"] = most.area
    listed = {
        "sizes": [{"width": width, "height": height} for width, height in sizes(shape, tile, most)],
        "tiles": [{"width": tile, "height": tile, "scaleFactors": scale_factors(shape, tile)}],
    }
    common = {"protocol": PROTOCOL, "width": shape.width, "height": shape.height}
    if version == 2:
        supports = [] if refuses else _SUPPORTED_BY_2
        more = {"formats": list(formats), "qualities": ["default", *_QUALITIES], "supports": supports, **bounds}
        about = {"@context": CONTEXTS[2], "@id": uri, **common, **listed}
        return {**about, "profile": [profile(2, refuses=refuses), more], **({"license": rights} if rights else {})}
    known = _LEVEL_2_FORMATS[:1] if refuses else _LEVEL_2_FORMATS
    features = [*_BEYOND_LEVEL_0, *_BEYOND_LEVEL_2] if refuses else [*_BEYOND_LEVEL_2, "sizeUpscaling"]
    return {
        **{"@context": CONTEXTS[3], "id": uri, "type": "ImageService3", **common},
        **{"profile": f"level{level(refuses=refuses)}", **bounds, **listed},
        **({"rights": rights} if rights else {}),
        "extraQualities": list(_QUALITIES),
        "extraFormats": [format for format in formats if format not in known],
        "extraFeatures": sorted(features),
    }
