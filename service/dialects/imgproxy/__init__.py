"""imgproxy's URLs: /SIGNATURE/OPTIONS/plain/SOURCE@EXTENSION, and the same with the source in base64url."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.errors import Refused, quote
from gateway.holding import Shape
from gateway.rules import Rules
from gateway.settings import Config
from service.dialects.dialect import OriginalNeeded, Problem, Request, ShapeNeeded, Translation, name_of
from service.dialects.imgproxy import encoding, geometry, source
from service.dialects.imgproxy.options import Options
from service.dialects.imgproxy.reading import read_options
from service.dialects.imgproxy.source import Key
from service.dialects.imgproxy.values import format_name

__all__ = ["Imgproxy", "Key", "make"]

DEFAULT_PRESET = "default"


@dataclass(frozen=True)
class Imgproxy:
    """The dialect. Without `keys` any signature will do, as in imgproxy; `sources` maps the beginning of a source's URL
    to that of our names; `presets` are options by a name; `format` is what a URL without an extension gets."""

    prefixes: tuple[str, ...]
    rules: Rules
    keys: Sequence[Key] = field(default=(), repr=False)
    sources: Mapping[str, str] = field(default_factory=lambda: {"local:///": ""})
    presets: Mapping[str, str] = field(default_factory=dict)
    format: str = "source"
    name: str = "imgproxy"

    @property
    def signs(self) -> bool:
        return bool(self.keys)

    def read(self, request: Request) -> Translation | ShapeNeeded | OriginalNeeded:
        """What the URL means. Raises Refused: 403 for a wrong signature, 404 for all else, as imgproxy answers."""
        signature, signed = source.split(request.path)
        if self.keys and not request.trusted:
            source.verify(signature, signed, self.keys)
        try:
            return self._meaning(signed, request.now)
        except Refused as error:
            raise Refused(404, f"Invalid URL: {error.detail}") from None

    def problem(self, status: int, detail: str) -> Problem:
        """Plain text, as imgproxy answers."""
        return Problem(status, f"{detail}\n".encode())

    def _meaning(self, signed: str, now: float) -> Translation | ShapeNeeded | OriginalNeeded:
        written, rest = source.parts(signed)
        options = read_options(written, self.presets, self._start())
        if 0 < options.expires < now:
            raise Refused(404, "Expired URL")
        address, extension = source.source(rest)
        image = source.image(address, self.sources)
        format = self._format(extension or options.format)
        answer = partial(self._translated, options, image, format)
        if encoding.needs_opacity(options, format):
            return OriginalNeeded(image, answer)
        return ShapeNeeded(image, answer) if geometry.needs_shape(options) else answer(None)

    def _start(self) -> Options:
        if DEFAULT_PRESET not in self.presets:
            return Options()
        return read_options(self.presets[DEFAULT_PRESET].split("/"), self.presets)

    def _format(self, word: str) -> str:
        if not word:
            return self.format
        format = format_name(word)
        if format not in self.rules.out:
            raise Refused(404, f"{quote(word)}: the format must be one of {', '.join(self.rules.out)}")
        return format

    def _translated(
        self, options: Options, image: str, format: str, shape: Shape | None, opaque: bool = False
    ) -> Translation:
        try:
            _check_together(options, format, self.rules)
            measured = shape if geometry.needs_shape(options) else None
            given = geometry.given_of(options, measured) | encoding.colours(options, format, opaque=opaque)
            name = name_of(image, given | dict(encoding.rest(options, format)), format, self.rules)
        except Refused as error:
            raise Refused(404, error.detail) from None
        return Translation(name, float(options.expires) if options.expires else None)


def _check_together(options: Options, format: str, rules: Rules) -> None:
    """Raise Refused for options that cannot be had beside each other, or beside the format."""
    if options.trim is not None and geometry.needs_shape(options):
        raise Refused(
            404, "t: has no equal here beside options that need the size of what is left; with el:1 it has one"
        )
    if options.blur and (options.extend or options.extend_ratio or any(options.padding)):
        raise Refused(404, "bl: has no equal here beside ex, exar and pd: the canvas would be blurred too")
    if options.format_quality and format not in rules.out:
        raise Refused(404, "fq: needs a format; name it")


def make(config: Config, rules: Rules) -> Imgproxy | None:
    """The dialect as the configuration has it, None without a prefix."""
    section = config.dialects.imgproxy
    if not section.prefix:
        return None
    keys = [Key(key, salt, section.signature_size) for key, salt in section.pairs()]
    return Imgproxy((section.prefix,), rules, keys, section.sources, section.presets, section.format)
