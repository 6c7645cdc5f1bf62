"""Take an imgproxy URL apart: its signature, its options, its source and format."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import Refused, quote
from gateway.uri import decode

_MERGED = re.compile(r"/plain/local:/([^/])")
"""A source whose slashes a proxy has merged. imgproxy mends it before it verifies the signature."""


@dataclass(frozen=True, slots=True)
class Key:
    """A pair of IMGPROXY_KEY and IMGPROXY_SALT, and IMGPROXY_SIGNATURE_SIZE in bytes."""

    key: bytes
    salt: bytes
    size: int = 32

    def sign(self, path: str) -> str:
        """The signature of what follows it, with its leading slash: base64url without padding."""
        digest = hmac.new(self.key, self.salt + path.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[: self.size]).rstrip(b"=").decode("ascii")


def split(path: str) -> tuple[str, str]:
    """The signature, and what it signs. Raises Refused (404)."""
    signature, slash, rest = path.partition("/")
    if not slash or not signature:
        raise Refused(404, "must be /SIGNATURE/OPTIONS/plain/SOURCE@EXTENSION")
    return signature, _MERGED.sub(r"/plain/local:///\1", f"/{rest}")


def verify(signature: str, signed: str, keys: Sequence[Key]) -> None:
    """Raise Refused (403) unless one of the keys has made the signature."""
    given = signature.encode("utf-8", "surrogateescape")
    if not any(hmac.compare_digest(key.sign(signed).encode(), given) for key in keys):
        raise Refused(403, "the signature is wrong for this URL")


def parts(signed: str) -> tuple[list[str], list[str]]:
    """The options, which have arguments, and the parts of the source."""
    found = signed[1:].split("/")
    count = next((place for place, part in enumerate(found) if ":" not in part), len(found))
    return found[:count], found[count:]


def source(given: Sequence[str]) -> tuple[str, str]:
    """The source's URL and the format after it, empty for none. Raises Refused (404)."""
    if len(given) > 1 and given[0] == "plain":
        address, format = _extension("/".join(given[1:]), "@")
        return decode(address), format
    if given and given[0] == "enc":
        raise Refused(404, "enc: encrypted sources have no equal here")
    encoded, format = _extension("".join(given), ".")
    try:
        bare = encoded.rstrip("=").encode("ascii")
        plain = base64.b64decode(bare + b"=" * (-len(bare) % 4), b"-_", validate=True)
        return plain.decode("utf-8"), format
    except (ValueError, binascii.Error):
        raise Refused(404, f"{quote(encoded)}: the source must be base64url of a URL in UTF-8, or /plain/URL") from None


def _extension(text: str, mark: str) -> tuple[str, str]:
    address, *formats = text.split(mark)
    if not address:
        raise Refused(404, "the source is empty")
    if len(formats) > 1:
        raise Refused(404, f"{quote(text)}: more than one {mark}; write {mark}EXTENSION once, and %40 for @ in a name")
    return address, "".join(formats)


def image(address: str, sources: Mapping[str, str]) -> str:
    """The image that a source's URL names: `local:///photos/cat.jpg` is photos/cat.jpg. Raises Refused (404)."""
    for prefix, folder in sources.items():
        if address.startswith(prefix):
            if "?" in address:
                raise Refused(404, "a source of this gateway takes no query; write %253F for ? in a name")
            return folder + decode(address.removeprefix(prefix))
    raise Refused(404, f"{quote(address)}: the source must begin with {' or '.join(sources)}")
