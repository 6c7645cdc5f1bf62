"""Pillow's encoders: one writer per format, and who writes what.

Frames come as 8-bit gray or RGB pixels, with straight alpha where the format holds it, so no encoder sees metadata.
Timings are of one 640x522 photograph.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from service.engine import libraries, palette, timing
from service.engine.avif import sequence, writing
from service.engine.bmp import writing as bmp_writing
from service.engine.formats import functions
from service.engine.geometry import Size
from service.engine.job import Job
from service.engine.magick.writing import WRITERS as magick
from service.engine.magick.writing import Settings
from service.engine.picture import Frame, Picture
from service.engine.png import writing as still_png
from service.engine.quality import FULL_CHROMA
from service.engine.webp import encoding

PREDICTOR, _NONE, _HORIZONTAL = 317, 1, 2
"""TIFF 6.0, section 14: samples are stored as differences to their left neighbours."""

DENSE, LOSSY = 1, 2
"""The effort of a TIFF that is to have fewer bytes than another."""

_LONGEST_JPEG = 65_500  # pixels of a side, libjpeg's JPEG_MAX_DIMENSION

UNSTATED_DELAY = 100
"""Milliseconds that browsers show a frame whose delay is 0, which AVIF cannot say."""

_KEY_FRAMES = {"kmin": 8, "kmax": 9}
"""Frames between key frames of an animation with loss. Each of those from `kmin` on is coded twice, as a key frame and
as what changes: 40 frames of 320x240 pixels take 211 ms in place of 258 with Pillow's 3 and 5, for 2 % more bytes."""

Writer = Callable[[Picture, Settings], bytes]


def jpeg(picture: Picture, settings: Settings) -> bytes:
    """Optimised tables; progressive with effort 1. Full chroma from quality 90 on."""
    chroma = "4:2:0" if settings.quality < FULL_CHROMA else "4:4:4"
    progressive = settings.effort > 0
    return _pillow(
        picture, "JPEG", settings, quality=settings.quality, subsampling=chroma, progressive=progressive, optimize=True
    )


def png(picture: Picture, settings: Settings) -> bytes:
    """By Pillow what carries a notice, and animations: of an APNG it writes what changes from frame to frame."""
    frames = picture.frames
    if len(frames) == 1 and not settings.exif:
        return still_png.png(frames[0].pillow(), settings.icc, settings.effort)
    _of_one_mode(frames)
    moving = {
        **_moving(picture),
        "duration": [timing.as_fraction(frame.delay) for frame in frames],
        "disposal": 0,
        "blend": 0,
    }
    return _pillow(picture, "PNG", settings, compress_level=4, **(moving if len(frames) > 1 else {}))


def webp(picture: Picture, settings: Settings) -> bytes:
    """Effort is the method. 4, which is the library's own default, takes 11 ms more than 2, for 5 % fewer bytes at the
    same SSIMULACRA2; 3 is as slow as 4, and 5 takes 2 ms more for another 2 %.

    A still image with loss is written by libwebp itself, which leaves more detail in the same bytes. Pillow writes
    what carries a profile or a notice, and animations, whose delays it keeps to the millisecond. Without loss, quality
    is an effort.
    """
    moves = len(picture.frames) > 1
    if not (moves or settings.lossless or settings.icc or settings.exif):
        made = encoding.write_pixels(picture.frames[0].pillow(), settings.quality, settings.effort)
        if made:
            return made
    moving = _moving(picture) | ({} if settings.lossless else _KEY_FRAMES) if moves else {}
    return _pillow(
        picture,
        "WEBP",
        settings,
        method=settings.effort,
        lossless=settings.lossless,
        quality=75 if settings.lossless else settings.quality,
        **moving,
    )


