"""Jobs for an engine process: every format in and out, every operation, both libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gateway.rules import FORMATS, VOCABULARY
from service.engine.job import Job, Library, Limits, Overlay
from service.engine.recognise import recognise
from tests import images
from tests.profiles import display_p3

LIMITS = Limits(pixels=20_000_000, frames=100, width=4096, height=4096)
LIBRARIES: tuple[Library, ...] = ("auto", "imagemagick")
FIELDS = (
    *("format", "width", "frames", "duration", "bytes", "colour_space", "depth", "dominant_colour", "placeholder"),
    *("taken", "camera", "position", "author", "serial"),
    *("digital_source_type", "credit", "creator", "c2pa"),
)

ORIGINALS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: images.jpeg(exif=images.exif()),
    "turned jpeg": lambda: images.oriented(6),
    "gray jpeg": images.jpeg_gray,
    "cmyk jpeg": images.jpeg_cmyk,
    "ycck jpeg": images.jpeg_ycck,
    "png": images.png,
    "png with alpha": images.png_alpha,
    "png with a palette": images.png_palette,
    "deep png": images.png_16bit,
    "png with a profile": lambda: images.png(icc_profile=display_p3()),
    "apng": images.apng,
    "webp": images.webp,
    "animated webp": images.webp_animated,
    "gif": images.gif,
    "animated gif": images.gif_animated,
    "tiff": images.tiff,
    "compressed tiff": lambda: images.tiff(compression="tiff_lzw"),
    "tiff with pages": images.tiff_pages,
    "bmp": images.bmp,
    "bmp with alpha": images.bmp_alpha,
    "ico": images.ico,
    "avif": images.avif,
    "avif with alpha": images.avif_alpha,
    "heic": images.heic,
    "jxl": images.jxl,
    "jxl with alpha": images.jxl_alpha,
    "jxl of a jpeg": lambda: images.jxl_of_jpeg(images.jpeg(exif=images.exif())),
}

TEXT = Overlay(text="© {author} السلام", fonts=("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",))

VALUES = {
    "crop": "2:2:40:40",
    "trim": "5",
    "w": "40",
    "h": "40",
    "fit": "liquid",
    "up": "1",
    "g": "smart",
    "rot": "30",
    "flip": "h",
    "bg": "ff8800",
    "gray": "1",
    "equalize": "1",
    "normalize": "1",
    "negate": "1",
    "bri": "10",
    "con": "10",
    "sat": "10",
    "gam": "1.2",
    "blur": "1",
    "sharpen": "1:1:0",
    "duotone": "102040:ffe0a0",
    "pixelate": "8",
    "mask": "ellipse",
    "radius": "9",
    "bitonal": "1",
    "colors": "16",
    "frame": "0",
    "q": "auto",
    "lossless": "1",
    "mb": "30000",
    "keep": "copyright:icc:provenance",
}
"""A value for each operation; `dpr` and `ar` are folded into the size before an engine process sees it,
and `over` needs files: its jobs are below."""

assert set(VALUES) == {row["key"] for row in VOCABULARY["operations"]} - {"dpr", "ar", "over"}


def recipes() -> Iterator[dict[str, str]]:
    yield {}
    for fit in ("inside", "outside", "cover", "fill", "pad", "liquid"):
        yield {"w": "40", "h": "50", "fit": fit}
    yield {"w": "40", "h": "50", "fit": "cover", "g": "smart"}
    for key, value in VALUES.items():
        if key not in ("fit", "g"):
            yield {key: value}


def jobs(folder: Path) -> Iterator[Job]:
    """Jobs whose originals lie in `folder`; each is to be given an output of its own."""
    sources = {name: folder / f"{number}" for number, name in enumerate(ORIGINALS)}
    for name, path in sources.items():
        path.write_bytes(ORIGINALS[name]())
    for library in LIBRARIES:
        for path in sources.values():
            job = Job("verify", str(path), recognise(path), LIMITS, fields=FIELDS, library=library)
            yield job
            yield replace(job, task="describe", format="json")
            yield replace(job, task="derive", format="png", tolerant=True)
            for format in FORMATS:
                yield replace(job, task="derive", format=format, recipe={"w": "30"})
            if job.header.format in FORMATS:
                yield replace(job, task="derive", format=job.header.format)
        for name in ("jpeg", "png with alpha", "animated gif"):
            path = sources[name]
            for format in ("jpg", "webp"):
                for recipe in recipes():
                    job = Job("derive", str(path), recognise(path), LIMITS, recipe, format, library=library)
                    yield replace(job, keep=("copyright", "icc", "provenance"))
                yield replace(job, recipe={"over": "text.0~text.0:diagonal"}, overlays={"text": TEXT})
