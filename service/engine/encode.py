"""Frames of pixels to the bytes of a file: the writers by format, and the quality they are given."""

from __future__ import annotations

from gateway.holding import longest_side
from service.engine import quality, writers
from service.engine.colour import kept
from service.engine.job import Job, Unsatisfiable
from service.engine.notice import copyright_block
from service.engine.picture import Picture
from service.engine.writers import Settings

_COLOURED = {"L": "RGB", "LA": "RGBA"}


def encode(picture: Picture, job: Job) -> bytes:
    """The finished picture in the job's format. The same picture and job always give the same bytes.

    Raises Unsatisfiable when the format holds no side so long, or `mb` is less than the lowest quality takes.
    """
    most = longest_side(job.format)
    if max(picture.size) > most:
        width, height = picture.size
        raise Unsatisfiable(f"{job.format} holds at most {most:.0f} pixels a side; the result has {width}x{height}")
    recipe, icc = job.recipe, picture.details.icc
    if icc and icc[16:20] == b"RGB ":  # which a picture made gray in between would not suit
        picture.each_pillow(lambda image: image.convert(_COLOURED.get(image.mode, image.mode)))
    keeps = copyright_block(job, picture.details) if kept("copyright", job) else None

    def write(value: int) -> bytes:
        return writers.WRITERS[job.format](picture, Settings(value, "lossless" in recipe, icc, keeps))

    if "mb" in recipe:
        return quality.fitting(write, int(recipe["mb"]))
    asked = recipe.get("q", str(job.quality))
    if asked != "auto":
        return write(int(asked))
    return quality.seeming(write, picture.frames[0].pillow()) if job.format in quality.LOSSY else write(job.quality)
