"""Copy a whole image in its own format: without its metadata, and without encoding its pixels again where possible."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gateway.rules import ANIMATED, DEFAULT_QUALITY
from service.engine import geometry, writers
from service.engine.colour import kept
from service.engine.formats import FORMATS
from service.engine.headers import jxl_boxes, jxl_frames, jxl_metadata, png
from service.engine.headers.source import OpenedFile
from service.engine.job import Job, Result, Undecodable, Unsatisfiable
from service.engine.jpeg import decode
from service.engine.jpeg.turn import turned
from service.engine.provenance.keeping import embedder
from service.engine.strip import strip
from service.engine.tiff import reading
from service.engine.tiff import stripping as tiff

_UNTOUCHING = {"bg", "frame", "keep"}
_ENCODING = _UNTOUCHING | {"w", "h", "fit", "g", "up", "q", "mb", "lossless"}
"""Keys that may change nothing but the encoding: sizes and positions, if the size stays as it is."""


def strip_original(job: Job, reasons: list[str] | None = None) -> Result | None:
    """Copy the original without its metadata to `job.output`, if nothing else is asked; None where that cannot be.

    `reasons` gets why its stripper could not copy it. A JPEG that is stored turned is set upright on the way.
    Raises Undecodable where the file's structure is broken, or a JPEG's data are damaged, unless the job tolerates it.
    """
    if not is_whole(job) or kept("copyright", job):  # a notice that stays is written by the encoders
        return None
    if job.format == "tif" and _may_shrink(job):  # `no_larger` compares both
        return None
    return _stripped(job, reasons=reasons)


def _stripped(job: Job, *, rare: bool = False, reasons: list[str] | None = None) -> Result | None:
    """The copy, whether or not it is the smallest; of a `rare` kind of TIFF only if that is wanted."""
    started = time.perf_counter()
    try:
        turns = job.header.format == "jpg" and job.header.orientation != 1
        done = _turn(job) if turns else _strip(job, rare, reasons)
    except Undecodable:
        if not job.tolerant:
            raise
        done = False
    if not done:
        return None
    if embed := embedder(job):
        path = Path(job.output)
        path.write_bytes(embed(path.read_bytes()))
    header = job.header
    size = geometry.upright((header.width, header.height), header.orientation)
    stages = {"encode": time.perf_counter() - started}
    return Result(job.format, *size, _frames(job), Path(job.output).stat().st_size, stages)


def no_larger(job: Job, result: Result, fitting: Callable[[Job], bytes] | None = None, *, plain: bool = True) -> Result:
    """The result, or the stripped original where that has fewer bytes and nothing but its encoding was to change.

    A picture whose colours do not stay (`colour.stays`) is not `plain`: a profile that is to be applied must not
    remain, so `fitting`, which encodes the picture for another job, takes a lower quality that fits into as many bytes.
    A whole TIFF may stay in its own colours, whatever they are; one that programs show differently does so only where
    what it shows does not fit.
    """
    upright = geometry.upright((job.header.width, job.header.height), job.header.orientation)
    same = (result.width, result.height, result.frames) == (*upright, _frames(job))
    if job.format != job.header.format or not (same and job.recipe.keys() <= _ENCODING) or kept("copyright", job):
        return result
    if job.header.frames > 1 and job.recipe.get("frame", "0") != "0":  # another page than the copy has
        return result
    if job.format == "png" and _hides_image(job):  # the copy would show it again
        return result
    path = Path(job.output)
    made = path.read_bytes()
    asked = replace(job, recipe={key: job.recipe[key] for key in ("keep",) if key in job.recipe})
    copy = _stripped(asked, rare=True)
    copied, most = path.read_bytes(), copy.bytes if copy else _coded(job)[0]
    path.write_bytes(made)
    if not 0 < most < len(made):
        return result
    data = b""
    if copy and (plain or (job.format == "tif" and is_whole(job))):  # whose samples may be of any kind
        data = copied
    if fitting and not (data and _is_stated(job)):
        other = _fitted(job, most, fitting)
        data = other if other and (len(other) <= most or not data) else data
    data = min(data or made, made, key=len)
    path.write_bytes(data)
    return replace(result, bytes=len(data))


def _fitted(job: Job, most: int, fitting: Callable[[Job], bytes]) -> bytes:
    """The result at the highest quality that fits; empty where none does, or the format has no quality.

    A TIFF is packed more densely, whether or not it fits then; one that is coded with loss becomes JPEG where it does
    not, and that does.
    """
    recipe = {key: value for key, value in job.recipe.items() if key != "q"}
    fit = replace(job, recipe={**recipe, "mb": str(most)})
    dense, has_quality = b"", job.format in DEFAULT_QUALITY
    if job.format == "tif":
        dense, has_quality = fitting(replace(job, effort=writers.DENSE)), _coded(job)[1] and _takes_loss(job)
        if len(dense) <= most or not has_quality:
            return dense
        fit = replace(fit, effort=writers.LOSSY)
    if not has_quality or "lossless" in job.recipe:
        return dense
    try:
        return fitting(fit)
    except Unsatisfiable:
        return dense


def _takes_loss(job: Job) -> bool:
    """Whether the picture of a TIFF can be written as JPEG: ImageMagick is not asked for that."""
    size = (job.header.width, job.header.height)
    return job.library == "auto" and writers.takes_loss(size, alpha=job.header.alpha)


def _coded(job: Job) -> tuple[int, bool]:
    """The bytes of the pixels of a TIFF, and whether they are coded with loss; 0 of another format."""
    if job.format != "tif":
        return 0, False
    with OpenedFile(Path(job.source)) as source:
        return tiff.coded(source)


def _is_stated(job: Job) -> bool:
    """Whether the original shows the same in any program."""
    if job.format != "tif":
        return True
    with OpenedFile(Path(job.source)) as source:
        return tiff.is_stated(source)


def _frames(job: Job) -> int:
    """How many frames a copy has: of the pages of a TIFF the first."""
    return job.header.frames if job.format in ANIMATED else 1


def _may_shrink(job: Job) -> bool:
    with OpenedFile(Path(job.source)) as source:
        return tiff.is_plain(source)


def _hides_image(job: Job) -> bool:
    with OpenedFile(Path(job.source)) as source:
        moving = png.animation(source)
    return moving is not None and moving.is_default_hidden


def faithful(job: Job) -> Job:
    """The job as it is to be done where the original cannot be stripped: at high quality, its profile kept."""
    if not is_whole(job):
        return job
    keep = ("icc", *(what for what in ("copyright", "provenance") if kept(what, job)))
    recipe = {**job.recipe, "keep": ":".join(keep)}
    if job.format == "jxl" and _is_exact(job):
        recipe["lossless"] = "1"
    return replace(job, recipe=recipe, keep=keep, quality=FORMATS[job.format].faithful_quality or job.quality)


def _is_exact(job: Job) -> bool:
    """Whether a JPEG XL holds its samples as they are: not as light that is seen, nor as a JPEG's coefficients."""
    with OpenedFile(Path(job.source)) as source:
        stream = jxl_boxes.codestream(source)
        if jxl_metadata.metadata(stream).xyb:
            return False
        try:
            return jxl_frames.first(stream, jxl_metadata.metadata(stream, to_frames=True)).modular
        except Undecodable:  # a profile too long to be passed over: as if it were
            return True


