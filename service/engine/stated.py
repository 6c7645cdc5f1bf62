"""Apply the colour that a file states without an ICC profile, in the same way for every format and decoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from service.engine import deep, pixels, srgb, tone_mapping
from service.engine.built_profile import built
from service.engine.colorimetry import Curve, Statement, by_numbers
from service.engine.formats import functions
from service.engine.headers import colr, png_colour
from service.engine.headers import png as headers
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, Undecodable
from service.engine.picture import Details, Frame


def heeded(frames: list[Frame], details: Details, path: Path, header: Header) -> Details:
    """Return the details with what the file states: a profile built of it, or that it is of high dynamic range.

    In the second case the frames become pixels of `tone_mapping.shaper`. What cannot be expressed counts as not said.
    """
    heed = _HEEDED.get(header.format)
    return heed(frames, details, path) if heed else details


def described(details: Details, statement: Statement | None, frames: list[Frame]) -> Details:
    """Return the details with a statement, and make its frames what `heeded` says; None says nothing."""
    if statement is None:
        return details
    if isinstance(statement.transfer, Curve):
        return replace(details, icc=profile(statement, gray=frames[0].gray), plain=is_plain(statement))
    for frame in frames:
        _shape(frame, statement)
    return replace(details, icc=None, hdr=statement, plain=False)


def avif(frames: list[Frame], details: Details, path: Path) -> Details:
    """An ICC profile outranks the primaries and the transfer function of `nclx` (ISO/IEC 23000-22, 7.3.6.4)."""
    if details.depth > 8 and not frames[0].deep:  # heeded while all bits were there
        return details
    with OpenedFile(path) as source:
        said = colr.colour(source)
    details = replace(details, depth=said.depth or details.depth)
    if said.coded is None or said.profile:
        return details
    return described(details, by_numbers(said.coded.primaries, said.coded.transfer), frames)


def png(frames: list[Frame], details: Details, path: Path) -> Details:
    """The profile, too, is the file's own: ImageMagick leaves out one that stands beside an sRGB chunk. So is EXIF:
    Pillow does not see it behind pixels that another library decodes."""
    with OpenedFile(path) as source:
        said = png_colour.stated(source)
        details = replace(
            details, icc=details.icc or png_colour.profile(source), exif=details.exif or _described(source)
        )
    counts = said is not None and (said.outranks or not details.icc)
    return described(details, said.statement if said and counts else None, frames)


def _described(source: OpenedFile) -> bytes | None:
    try:
        return headers.described(source)
    except Undecodable:  # a tolerant job takes what is cut
        return None


def is_plain(statement: Statement) -> bool:
    """Return whether a statement is sRGB's, but for rounding, or cannot be expressed."""
    if not isinstance(statement.transfer, Curve):
        return False
    icc = profile(statement, gray=False)
    return icc is None or srgb.is_srgb(icc)


def profile(statement: Statement, *, gray: bool) -> bytes | None:
    """Return the profile of a statement; None for sRGB, and where no profile can hold it."""
    try:
        return None if statement == Statement() else built(statement, gray=gray)
    except ValueError:
        return None


def _shape(frame: Frame, statement: Statement) -> None:
    most = 65535 if frame.deep else 255
    assert not isinstance(statement.transfer, Curve)
    codes = tone_mapping.shaper(statement.transfer, most, offset=statement.offset, scale=statement.scale)
    if frame.deep:
        mode, data = pixels.exported_deep(frame.magick())
        tables = [deep.rounded(most) if band == "A" else codes for band in mode]
        frame.put(deep.eight_bits(data, frame.size, mode, tables))
        return
    image = frame.pillow()
    frame.put(image.point(b"".join(bytes(range(256)) if band == "A" else codes for band in image.getbands())))


_HEEDED: dict[str, Callable[[list[Frame], Details, Path], Details]] = functions(lambda row: row.stated)
"""By format; what a HEIC states, its own reader heeds while all bits are there."""
