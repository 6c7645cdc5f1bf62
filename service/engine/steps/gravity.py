"""The point of an image that `g` keeps in view: for `cover`, `pad`, and a crop by its size."""

from __future__ import annotations

from service.engine.job import Job
from service.engine.picture import Picture
from service.engine.steps.smart import Share, attention

GRAVITY = {
    "n": (0.5, 0.0),
    "ne": (1.0, 0.0),
    "e": (1.0, 0.5),
    "se": (1.0, 1.0),
    "s": (0.5, 1.0),
    "sw": (0.0, 1.0),
    "w": (0.0, 0.5),
    "nw": (0.0, 0.0),
}


def focus(recipe: dict[str, str]) -> tuple[float, float]:
    """The point of `g`, as parts of width and height; the centre where there is none."""
    g = recipe.get("g", "")
    if ":" in g:
        x, y = g.split(":")
        return float(x), float(y)
    return GRAVITY.get(g, (0.5, 0.5))


def point(
    picture: Picture, job: Job, box: tuple[int | None, int | None], share: Share | None = None
) -> tuple[float, float]:
    """The point of `g` in the picture's region, of which the largest part in the shape of `box` is kept, or `share`."""
    if job.recipe.get("g") == "smart":
        return attention(picture.frames[0], picture.region, box, share)
    return focus(job.recipe)
