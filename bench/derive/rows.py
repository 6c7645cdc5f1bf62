"""The rows: what is made of which original, by whom, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass

BURST = (320, 480, 640, 960, 1280, 1920)
WHOLE = (0,)
"""In place of a width: the whole image, `@full`."""


@dataclass(frozen=True)
class Row:
    """One work and its bars.

    `source` names an original of `originals.py`, `format` is that of the result, `widths` are pixels. With `height` the
    result is cut to that box around what stands out. `quality` is 1..100; None is the configured one. `images` are made
    in each round. `without` names the peers that cannot do the work. Against bare libvips the bar is `vips_share` of
    its CPU plus `vips_extra` milliseconds; `most` milliseconds take the place of that bar. `rival` names what stands in
    the place of all peers (`rivals.py`), WebP at its configured quality: the bar is `share` of its CPU, and
    `bytes_share` of its bytes. Without `scored` no scores are compared: each format has a quality of its own. With a
    `ladder` of qualities the rival makes all of them, and the bytes that it has at the score of ours count.
    """

    name: str
    title: str
    source: str
    format: str
    widths: tuple[int, ...] = (640,)
    height: int | None = None
    quality: int | None = None
    images: int = 2
    without: tuple[str, ...] = ()
    vips_share: float = 1.0
    vips_extra: float = 4.0
    most: float | None = None
    rival: str = ""
    share: float = 1.0
    bytes_share: float = 1.05
    scored: bool = True
    ladder: tuple[int, ...] = ()

    @property
    def is_scored(self) -> bool:
        """Whether scores can be compared: servers crop different parts, and one alone has none to compare with."""
        return self.scored and self.height is None and self.source != "photo.heic" and self.widths != WHOLE


ROWS = (
    Row("jpeg-640", "JPEG 6 MP to JPEG 640", "photo.jpg", "jpg", images=4),
    Row("jpeg-200", "JPEG 6 MP to JPEG 200", "photo.jpg", "jpg", (200,), images=8),
    Row("webp-640", "JPEG 6 MP to WebP 640", "photo.jpg", "webp", images=4),
    Row("avif-640", "JPEG 6 MP to AVIF 640", "photo.jpg", "avif", vips_share=0.9, vips_extra=0),
    Row("alpha-webp-640", "PNG with alpha 3 MP to WebP 640", "alpha.png", "webp"),
    Row("alpha-png-640", "PNG with alpha 3 MP to PNG 640", "alpha.png", "png"),
    Row("screenshot-png-640", "screenshot 1920x1200 to PNG 640", "screenshot.png", "png", images=4),
    Row(
        *("gif-avif-320", "GIF of 40 frames to AVIF 320", "film.gif", "avif", (320,)),
        rival="WebP",
        bytes_share=0.5,
        scored=False,
    ),
    Row("gif-webp-320", "GIF of 40 frames to WebP 320", "film.gif", "webp", (320,), without=("thumbor",)),
    Row("webp-webp-640", "WebP 6 MP to WebP 640", "photo.webp", "webp"),
    Row("webp-webp-512", "WebP 2040 to WebP 512, q 75", "2040.webp", "webp", (512,), quality=75),
    Row("png-png-512", "PNG 2040 to PNG 512", "2040.png", "png", (512,)),
    Row("jpeg-512", "JPEG 2040 to JPEG 512", "2040.jpg", "jpg", (512,), images=4),
    Row("avif-avif-512", "AVIF 2040 to AVIF 512, q 65", "2040.avif", "avif", (512,), quality=65),
    Row("avif-webp-640", "AVIF 6 MP to WebP 640", "photo.avif", "webp"),
    Row("tiff-640", "TIFF of 16 bits 3 MP to JPEG 640", "deep.tif", "jpg", most=45),
    Row("jpeg-24mp-640", "JPEG 24 MP to JPEG 640", "24mp.jpg", "jpg"),
    Row("jpeg-24mp-1920", "JPEG 24 MP to JPEG 1920", "24mp.jpg", "jpg", (1920,)),
    Row("jpeg-50mp-640", "JPEG 50 MP to JPEG 640", "50mp.jpg", "jpg"),
    Row("jpeg-50mp-1920", "JPEG 50 MP to JPEG 1920", "50mp.jpg", "jpg", (1920,)),
    Row("smart-400", "JPEG 6 MP to JPEG 400x400, smart", "photo.jpg", "jpg", (400,), height=400, images=4),
    Row("webp-burst", "six WebP widths of a JPEG 6 MP at once", "photo.jpg", "webp", BURST),
    Row(
        *("heic-640", "HEIC 12 MP to JPEG 640", "photo.heic", "jpg"),
        without=("thumbor", "IPX", "libvips"),
        most=800,
    ),
    Row(
        *("jxl-640", "JPEG 6 MP to JPEG XL 640", "photo.jpg", "jxl"),
        images=4,
        rival="WebP",
        bytes_share=0.85,
        ladder=(60, 70, 76, 82, 88, 94),
    ),
    Row("full-jxl", "JPEG 6 MP to @full.jxl", "photo.jpg", "jxl", WHOLE, images=8, rival="libjxl", share=1.2),
)
