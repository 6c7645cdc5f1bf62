"""Turn an image upright by its EXIF orientation, before all other steps."""

from __future__ import annotations

from PIL.Image import Transpose

from service.engine import geometry
from service.engine.job import Job
from service.engine.libraries import holds
from service.engine.magick import canvas
from service.engine.picture import Picture

TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What shows an image upright, by its orientation (TIFF 6.0, tag 274). Pillow's angles go counter-clockwise."""


def orient(picture: Picture, job: Job) -> None:
    """Turn the frames, and with them the region that counts."""
    orientation = job.header.orientation
    if orientation == 1:
        return
    size = picture.size
    for frame in picture.frames:
        if holds(frame, job):
            canvas.orient(frame.magick(), orientation)
        else:
            frame.put(frame.pillow().transpose(TURNS[orientation]))
    picture.region = geometry.turned(picture.region, size, orientation)
