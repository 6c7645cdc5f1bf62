"""Take a thumbor URL apart: its signature, the parts before the image, the image.

The parts and their order are those of https://thumbor.readthedocs.io/en/latest/usage.html.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import Refused, quote
from gateway.uri import decode

UNSAFE = "unsafe"
ORIGINAL = -1  # of a side: `orig`

_PARTS: Mapping[str, re.Pattern[str]] = {
    "debug": re.compile("debug"),
    "meta": re.compile("meta"),
    "trim": re.compile(r"trim(?::(top-left|bottom-right))?(?::(\d{1,4}))?", re.ASCII),
    "crop": re.compile(r"(\d{1,6})x(\d{1,6}):(\d{1,6})x(\d{1,6})", re.ASCII),
    "fit": re.compile("(adaptive-)?(full-)?fit-in"),
    "size": re.compile(r"(-)?(\d{1,6}|orig)?x(-)?(\d{1,6}|orig)?", re.ASCII),
    "halign": re.compile("left|center|right"),
    "valign": re.compile("top|middle|bottom"),
    "smart": re.compile("smart"),
}
"""The parts in their order; each may be missing."""

_FILTERS = "filters:"


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL. A side of 0 is open. `crop` is left, top, right, bottom in pixels; `trim` the tolerance."""

    image: str
    trim: int | None = None
    crop: tuple[int, int, int, int] | None = None
    fit_in: bool = False
    adaptive: bool = False
    full: bool = False
    size: tuple[int, int] = (0, 0)
    flip: tuple[bool, bool] = (False, False)
    halign: str = "center"
    valign: str = "middle"
    smart: bool = False
    filters: str = ""


def sign(path: str, key: str) -> str:
    """The signature of a path without its leading slash: base64url of HMAC-SHA1."""
    digest = hmac.new(key.encode(), path.encode("utf-8", "surrogateescape"), hashlib.sha1).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")


def split(path: str) -> tuple[str, str]:
    """The signature or `unsafe`, and what follows it. Raises Refused (400)."""
    signature, slash, rest = path.partition("/")
    if not signature or not slash or not rest:
        raise Refused(400, "must be /SIGNATURE/OPTIONS/IMAGE, or /unsafe/OPTIONS/IMAGE where that is allowed")
    return signature, rest


def verify(signature: str, signed: str, keys: Sequence[str]) -> None:
    """Raise Refused (400), as thumbor does, unless one of the keys has made the signature."""
    given = signature.replace("%3D", "=").replace("%3d", "=").encode("utf-8", "surrogateescape")
    if not any(hmac.compare_digest(sign(signed, key).encode(), given) for key in keys):
        raise Refused(400, "Malformed URL: the signature is wrong for it")


def read(rest: str) -> Url:
    """The parts of what follows the signature. Raises Refused (400)."""
    found: dict[str, re.Match[str]] = {}
    for part, pattern in _PARTS.items():
        head, slash, tail = rest.partition("/")
        match = pattern.fullmatch(head) if slash else None
        if match:
            found[part], rest = match, tail
    for part in ("debug", "meta"):
        if part in found:
            raise Refused(400, f"{part}: has no equal here")
    filters, rest = _filters(rest)
    if not rest:
        raise Refused(400, "no image was given")
    fit, size = found.get("fit"), found.get("size")
    return Url(
        image=decode(rest),
        trim=_trim(found.get("trim")),
        crop=_crop(found.get("crop")),
        fit_in=fit is not None,
        adaptive=bool(fit and fit[1]),
        full=bool(fit and fit[2]),
        size=(_side(size[2]), _side(size[4])) if size else (0, 0),
        flip=(bool(size[1]), bool(size[3])) if size else (False, False),
        halign=found["halign"][0] if "halign" in found else "center",
        valign=found["valign"][0] if "valign" in found else "middle",
        smart="smart" in found,
        filters=filters,
    )


def _filters(rest: str) -> tuple[str, str]:
    if not rest.startswith(_FILTERS):
        return "", rest
    filters, end, image = rest.removeprefix(_FILTERS).partition(")/")
    if not end:
        raise Refused(400, f"{quote(rest)}: filters must be filters:NAME(ARGUMENTS):NAME(ARGUMENTS)/")
    return decode(f"{filters})"), image


def _trim(match: re.Match[str] | None) -> int | None:
    if match is None:
        return None
    if match[1] == "bottom-right":
        raise Refused(400, "trim:bottom-right: has no equal here; top-left has")
    return int(match[2] or 0)


def _crop(match: re.Match[str] | None) -> tuple[int, int, int, int] | None:
    if match is None:
        return None
    left, top, right, bottom = (int(edge) for edge in match.groups())
    if not any((left, top, right, bottom)):
        return None
    if left >= right or top >= bottom:
        raise Refused(400, f"{match[0]}: must be LEFTxTOP:RIGHTxBOTTOM, with right and bottom beyond left and top")
    return left, top, right, bottom


def _side(text: str | None) -> int:
    return ORIGINAL if text == "orig" else int(text or 0)
