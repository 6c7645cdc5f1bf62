"""Messages are signed as Standard Webhooks says, so that its libraries verify them."""

import base64
import subprocess

import pytest

from gateway.standard_webhooks import headers, key_of, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, TIME, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_that_of_the_reference_libraries() -> None:
    # The vector in the test suites of the libraries of standard-webhooks/standard-webhooks.
    assert sign(SECRET, MESSAGE, TIME, BODY) == SIGNATURE


def test_the_signature_is_what_openssl_makes() -> None:
    body, key = b"\x00\xff not text", key_of(SECRET).hex()
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    made = subprocess.run(command, input=b"one.7." + body, capture_output=True, check=True).stdout
    assert sign(SECRET, "one", 7, body) == "v1," + base64.b64encode(made).decode()


def test_while_a_secret_is_replaced_a_message_has_a_signature_of_each() -> None:
    other = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    given = headers((other, SECRET), MESSAGE, TIME, BODY)
    assert given["webhook-id"] == MESSAGE
    assert given["webhook-timestamp"] == "1614265330"
    assert given["webhook-signature"].split(" ") == [sign(other, MESSAGE, TIME, BODY), SIGNATURE]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_not base64!",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 bytes in base64") as refused:
        key_of(secret)
    assert not secret or secret == "whsec_" or secret not in str(refused.value)


@pytest.mark.parametrize("size", [24, 64])
def test_the_shortest_and_the_longest_key_are_taken(size: int) -> None:
    assert key_of("whsec_" + base64.b64encode(bytes(size)).decode()) == bytes(size)