def _strip(job: Job, rare: bool, reasons: list[str] | None) -> bool:
    if job.header.format == "tif" and not _is_copied(job, rare):
        return False
    if job.header.format == "jpg" and not job.tolerant:
        decode.examine(Path(job.source), (job.header.width, job.header.height))
    return strip(Path(job.source), Path(job.output), job.header, reasons=reasons)


def _is_copied(job: Job, rare: bool) -> bool:
    """Whether a TIFF is of a kind that other programs show right: of any other a copy may be shown as wrong as the
    original is, and is taken only where it is smaller."""
    if rare:
        return True
    with OpenedFile(Path(job.source)) as source:
        return job.header.orientation == 1 and tiff.is_common(source) and not reading.needs(source, 0)


def _turn(job: Job) -> bool:
    data = turned(Path(job.source), job.header)
    if data is None:
        return False
    Path(job.output).write_bytes(data)
    return True


def is_whole(job: Job) -> bool:
    """Whether nothing is asked that touches a pixel: not the frame of an image that has but one, nor a background."""
    return job.format == job.header.format and touches_nothing(job)


def touches_nothing(job: Job) -> bool:
    """The same, whatever the format of the result."""
    still = job.header.frames == 1 or "frame" not in job.recipe
    return job.recipe.keys() <= _UNTOUCHING and still
