"""List what ImageMagick cannot do on this machine, and which library does it instead, for `image-gateway check`.

Each entry is tried, because versions differ.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from PIL import Image as Pillow
from PIL import ImageCms
from wand.exceptions import WandException
from wand.image import Image

from service.engine import pixels
from service.engine.formats import FORMATS
from service.engine.geometry import Box
from service.engine.magick import coders, writing
from service.engine.magick.writing import Settings
from service.engine.picture import Details, Frame, Picture

_SIZE = (16, 16)
_RED, _CLEAR = (200, 40, 30, 255), (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """`what` is done by `instead`, because of `why`; `tried` tells whether ImageMagick can after all, None where no
    version could."""

    what: str
    instead: str
    why: str
    tried: Callable[[], bool] | None = None


def _reads_alpha() -> bool:
    return Image(blob=_avif("RGBA", _CLEAR), format="avif").alpha_channel is True


def _reads_profile() -> bool:
    return "icc" in list(Image(blob=_avif("RGB", _RED, icc_profile=_profile()), format="avif").profiles)


def _reads_animation() -> bool:
    """A frame that covers a part and is disposed of must not be seen in the next."""
    buffer = io.BytesIO()
    second = Pillow.new("RGBA", _SIZE, _CLEAR)
    second.putpixel((3, 3), _RED)
    frames = [second, Pillow.new("RGBA", _SIZE, _RED)]
    Pillow.new("RGBA", _SIZE, _RED).save(
        buffer, "WEBP", save_all=True, append_images=frames, duration=[33, 47, 80], lossless=True
    )
    with Image(blob=buffer.getvalue(), format="webp") as film:
        film.coalesce()
        film.iterator_set(1)
        with film.image_get() as part:
            exact = part.delay * 1000 == 47 * part.ticks_per_second
            return exact and pixels.exported(part).convert("RGBA").getpixel((9, 9))[3] == 0  # type: ignore[index]


def _writes_alpha() -> bool:
    with _made(writing.avif, "RGBA", _CLEAR, Settings(50, direct=True)) as made:
        return made.mode == "RGBA"


def _writes_avif_profile() -> bool:
    with _made(writing.avif, "RGB", _RED[:3], Settings(50, icc=_profile(), direct=True)) as made:
        return bool(made.info.get("icc_profile"))


def _writes_avif_notice() -> bool:
    with _made(writing.avif, "RGB", _RED[:3], Settings(50, exif=Pillow.Exif().tobytes(), direct=True)) as made:
        return bool(made.info.get("exif"))


def _writes_animation() -> bool:
    frames = [Frame(Pillow.new("RGB", _SIZE, colour), delay) for colour, delay in (("red", 120), ("blue", 250))]
    picture = Picture(frames, Box(0, 0, *_SIZE), 1.0, Details(plays=3))
    with Pillow.open(io.BytesIO(writing.webp(picture, Settings(50, direct=True)))) as made:
        made.load()
        return getattr(made, "n_frames", 1) == 2 and made.info.get("loop") == 3 and made.info.get("duration") == 120


SHORTCOMINGS: dict[str, Shortcoming] = {
    "read avif alpha": Shortcoming(
        "reading AVIF with transparency", "Pillow", "its coder hands over no alpha", _reads_alpha
    ),
    "read avif profile": Shortcoming(
        "reading AVIF with a colour profile", "Pillow", "its coder hands over no profile", _reads_profile
    ),
    "read avif numbers": Shortcoming(
        "reading AVIF of high dynamic range, or in a matrix or range other than JPEG's",
        "Pillow",
        "its coder takes every YCbCr for JPEG's",
    ),
    "read avif mended": Shortcoming(
        "reading AVIF with a flaw that is taken out",
        "Pillow",
        "its coder reads no file in memory",
        lambda: coders.reads_memory("avif"),
    ),
    "read heic colour": Shortcoming(
        "reading HEIC with transparency, more than 8 bits, or colours other than sRGB's",
        "pillow-heif",
        "its coder hands over no alpha, no profile, and none of the colours that are stated",
    ),
    "read avif animation": Shortcoming("reading animated AVIF", "Pillow", "its coder reads only the still picture"),
    "read webp animation": Shortcoming(
        "reading animated WebP",
        "Pillow",
        "its coder loses disposal and blending, and rounds delays to 10 ms",
        _reads_animation,
    ),
    "write avif alpha": Shortcoming("writing AVIF with transparency", "Pillow", "its coder drops alpha", _writes_alpha),
    "write avif profile": Shortcoming(
        "writing AVIF with a colour profile (keep=icc)", "Pillow", "its coder drops the profile", _writes_avif_profile
    ),
    "write avif notice": Shortcoming(
        "writing AVIF with a notice (keep=copyright)", "Pillow", "its coder drops EXIF", _writes_avif_notice
    ),
    "write avif lossless": Shortcoming(
        "writing AVIF with lossless=1", "Pillow", "its coder writes chroma at half the size whatever the quality"
    ),
    "write avif animation": Shortcoming("writing animated AVIF", "Pillow", "its coder writes only the first frame"),
    "write webp animation": Shortcoming(
        "writing animated WebP",
        "Pillow",
        "its coder shifts delays by a frame, and drops how often it runs",
        _writes_animation,
    ),
    "copy": Shortcoming(
        "@full in the original's own format", "our own parsers", "it would encode again what can be copied"
    ),
    "exchange": Shortcoming(
        "@full.jxl of a JPEG, and the JPEG back", "libjxl", "it would encode again what can be coded without loss"
    ),
    "turn": Shortcoming(
        "@full of a JPEG that is stored turned", "libjpeg-turbo", "it would encode again what can be turned as it is"
    ),
    "tone histogram alpha": Shortcoming(
        "equalize and normalize of an image with transparency", "Pillow", "it counts pixels that are not seen"
    ),
    "smart": Shortcoming("finding what g=smart keeps", "Pillow", "it has no measure of what stands out"),
    "damage": Shortcoming(
        "seeing damage inside a JPEG", "libjpeg-turbo", "it keeps libjpeg's warnings to itself; a decode at 1/8 tells"
    ),
    "auto": Shortcoming("the score of q=auto", "Pillow", "its comparison has no such score that is as cheap"),
}
"""By what the engine asks for."""


@cache
def lacks(key: str) -> bool:
    """Whether ImageMagick cannot do one of SHORTCOMINGS here."""
    tried = SHORTCOMINGS[key].tried
    if tried is None:
        return True
    try:
        return not tried()
    except (WandException, OSError, KeyError, ValueError):
        return True


def try_early() -> None:
    """Try those that need a file, which the sandbox forbids later."""
    if not coders.reads_memory("avif"):
        for key in ("read avif alpha", "read avif profile"):
            lacks(key)


def found(read: Iterable[str], written: Iterable[str]) -> Iterator[Shortcoming]:
    """Those of this machine's ImageMagick, first of these formats those that it was built without."""
    for doing, words, can in (("reading", read, coders.reads), ("writing", written, coders.writes)):
        for word in words:
            if not can(word):
                instead = "libjxl" if FORMATS[word].reader == "libjxl" else "Pillow"
                yield Shortcoming(f"{doing} {word}", instead, "this ImageMagick was built without it")
    yield from (SHORTCOMINGS[key] for key in SHORTCOMINGS if lacks(key))


def _avif(mode: str, colour: tuple[int, ...], **options: bytes) -> bytes:
    buffer = io.BytesIO()
    Pillow.new(mode, _SIZE, colour[: len(mode)]).save(buffer, "AVIF", **options)
    return buffer.getvalue()


def _made(
    writer: Callable[[Picture, Settings], bytes], mode: str, colour: tuple[int, ...], settings: Settings
) -> Pillow.Image:
    picture = Picture([Frame(Pillow.new(mode, _SIZE, colour))], Box(0, 0, *_SIZE), 1.0, Details())
    return Pillow.open(io.BytesIO(writer(picture, settings)))


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
