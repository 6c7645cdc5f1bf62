"""Access to the public port, and signatures: they hold for one name, in every spelling, until their end."""

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import authorise, is_preset, sign
from gateway.errors import Refused
from gateway.names import escape, parse
from gateway.rules import Rules
from tests.gateway.requests import KEY, RULES, spellings

NOW = 1_900_000_000
SIGNED = replace(RULES, access="signed")
NAME = "cat.jpg/@w=300.webp"


def verdict(path: str, query: str = "", rules: Rules = SIGNED, now: int = NOW) -> int:
    try:
        authorise(parse(path, query, rules), rules, now)
    except Refused as refused:
        return refused.status
    return 200


def with_signature(name: str, key_id: str = "first", key: str = KEY, expires: int | None = None) -> str:
    end = "" if expires is None else f"&exp={expires}"
    return f"sig={key_id}.{sign(name, key, expires)}{end}"


@pytest.mark.parametrize("expires", [None, NOW])
def test_a_signature_is_what_openssl_makes(expires: int | None) -> None:
    message = f"{NAME}\n{'' if expires is None else expires}"
    command = ["openssl", "dgst", "-sha256", "-hmac", KEY, "-hex", "-r"]
    made = subprocess.run(command, input=message.encode(), capture_output=True, check=True).stdout.split()[0]

    padded = sign(NAME, KEY, expires).replace("-", "+").replace("_", "/") + "="

    decoded = subprocess.run(["openssl", "base64", "-d", "-A"], input=padded.encode(), capture_output=True, check=True)
    assert decoded.stdout.hex() == made.decode()


@given(st.data())
def test_a_signature_holds_for_every_spelling_of_its_name(data: st.DataObject) -> None:
    signature = with_signature(NAME)

    assert verdict(data.draw(spellings(NAME, plain="/")), signature) == 200
    assert verdict("cat.jpg", f"format=webp&{signature}&w=0{data.draw(spellings('300'))}") == 200


@given(st.sampled_from(["dog.jpg", "cat.jpg"]), st.integers(1, 400), st.sampled_from(["webp", "jpg", "auto"]))
def test_a_signature_holds_for_no_other_name(image: str, width: int, format: str) -> None:
    other = f"{image}/@w={width}.{format}"

    assert (verdict(escape(other), with_signature(NAME)) == 200) == (other == NAME)


@given(st.integers(0, 42), st.characters(codec="ascii", categories=("L", "N")))
def test_a_signature_with_one_character_changed_is_wrong(place: int, character: str) -> None:
    right = sign(NAME, KEY)
    given = right[:place] + character + right[place + 1 :]

    assert verdict(NAME, f"sig=first.{given}") == (200 if given == right else 403)


@given(st.integers(NOW - 3, NOW + 3))
def test_a_signature_holds_until_its_end(expires: int) -> None:
    assert verdict(NAME, with_signature(NAME, expires=expires)) == (200 if expires >= NOW else 403)


def test_several_keys_live_at_once_until_one_is_withdrawn() -> None:
    first, second = with_signature(NAME), with_signature(NAME, "second", SIGNED.keys["second"])
    later = replace(SIGNED, keys={"second": SIGNED.keys["second"]})

    assert (verdict(NAME, first), verdict(NAME, second)) == (200, 200)
    assert (verdict(NAME, first, later), verdict(NAME, second, later)) == (403, 200)


def test_a_signature_is_no_part_of_the_name() -> None:
    name = parse(NAME, with_signature(NAME, expires=NOW), SIGNED)

    assert str(name) == NAME
    assert name.signature.keys() == {"sig", "exp"}


@pytest.mark.parametrize("preset", list(RULES.presets))
@pytest.mark.parametrize("format", ["jpg", "webp", "auto", "source"])
def test_presets_need_no_signature(preset: str, format: str) -> None:
    assert verdict(f"cat.jpg/@{preset}.{format}") == 200
    assert is_preset(parse(f"cat.jpg/@{preset}.{format}", "", SIGNED), SIGNED)


def test_without_a_signature_it_is_missing_and_with_a_wrong_one_it_is_refused() -> None:
    assert verdict(NAME) == 401
    assert verdict(NAME, "sig=first.wrong") == 403
    assert verdict(NAME, rules=replace(RULES, access="presets")) == 403
    assert verdict(NAME, rules=replace(RULES, access="open")) == 200


def test_metadata_is_public_only_where_the_configuration_says_so() -> None:
    meta = "cat.jpg/@meta.json"

    assert verdict(meta, rules=replace(RULES, access="open", metadata=False)) == 403
    assert verdict(meta, rules=replace(RULES, access="open")) == 200
    assert verdict(meta, rules=replace(RULES, access="presets")) == 403
    assert verdict(meta, with_signature(meta)) == 200


def test_the_keys_are_never_printed() -> None:
    assert KEY not in repr(RULES) and KEY not in str(RULES)
