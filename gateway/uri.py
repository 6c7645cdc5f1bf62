"""Decode the path and the query of a URL into segments and parameters, and encode them. Twin of uri.lua.

Raw text is what came over the wire; bytes that are not ASCII are surrogates (`surrogateescape`) or characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote as percent_encode

from gateway.errors import Refused, quote

LONGEST_REQUEST = 8192  # bytes of path and of query, each: a name of 1024 bytes with every byte escaped, and room

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_SAFE = "/!$&'()*+,;=:@-._~"


def split_path(path: str) -> list[str]:
    """The decoded segments of a raw request path. Raises Refused for broken escapes and escaped slashes."""
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_REQUEST:
        raise Refused(400, f"the path has more than {LONGEST_REQUEST} bytes")
    segments = [decode(raw) for raw in path.split("/")]
    if any("/" in segment for segment in segments):
        raise Refused(400, "a slash inside a segment (%2F) cannot be part of a name")
    return segments


def split_query(query: str, ignored: Sequence[str] = ()) -> dict[str, str]:
    """The decoded parameters, each once, without those whose key one of `ignored` matches: what these hold is not
    looked at. Raises Refused for a doubled key or a broken escape."""
    if len(query.encode("utf-8", "surrogateescape")) > LONGEST_REQUEST:
        raise Refused(400, f"the query has more than {LONGEST_REQUEST} bytes")
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        if part == "":
            continue
        raw_key, _, raw_value = part.replace("+", " ").partition("=")
        key = decode(raw_key)
        if is_ignored(key, ignored):
            continue
        value = decode(raw_value)
        if key in parameters:
            raise Refused(400, f"{quote(key)}: given twice")
        parameters[key] = value
    return parameters


def is_ignored(key: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns is this key, or its beginning where the pattern ends in `*`."""
    return any(key.startswith(one[:-1]) if one.endswith("*") else key == one for one in patterns)


def escape(name: str) -> str:
    """A name as the path of a URL: everything but unreserved characters, slashes and sub-delimiters escaped."""
    return percent_encode(name, safe=_SAFE)


def decode(raw: str) -> str:
    """A raw part of a path or a query, decoded. Raises Refused for a broken escape, and for what is no UTF-8."""
    if raw.isascii() and "%" not in raw:
        return raw
    if _BROKEN_ESCAPE.search(raw):
        raise Refused(400, "a broken percent escape: % must be followed by two hex digits")
    encoded = raw.encode("utf-8", "surrogateescape")
    try:
        return _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), encoded).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "the name is not valid UTF-8") from None
