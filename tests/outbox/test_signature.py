"""Signatures of events against the specification's own example and its own library."""

from __future__ import annotations

import pytest

from gateway.outbox_settings import secret_bytes
from service.outbox.webhooks import signature
from tests.outbox.boxes import SECRET


def test_the_example_of_the_specification_has_its_signature() -> None:
    body = b'{"test": 2432232314}'
    found = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret_bytes(SECRET)])
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_of_two_secrets_signs() -> None:
    one, other = secret_bytes(SECRET), bytes(range(32))
    both = signature("id", 1, b"body", [one, other])
    assert both.split(" ") == [signature("id", 1, b"body", [one]), signature("id", 1, b"body", [other])]


@pytest.mark.parametrize(
    "secret",
    ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_####", "whsec_c2hvcnQ=", f"whsec_{'QUFB' * 30}"],
)
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_ and 24 to 64 bytes in base64"):
        secret_bytes(secret)