def avif(picture: Picture, settings: Settings) -> bytes:
    """Effort 0 is speed 9 of libavif, with one thread; 10 makes the same. At effort 1, speed 8, small blocks have fewer
    choices (`avif/writing.py`). That is 1.8 to 2.5 times the time of speed 9, for 5 % fewer bytes at the same
    SSIMULACRA2, of transparent pictures 40 %. Tiles would help more threads, for 1 %.

    Of an animation a picture is coded by what changes: 5 ms each for 320x240 pixels, as WebP, at a fifth of its bytes.
    It is written at the next higher speed: so many pictures have less time each.
    Lossless is so in luma and chroma, for Pillow does not offer the identity matrix: RGB is off by 3 of 255 at most.
    """
    quality, chroma = (100, "4:4:4") if settings.lossless else (settings.quality, "4:2:0")
    options: dict[str, Any] = {"autotiling": False, "max_threads": 1}
    moves = len(picture.frames) > 1
    if moves:
        options["speed"] = writing.moving_speed(settings.effort)
        _of_one_mode(picture.frames)
        options |= _moving(picture)
        options["duration"] = [delay or UNSTATED_DELAY for delay in options["duration"]]
    else:
        advice = writing.advice(settings.effort, quality)
        options |= {"speed": writing.speed(settings.effort), "advanced": dict(advice)}
    data = _pillow(picture, "AVIF", settings, quality=quality, subsampling=chroma, **options)
    return sequence.settled(data, picture.details.plays) if moves else data


def tiff(picture: Picture, settings: Settings) -> bytes:
    """LZW of differences between neighbours, which halves the bytes of a photograph, in one strip. Few colours are
    stored with a palette where that is smaller.

    With the effort DENSE, the smaller Deflate, of differences or of samples; with LOSSY, JPEG of the quality, see
    `takes_loss`.
    """
    width, height = picture.size
    whole = {"strip_size": 4 * width * height}
    if settings.effort == LOSSY and takes_loss(picture.size, alpha=picture.frames[0].alpha):
        return _pillow(picture, "TIFF", settings, compression="jpeg", quality=settings.quality, **whole)
    if not settings.effort:
        options = {"compression": "tiff_lzw", **whole}
        made = _pillow(picture, "TIFF", settings, tiffinfo={PREDICTOR: _HORIZONTAL}, **options)
        return _smaller(made, picture, "TIFF", settings, **options)
    options = {"compression": "tiff_adobe_deflate", **whole}
    tags = ({PREDICTOR: predictor} for predictor in (_NONE, _HORIZONTAL))
    made = min((_pillow(picture, "TIFF", settings, tiffinfo=info, **options) for info in tags), key=len)
    return _smaller(made, picture, "TIFF", settings, **options)


def takes_loss(size: Size, *, alpha: bool) -> bool:
    """Whether a TIFF of this size can hold JPEG, which knows no transparency and no longer side."""
    return not alpha and max(size) <= _LONGEST_JPEG


def bmp(picture: Picture, settings: Settings) -> bytes:
    """Version 3, uncompressed, as ImageMagick's, but gray in one byte; no resolution. Few colours are stored with a
    palette where that is smaller, 16 in 4 bits, two in one."""
    made = _pillow(picture, "BMP", settings, dpi=(0, 0))
    packed = bmp_writing.dense(picture.frames[0].pillow())
    return min(packed, made, key=len) if packed else _smaller(made, picture, "BMP", settings, dpi=(0, 0))


def writer(picture: Picture, settings: Settings, job: Job) -> Writer:
    """What encodes the job's format, and this picture."""
    return (magick if libraries.writes(picture, settings, job) else PILLOW)[job.format]


def _smaller(made: bytes, picture: Picture, kind: str, settings: Settings, **options: Any) -> bytes:
    """What was made, or the same with a palette, if that loses nothing and has fewer bytes."""
    image = palette.indexed(picture.frames[0].pillow())
    return made if image is None else min(made, _saved(image, kind, settings, **options), key=len)


def _moving(picture: Picture) -> dict[str, Any]:
    """What Pillow's encoders take of an animation beside its first frame."""
    return {
        "save_all": True,
        "append_images": [frame.pillow() for frame in picture.frames[1:]],
        "duration": [frame.delay for frame in picture.frames],
        "loop": picture.details.plays,
    }


def _of_one_mode(frames: list[Frame]) -> None:
    """Bring all frames to the least mode that holds them."""
    mode = "RGBA" if any(frame.alpha for frame in frames) else "L" if all(frame.gray for frame in frames) else "RGB"
    for frame in frames:
        frame.put(frame.pillow().convert(mode))


def _pillow(picture: Picture, kind: str, settings: Settings, **options: Any) -> bytes:
    """The first frame, and what `options` name, through one of Pillow's encoders."""
    return _saved(picture.frames[0].pillow(), kind, settings, **options)


def _saved(image: Image.Image, kind: str, settings: Settings, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, icc_profile=settings.icc or b"", exif=settings.exif or b"", **options)
    return buffer.getvalue()


PILLOW: dict[str, Writer] = functions(lambda row: row.pillow_writer)
"""By format word; the others are ImageMagick's alone."""
