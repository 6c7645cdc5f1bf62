"""thumbor's URLs: /SIGNATURE/OPTIONS/IMAGE, and /unsafe/OPTIONS/IMAGE where the configuration allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.errors import Refused, quote
from gateway.holding import Shape
from gateway.rules import Rules
from gateway.settings import Config
from service.dialects.dialect import OriginalNeeded, Problem, Request, ShapeNeeded, Translation, name_of
from service.dialects.thumbor import filters, meaning, url
from service.dialects.thumbor.filters import Filters
from service.dialects.thumbor.url import UNSAFE, Url

__all__ = ["Thumbor", "make"]


@dataclass(frozen=True)
class Thumbor:
    """The dialect. `keys` sign; `unsafe` also answers URLs without a signature; `format` is that of other URLs.

    `sources` maps the beginning of an image's address to that of our names. Where it is empty, addresses are names.
    """

    prefixes: tuple[str, ...]
    rules: Rules
    keys: Sequence[str] = field(default=(), repr=False)
    unsafe: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    format: str = "source"
    name: str = "thumbor"

    @property
    def signs(self) -> bool:
        return not self.unsafe

    def read(self, request: Request) -> Translation | ShapeNeeded | OriginalNeeded:
        """What the URL means. Raises Refused (400), as thumbor answers to a URL that is wrong in any way."""
        signature, signed = url.split(request.path)
        if not request.trusted:
            self._verify(signature, signed)
        parts = url.read(signed)
        chosen = filters.read(parts.filters)
        meaning.check(parts, chosen)
        format, image = self._format(chosen.format), self._image(parts.image)
        answer = partial(self._translated, parts, chosen, image, format)
        if meaning.needs_opacity(chosen, format):
            return OriginalNeeded(image, answer)
        return ShapeNeeded(image, answer) if meaning.needs_shape(parts, chosen) else answer(None)

    def problem(self, status: int, detail: str) -> Problem:
        """Plain text that says what is wrong; thumbor's own errors have no text."""
        return Problem(status, f"{detail}\n".encode())

    def _verify(self, signature: str, signed: str) -> None:
        if signature != UNSAFE:
            url.verify(signature, signed, self.keys)
        elif not self.unsafe:
            raise Refused(400, "unsafe: the URL needs a signature; dialects.thumbor.unsafe allows it without one")

    def _image(self, address: str) -> str:
        if not self.sources:
            return address
        for prefix, folder in self.sources.items():
            if address.startswith(prefix):
                return folder + address.removeprefix(prefix)
        raise Refused(400, f"{quote(address)}: the image must begin with {' or '.join(self.sources)}")

    def _format(self, word: str) -> str:
        if word and word not in self.rules.out:
            raise Refused(400, f"format({quote(word)}): must be one of {', '.join(self.rules.out)}")
        return word or self.format

    def _translated(
        self, parts: Url, chosen: Filters, image: str, format: str, shape: Shape | None, opaque: bool = False
    ) -> Translation:
        measured = shape if meaning.needs_shape(parts, chosen) else None
        given = meaning.geometry(parts, chosen, measured) | dict(meaning.colours(chosen, format, opaque=opaque))
        return Translation(name_of(image, given | dict(meaning.rest(parts, chosen)), format, self.rules))


def make(config: Config, rules: Rules) -> Thumbor | None:
    """The dialect as the configuration has it, None without a prefix."""
    section = config.dialects.thumbor
    if not section.prefix:
        return None
    keys = [key.get_secret_value() for key in section.keys.values()]
    return Thumbor((section.prefix,), rules, keys, section.unsafe, section.sources, section.format)
