"""The id of an upload that goes straight to the store: all that is known of it, signed, so that any node can finish it.

    BASE64URL(JSON).BASE64URL(HMAC-SHA-256)

The signed text begins with a word of its own, since the keys sign temporary URLs too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from service.store.incoming import expiry_of, is_name, size_of
from service.uploads.errors import UnknownUpload

PURPOSE = b"image-gateway upload\n"


@dataclass(frozen=True, slots=True)
class Announced:
    """An upload as it was announced: the image's `name`, the `sha256` in hex, and the `object` of the incoming
    container, whose name holds the bytes and the end. `replace` says that an image of this name may be replaced."""

    name: str
    sha256: str
    object: str
    replace: bool = False

    @property
    def bytes(self) -> int:
        return size_of(self.object)

    @property
    def expires(self) -> int:
        """Seconds since the epoch."""
        return expiry_of(self.object)


def write(announced: Announced, key: str) -> str:
    """The id, for a path: letters, digits, `-`, `_` and a dot."""
    text = json.dumps(asdict(announced), separators=(",", ":")).encode()
    return f"{_encode(text)}.{_encode(_sign(text, key))}"


def read(upload_id: str, keys: Sequence[str]) -> Announced:
    """What an id says that was signed with one of these keys. Raises UnknownUpload."""
    try:
        text, signature = map(_decode, upload_id.split("."))
    except (ValueError, binascii.Error):
        raise UnknownUpload("the id is none that POST /uploads has given") from None
    if not any(hmac.compare_digest(_sign(text, key), signature) for key in keys):
        raise UnknownUpload("the id is none that POST /uploads has given here, or its key has been changed since")
    announced = Announced(**json.loads(text))
    assert is_name(announced.object)
    return announced


def _sign(text: bytes, key: str) -> bytes:
    return hmac.digest(key.encode(), PURPOSE + text, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
