"""`bitonal`: every pixel becomes black or white, whichever its lightness is nearer to.

The threshold is the same everywhere, so the tiles of an image fit together, and each pixel follows from itself alone.
"""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine.job import Job
from service.engine.picture import Picture
from service.engine.steps.tone import LUMA

_BLACK_OR_WHITE = [0] * 128 + [255] * 128


def bitonal(picture: Picture, job: Job) -> None:
    """Make the picture black and white; transparency stays as it is."""
    if "bitonal" in job.recipe:
        picture.each_pillow(_black_or_white)


def _black_or_white(image: Pillow.Image) -> Pillow.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    opaque = image.convert(image.mode[:-1]) if alpha else image
    gray = opaque if opaque.mode == "L" else opaque.convert("L", LUMA)
    made = gray.point(_BLACK_OR_WHITE)
    if alpha:
        made.putalpha(alpha)
    return made
