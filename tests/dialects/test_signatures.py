"""Signatures of imgproxy and thumbor: their own schemes, several keys at once, and their own errors."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from gateway.errors import Refused
from service.dialects.dialect import Dialect, Request, Translation
from service.dialects.imgproxy import Imgproxy, Key
from service.dialects.thumbor import Thumbor
from tests.dialects.translating import RULES

# The key and salt of imgproxy's own examples (examples/signature.py).
EXAMPLE = Key(
    bytes.fromhex("943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881"),
    bytes.fromhex("520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5"),
)
OTHER = Key(b"another key", b"another salt")
SIGNED = "/rs:fit:300:200/plain/local:///cat.jpg@jpg"
THUMBOR_KEY = "my-security-key"
CHOSEN = "300x200/smart/cat.jpg"


def read(dialect: Dialect, path: str, *, trusted: bool = False) -> str:
    answer = dialect.read(Request("/p", path, trusted=trusted))
    assert isinstance(answer, Translation)
    return str(answer.name)


def status(dialect: Dialect, path: str) -> int:
    with pytest.raises(Refused) as caught:
        dialect.read(Request("/p", path))
    return caught.value.status


def imgproxy(*keys: Key) -> Imgproxy:
    return Imgproxy(("/p",), RULES, keys)


def thumbor(*keys: str, unsafe: bool = False) -> Thumbor:
    return Thumbor(("/p",), RULES, keys, unsafe)


def test_imgproxys_signature_is_that_of_its_documentation() -> None:
    """https://docs.imgproxy.net/usage/signing_url: key `secret`, salt `hello`, and this URL and signature."""
    path = "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"
    assert Key(b"secret", b"hello").sign(path) == "oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8"


def test_any_of_imgproxys_keys_signs() -> None:
    for key in (EXAMPLE, OTHER):
        assert read(imgproxy(EXAMPLE, OTHER), key.sign(SIGNED) + SIGNED) == "cat.jpg/@w=300,h=200.jpg"
    assert status(imgproxy(EXAMPLE), OTHER.sign(SIGNED) + SIGNED) == 403


def test_a_wrong_signature_of_imgproxy_is_403_and_says_nothing_of_the_right_one() -> None:
    right = EXAMPLE.sign(SIGNED)
    for wrong in ("insecure", "_", right[:-1], right + "=", right.swapcase(), "é"):
        assert status(imgproxy(EXAMPLE), wrong + SIGNED) == 403
    assert status(imgproxy(EXAMPLE), EXAMPLE.sign("/w:1") + SIGNED) == 403
    assert right.encode() not in imgproxy(EXAMPLE).problem(403, "the signature is wrong for this URL").body


def test_the_signature_is_looked_at_before_the_options() -> None:
    assert status(imgproxy(EXAMPLE), "insecure/nope:1/plain/local:///cat.jpg") == 403


def test_imgproxy_without_keys_takes_any_signature_and_so_needs_open_access() -> None:
    assert not imgproxy().signs
    assert imgproxy(EXAMPLE).signs
    assert read(imgproxy(), f"insecure{SIGNED}") == "cat.jpg/@w=300,h=200.jpg"


def test_a_shorter_signature_of_imgproxy_is_taken_where_it_is_configured() -> None:
    key = Key(EXAMPLE.key, EXAMPLE.salt, 16)
    assert len(base64.urlsafe_b64decode(key.sign(SIGNED) + "==")) == 16
    assert read(imgproxy(key), key.sign(SIGNED) + SIGNED) == "cat.jpg/@w=300,h=200.jpg"
    assert status(imgproxy(EXAMPLE), key.sign(SIGNED) + SIGNED) == 403


def thumbor_signature(path: str, key: str = THUMBOR_KEY) -> str:
    """As libthumbor computes it: base64url of HMAC-SHA1, with padding."""
    return base64.urlsafe_b64encode(hmac.new(key.encode(), path.encode(), hashlib.sha1).digest()).decode()


def test_thumbors_signature_is_that_of_its_library() -> None:
    """As libthumbor 2.0.2 signs it: CryptoURL("MY_SECURE_KEY").generate(width=300, height=200, smart=True, ...)."""
    path = "300x200/smart/path/to/image.jpg"
    assert read(thumbor("MY_SECURE_KEY"), f"3ZAFIB9OK_j_R10MafCdhFO99mE=/{path}") == (
        "path/to/image.jpg/@w=300,h=200,fit=cover,up=1,g=smart.source"
    )


def test_any_of_thumbors_keys_signs() -> None:
    for key in (THUMBOR_KEY, "second"):
        assert read(thumbor(THUMBOR_KEY, "second"), f"{thumbor_signature(CHOSEN, key)}/{CHOSEN}")
    escaped = thumbor_signature(CHOSEN).replace("=", "%3D")
    assert read(thumbor(THUMBOR_KEY), f"{escaped}/{CHOSEN}")
    assert status(thumbor(THUMBOR_KEY), f"{thumbor_signature(CHOSEN, 'second')}/{CHOSEN}") == 400


def test_a_wrong_signature_of_thumbor_is_400_as_in_thumbor() -> None:
    right = thumbor_signature(CHOSEN)
    for wrong in ("x", right[:-1], right.swapcase(), "unsafe", "300x200", "é"):
        assert status(thumbor(THUMBOR_KEY), f"{wrong}/{CHOSEN}") == 400


def test_unsafe_is_answered_only_where_it_is_configured() -> None:
    assert status(thumbor(THUMBOR_KEY), f"unsafe/{CHOSEN}") == 400
    assert status(thumbor(), f"unsafe/{CHOSEN}") == 400
    assert read(thumbor(unsafe=True), f"unsafe/{CHOSEN}")
    assert thumbor(THUMBOR_KEY).signs
    assert not thumbor(THUMBOR_KEY, unsafe=True).signs


def test_a_trusted_request_needs_no_signature() -> None:
    assert read(imgproxy(EXAMPLE), f"x{SIGNED}", trusted=True)
    assert read(thumbor(THUMBOR_KEY), f"x/{CHOSEN}", trusted=True)
