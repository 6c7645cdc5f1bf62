"""Encode frames: choose the writer of the format and the quality."""

from __future__ import annotations

from gateway.holding import longest_side
from gateway.rules import DEFAULT_EFFORT, DEFAULT_QUALITY
from service.engine import quality, timing, writers
from service.engine.colour import kept
from service.engine.formats import FORMATS, functions
from service.engine.job import Job, Unsatisfiable
from service.engine.magick.writing import Settings
from service.engine.notice import copyright_block
from service.engine.picture import Picture
from service.engine.provenance.keeping import embedder


def encode(picture: Picture, job: Job) -> bytes:
    """The finished picture in the job's format. The same picture and job always give the same bytes.

    Raises Unsatisfiable when a side is too long for the format, or `mb` is less than the lowest quality takes.
    """
    most = longest_side(job.format)
    if max(picture.size) > most:
        width, height = picture.size
        raise Unsatisfiable(f"{job.format} holds at most {most:.0f} pixels a side; the result has {width}x{height}")
    timing.fit(picture, job.format)
    recipe, icc = job.recipe, picture.details.icc
    if icc and icc[16:20] == b"RGB ":  # an RGB profile does not suit a picture that a step has made gray
        for frame in picture.frames:
            frame.colour()
    keeps = copyright_block(job, picture.details) if kept("copyright", job) else None

    direct = job.library == "imagemagick"
    effort, embed = effort_of(job), embedder(job)

    def write(value: int) -> bytes:
        settings = Settings(value, "lossless" in recipe, icc, keeps, direct, effort)
        data = writers.writer(picture, settings, job)(picture, settings)
        return embed(data) if embed else data

    if "mb" in recipe:
        return quality.fitting(write, int(recipe["mb"]))
    asked = recipe.get("q", str(job.quality))
    if asked != "auto":
        return write(int(asked))
    if job.format not in DEFAULT_QUALITY:
        return write(job.quality)
    show, margin = _SHOWN.get(job.format, quality.opened), FORMATS[job.format].decoders_differ
    return quality.seeming(write, picture.frames, show, margin)


def effort_of(job: Job) -> int:
    """How much work the encoder spends, as `formats.effort` counts it; 0 for a format without a choice."""
    return DEFAULT_EFFORT.get(job.format, 0) if job.effort is None else job.effort


_SHOWN: dict[str, quality.Show] = functions(lambda row: row.judged)
"""What decodes a result to be judged, by format, where Pillow does not."""
