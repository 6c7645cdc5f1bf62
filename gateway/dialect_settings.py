"""The options of dialects: the URLs of other image servers. A dialect without a prefix is off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from gateway.section import Secret, Section
from gateway.units import Size

RESERVED: tuple[str, ...] = ("images", "temp", "health", "metrics", "stats", "formats", "presets", "urls", "purge")
RESERVED += ("warm", "docs", "openapi.json", "counts", "archive", "names", "problems", "capabilities", "page", "events")
RESERVED += ("uploads", "incoming", "journal", "used")
"""What the first segment of a prefix may not be: paths of the two ports themselves."""

_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def _prefix(value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not _PREFIX.fullmatch(value):
        raise ValueError("must be a path such as /iiif/3, of letters, digits, dots, ~, - and _, or empty")
    if value.split("/")[1] in RESERVED:
        raise ValueError(f"/{value.split('/')[1]} is a path of the gateway itself; take another, such as /iiif/3")
    return value


Prefix = Annotated[str, BeforeValidator(_prefix)]


class Iiif(Section):
    """IIIF Image API. It has no signatures, so it needs public.access: open."""

    prefix: Prefix = Field("", description="where version 3.0 is answered, such as /iiif/3; empty: nowhere")
    prefix_2: Prefix = Field("", description="where version 2.1 is answered, such as /iiif/2; empty: nowhere")
    prefix_presentation: Prefix = Field(
        "", description="where folders have a Presentation 3.0 manifest, such as /iiif/presentation; empty: nowhere"
    )
    folders: list[str] = Field([], description="folders whose manifest is public; the API port has it of all")
    tile: int = Field(512, description="pixels of a side of the tiles that info.json names", ge=64, le=4096)
    sizes: Literal["any", "refuse"] = Field(
        "any", description="refuse: only the sizes and tiles that info.json names are made"
    )
    rights: str = Field("", description="the licence's URI in info.json of version 3; empty: none")

    @property
    def signs(self) -> bool:
        """Whether every URL bears a signature of the dialect; without one it needs public.access: open."""
        return False


class Imgproxy(Section):
    """imgproxy. Without a key its signatures are not checked, so it needs public.access: open."""

    prefix: Prefix = Field("", description="where imgproxy's URLs are answered, such as /imgproxy; empty: nowhere")
    key: Secret | None = Field(None, description="IMGPROXY_KEY: hex digits; several joined by commas")
    salt: Secret | None = Field(None, description="IMGPROXY_SALT: as many, in the same order")
    signature_size: int = Field(32, description="IMGPROXY_SIGNATURE_SIZE: bytes of a signature", ge=8, le=32)
    sources: dict[str, str] = Field(
        {"local:///": ""}, description="how sources begin, and how the names of the same images begin here"
    )
    presets: dict[str, str] = Field(
        default_factory=dict, description="IMGPROXY_PRESETS: options by a name, such as {sharp: rs:fit:300:200/q:80}"
    )
    format: Literal["source", "auto"] = Field("source", description="the format of a URL without one: source or auto")

    @property
    def signs(self) -> bool:
        return self.key is not None

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """The keys with their salts."""
        return list(zip(_hex_list(self.key), _hex_list(self.salt), strict=True))

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        try:
            self.pairs()
        except ValueError:
            raise ValueError("key and salt must be hex digits, as many salts as keys, joined by commas") from None
        return self


class Thumbor(Section):
    """thumbor. With `unsafe` it answers URLs without a signature, so it needs public.access: open."""

    prefix: Prefix = Field("", description="where thumbor's URLs are answered, such as /thumbor; empty: nowhere")
    keys: dict[str, Secret] = Field(
        default_factory=dict, description="thumbor's SECURITY_KEY by any word; several live at once"
    )
    unsafe: bool = Field(False, description="ALLOW_UNSAFE_URL: whether /unsafe/ is answered")
    sources: dict[str, str] = Field(
        default_factory=dict,
        description="how addresses of images begin, and how the names of the same images begin here; empty: alike",
    )
    format: Literal["source", "auto"] = Field("source", description="the format of a URL without one: source or auto")

    @property
    def signs(self) -> bool:
        return not self.unsafe


def _hex_list(secret: SecretStr | None) -> list[bytes]:
    """The values of hex digits joined by commas. Raises ValueError."""
    return [bytes.fromhex(one) for one in secret.get_secret_value().split(",")] if secret else []


class Dialects(Section):
    """URLs of other image servers, answered as the canonical names that they mean. Empty prefixes: off."""

    memory: Size = Field(
        16 * 2**20, description="bytes in which nginx remembers what URLs meant", ge=64 * 2**10, le=2**34
    )
    iiif: Iiif = Iiif()
    imgproxy: Imgproxy = Imgproxy()
    thumbor: Thumbor = Thumbor()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The words of all dialects."""
        return tuple(name for name, about in cls.model_fields.items() if isinstance(about.default, Section))

    def prefixes(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The prefixes that are set: the dialect and its option, and the prefix."""
        for dialect in self.names():
            for option, value in getattr(self, dialect):
                if option.startswith("prefix") and value:
                    yield (dialect, option), value
