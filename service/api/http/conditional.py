"""The preconditions of a change: `If-Match` and `If-None-Match` (RFC 9110, 13.1), over the original's ETag."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.errors import Refused
from service.store.base import Precondition

_ETAG = r'(?:W/)?"[^\x00-\x20"\x7f]*"'
_LIST = re.compile(rf"\s*{_ETAG}(?:\s*,\s*{_ETAG})*\s*")


def precondition(headers: Mapping[str, str], *, replace: bool) -> Precondition:
    """Return what the headers ask of the image that is there. `If-Match` asks for replacing too. Raises Refused."""
    if_match = _etags(headers, "If-Match")
    if_none_match = _etags(headers, "If-None-Match") or frozenset()
    excludes_some = bool(if_none_match - {"*"})
    return Precondition(replace or if_match is not None or excludes_some, if_match, if_none_match)


def _etags(headers: Mapping[str, str], header: str) -> frozenset[str] | None:
    """The strong ETags of a header, without quotes; weak ones never match here."""
    text = headers.get(header)
    if text is None:
        return None
    if text.strip() == "*":
        return frozenset(("*",))
    if not _LIST.fullmatch(text):
        raise Refused(400, f'{header}: must be * or ETags in quotes, such as "abc"')
    return frozenset(one.strip('"') for one in re.findall(_ETAG, text) if not one.startswith("W/"))
