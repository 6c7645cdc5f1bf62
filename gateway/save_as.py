"""Read `download` and `filename`, and compute Content-Disposition (RFC 6266) of them. Twin of save_as.lua.

They are no part of a canonical name: one file serves them all. What is saved ends in the extension of its format, so
that no link can give an image another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote as percent_encode

from gateway.errors import Refused, quote
from gateway.filenames import visible
from gateway.rules import FORMAT_ALIASES, ORIGINAL_FORMATS

LONGEST_FILENAME = 255  # bytes, as most file systems have it

_TRUTHS = {"0": False, "false": False, "1": True, "true": True}
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_EXTENSION = re.compile(r"(.+)\.([A-Za-z0-9]+)", re.DOTALL)
_EXTENSIONS = frozenset((*ORIGINAL_FORMATS, *FORMAT_ALIASES, "json"))
_UNQUOTED = re.compile(r"[^ !#$&-\[\]-~]")
"""What a quoted filename does not hold: what is not ASCII, the quote, the backslash, and the percent sign, which some
clients decode (RFC 6266, appendix D)."""
_ATTR_CHAR = "!#$&+-.^_`|~"  # beside letters and digits: RFC 8187, section 3.2.1
_AROUND = " ."


def normalised(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a request with `download` as 1, or left out where it is false. Raises Refused."""
    found = dict(parameters)
    if "download" in found:
        text = found.pop("download")
        truth = _TRUTHS.get(text.lower())
        if truth is None:
            raise Refused(400, f"download={quote(text)}: must be 1 or 0")
        if truth:
            found["download"] = "1"
    if "filename" in found:
        _check(found["filename"])
    return found


def signed_text(parameters: Mapping[str, str]) -> str:
    """What follows the name and the end time in the text that is signed: a line for each of the two that is given."""
    return "".join(f"\n{key}={parameters[key]}" for key in ("download", "filename") if key in parameters)


def disposition(image: str, extension: str, parameters: Mapping[str, str]) -> str:
    """Content-Disposition of an answer, empty where neither is asked for.

    `filename` alone names what is shown, and what a browser saves of it; with `download` it is saved at once, by
    default under the name of the image.
    """
    if "download" not in parameters and "filename" not in parameters:
        return ""
    kind = "attachment" if "download" in parameters else "inline"
    filename = filename_of(image, extension, parameters)
    plain = _UNQUOTED.sub("_", filename)
    if plain == filename:
        return f'{kind}; filename="{filename}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{percent_encode(filename, safe=_ATTR_CHAR)}"


def filename_of(image: str, extension: str, parameters: Mapping[str, str]) -> str:
    """The name that is saved: what was asked for, else the image's own, with the extension of the format."""
    stem = _stem(parameters.get("filename", "")) or _stem(image.rpartition("/")[2]) or "image"
    return f"{stem}.{extension}"


def _check(filename: str) -> None:
    if _CONTROL.search(filename):
        raise Refused(400, "filename: holds a control character")
    if len(filename.encode()) > LONGEST_FILENAME:
        raise Refused(400, f"filename: must have at most {LONGEST_FILENAME} bytes")
    if not _stem(filename):
        raise Refused(400, f"filename={quote(filename)}: must be a name such as holidays")


def _stem(filename: str) -> str:
    """A name without the extension of a format, and without what would make it a path or a hidden file."""
    text = visible(filename).replace("/", "_").replace("\\", "_").strip(_AROUND)
    found = _EXTENSION.fullmatch(text)
    if found and found[2].lower() in _EXTENSIONS:
        text = found[1].rstrip(_AROUND)
    return text
