"""The overlays of a configuration as files: what they look like, as a stamp, and copies that no change reaches.

A stamp is part of the names of images that bear the overlay. Engine processes read the copies alone, in a folder of
the runtime folder, by names that hold a hash of the content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gateway.config import ConfigError, Mistake
from gateway.overlay_settings import Overlay
from gateway.settings import Config
from service.engine.job import Overlay as Drawn
from service.runtime.paths import Paths

STAMP = 12  # hex digits
FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoNaskhArabic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansHebrew-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/lohit-devanagari/Lohit-Devanagari.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)
"""Fonts as Debian's packages install them: those that are here are the fonts of a text that names none."""


def stamped(config: Config, file: str = "") -> Config:
    """The configuration with the stamp of every overlay. Raises ConfigError naming `file` where one cannot be read."""
    if not config.overlays:
        return config
    stamps, mistakes = {}, []
    for name, overlay in config.overlays.items():
        try:
            stamps[name] = _stamp(config, overlay)
        except OSError as error:
            mistakes.append(Mistake(0, file, f"overlays.{name}", f"{error.filename or error}: {error.strerror or ''}"))
    if mistakes:
        raise ConfigError(mistakes)
    return config.model_copy(update={"stamps": stamps})


def prepare(config: Config, paths: Paths) -> None:
    """Copy the fonts of texts to where engine processes read. Raises OSError."""
    for name, overlay in config.overlays.items():
        if _stamp(config, overlay) != config.stamps[name]:
            raise OSError(f"overlays.{name} changed while the service started")
        for font in fonts_of(config, overlay):
            _copied(font, paths.overlays / _font_name(font))


def pictures(config: Config, paths: Paths) -> Iterator[tuple[str, Path, Path]]:
    """The names of the overlays whose PNG is missing, each with its file and where the PNG is to be."""
    for name, overlay in config.overlays.items():
        made = paths.overlays / _picture_name(name, config)
        if overlay.file and not made.exists():
            yield name, config.base.absolute() / overlay.file, made


def drawn(config: Config, paths: Paths) -> dict[str, Drawn]:
    """The overlays as jobs of the engine name them."""
    return {
        name: Drawn(
            file=str(paths.overlays / _picture_name(name, config)) if overlay.file else "",
            text=overlay.text or "",
            fonts=tuple(str(paths.overlays / _font_name(font)) for font in fonts_of(config, overlay)),
            share=overlay.share,
            ink=overlay.ink,
            only_ai=overlay.when == "ai",
        )
        for name, overlay in config.overlays.items()
    }


def fonts_of(config: Config, overlay: Overlay) -> list[Path]:
    """The fonts of a text, as files. Raises OSError where there are none."""
    if overlay.text is None:
        return []
    fonts = [config.base / font for font in overlay.font] or [Path(font) for font in FONTS if Path(font).exists()]
    if not fonts:
        raise OSError("no font is here: install fonts-dejavu-core, or name one in font")
    return fonts


def _stamp(config: Config, overlay: Overlay) -> str:
    """A hash of all that the overlay's pixels depend on, but for the image. Raises OSError."""
    parts: list[object] = [overlay.when]
    if overlay.file:
        parts += ["file", _hash(config.base / overlay.file)]
    else:
        parts += ["text", overlay.text, overlay.size, overlay.ink, _text_library()]
        parts += [_hash(font) for font in fonts_of(config, overlay)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:STAMP]


@cache
def _text_library() -> str:
    """The versions of what sets text. Raises OSError where it is not here."""
    from PIL import features  # noqa: PLC0415  # only texts need it

    if not features.check("raqm"):
        raise OSError("texts need raqm, which Pillow's wheels have, and FriBidi: install libfribidi0")
    parts = ("pil", "raqm", "fribidi", "harfbuzz", "freetype2")
    return " ".join(f"{part} {features.version(part)}" for part in parts)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _picture_name(name: str, config: Config) -> str:
    return f"{name}.{config.stamps[name]}.png"


@cache
def _font_name(font: Path) -> str:
    return f"{_hash(font)[:32]}.font"


def _copied(source: Path, target: Path) -> None:
    if target.exists():
        return
    unfinished = target.with_name(f".{target.name}")
    unfinished.write_bytes(source.read_bytes())
    unfinished.chmod(0o444)
    unfinished.replace(target)
