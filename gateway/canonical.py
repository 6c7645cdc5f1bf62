"""Recognise requests that are canonical names as they stand: such a path is also the file's path in the derived cache.

nginx uses the pattern in a `map` and reads it as PCRE, byte by byte. The pattern has only syntax with the same meaning
in PCRE and Python: classes of ASCII characters, and a named group.
"""

from __future__ import annotations

import re

from gateway.rules import Rules

_SEGMENT = "[A-Za-z0-9_~=,:+-][A-Za-z0-9._~=,:+@-]*"
_LEAF = "@[a-z0-9.,=:-]+"


def canonical_pattern(rules: Rules) -> str:
    """Return the pattern of such raw requests: nothing escaped, no query, no dot segments, and the last segment that of
    a derived image. `path` is what follows /images.

    The pattern takes more than canonical names: it need not know the order of a recipe's operations, since no file lies
    at a path that is not canonical.
    """
    return f"^/images(?P<path>(?:/{_SEGMENT})+/{_LEAF}[.](?:{'|'.join(rules.out)}))$"


def canonical_path(request_uri: str, rules: Rules) -> str | None:
    """Return the path that the pattern finds in a raw request, None if it does not match; as nginx reads it."""
    found = re.search(canonical_pattern(rules), request_uri)
    return found["path"] if found else None
