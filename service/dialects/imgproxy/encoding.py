"""The background, the blur and the encoding that the options of an imgproxy URL ask for, in the words of a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.errors import Refused
from gateway.rules import OPAQUE
from service.dialects.imgproxy.options import Options


def needs_opacity(options: Options, format: str) -> bool:
    """Whether `bg` means the same here only for an original without transparency, which imgproxy would fill."""
    return bool(options.background) and format not in OPAQUE


def colours(options: Options, format: str, *, opaque: bool) -> dict[str, str]:
    """`bg`: imgproxy lays the whole image on its background, and without one it keeps transparency where it can."""
    if options.background:
        if needs_opacity(options, format) and not opaque:
            raise Refused(404, f"bg: has no equal for what is transparent; name one of {', '.join(OPAQUE)}")
        return {"bg": options.background}
    canvas = any((options.extend, options.extend_ratio, any(options.padding)))
    return {"bg": "ffffff00"} if canvas else {}


def rest(options: Options, format: str) -> Iterator[tuple[str, str]]:
    """`trim`, `blur`, `q`, `mb` and `keep`."""
    if options.trim is not None:
        yield "trim", f"{min(100.0, options.trim / 2.55):.1f}"
    if options.blur:
        yield "blur", f"{options.blur:g}"
    quality = options.quality or options.format_quality.get(format, 0)
    if quality:
        yield "q", str(quality)
    if options.max_bytes and format not in ("png", "gif", "bmp"):
        yield "mb", str(options.max_bytes)
    keep = [word for word, kept in (("copyright", options.keep_copyright), ("icc", options.keep_profile)) if kept]
    if keep:
        yield "keep", ":".join(keep)
