"""The tags by which a CDN purges images: `Cache-Tag`, `Surrogate-Key` or `xkey`. Twin of cache_tag.lua.

`image_tag(image)` is the tag of an image, `folder_tag(image)` that of the folder that it lies in; `tags(image)` gives
both, in this order. A hook that purges an image sends `image_tag(image, longest)`.

photos/2024/cat.jpg     the tags photos/2024/cat.jpg and photos/2024/
cat.jpg                 the tags cat.jpg and /
a b,c.jpg               the tags a%20b%2Cc.jpg and /
"""

from __future__ import annotations

import hashlib

from gateway.uri import escape

LONGEST = 1024
"""Bytes of a tag that CDNs take: Fastly and Cloudflare both document 1024. It is the default of `longest` here."""

_SEPARATORS = {"cache-tag": ",", "edge-cache-tag": ","}
_OTHER_SEPARATOR = " "


def separator(header: str) -> str:
    """What stands between two tags in this header: a comma in Cache-Tag, a space in Surrogate-Key, xkey and others."""
    return _SEPARATORS.get(header.lower(), _OTHER_SEPARATOR)


def image_tag(image: str, longest: int = LONGEST) -> str:
    """The tag of an image: its percent-encoded name, commas too.

    A tag of more than `longest` bytes is `@` and the SHA-256 of the percent-encoded name in 64 hexadecimal digits. No
    name begins with `@`, so this is the tag of no other image.
    """
    return _fitted(_encoded(image), longest)


def folder_tag(image: str, longest: int = LONGEST) -> str:
    """The tag of the folder that an image lies in: its percent-encoded path with a slash at the end; `/` for images in
    no folder. A tag of more than `longest` bytes is hashed as `image_tag` does it."""
    return _fitted(_encoded(image).rpartition("/")[0] + "/", longest)


def tags(image: str, longest: int = LONGEST) -> tuple[str, str]:
    """The tags of an image and of its folder."""
    return image_tag(image, longest), folder_tag(image, longest)


def header_value(image: str, header: str, longest: int = LONGEST) -> str:
    """The value of the header of this name, for an image."""
    return separator(header).join(tags(image, longest))


def _encoded(image: str) -> str:
    return escape(image).replace(",", "%2C")


def _fitted(tag: str, longest: int) -> str:
    return tag if len(tag) <= longest else "@" + hashlib.sha256(tag.encode("ascii")).hexdigest()
