"""Values: what each type takes, and the one spelling it gives."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import VOCABULARY, Rules
from gateway.values import expectation, maximum, normalise
from tests.gateway.requests import VALUES

RULES = Rules()
ROWS = {row["key"]: row for row in VOCABULARY["operations"] if row["type"] != "overlays"}  # which take a configuration
NUMBERS = [row for row in ROWS.values() if row["type"] in ("integer", "decimal")]


def value(key: str, text: str) -> str | None:
    return normalise(ROWS[key], text, RULES.limits)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A row, and a decimal number in one of its spellings."""
    row = draw(st.sampled_from(NUMBERS))
    whole = draw(st.one_of(st.integers(0, 12), st.integers(0, 10**11)))
    fraction = draw(st.sampled_from(["", ".", ".0", ".5", ".50", ".25", ".125", ".05"]))
    return row, draw(st.sampled_from(["", "-"])) + draw(st.sampled_from(["", "0", "000"])) + f"{whole}{fraction}"


@given(numbers())
def test_a_number_keeps_its_value_or_is_out_of_range(case: tuple[dict[str, Any], str]) -> None:
    row, text = case
    number, places = Fraction(text.rstrip(".")), row.get("places", 0)
    in_range = Fraction(str(row["min"])) <= number <= maximum(row, RULES.limits)
    fits = (number * 10**places).denominator == 1 and (row["type"] == "decimal" or "." not in text)

    normal = normalise(row, text, RULES.limits)

    assert (normal is not None) == (in_range and fits)
    if normal is not None:
        assert Fraction(normal) == number
        assert normal == str(number) if number.denominator == 1 else normal.strip("0.-")


@given(st.sampled_from(list(ROWS)), st.text(max_size=20))
def test_a_canonical_value_is_its_own_spelling(key: str, text: str) -> None:
    for written in (text, *VALUES[key]):
        normal = value(key, written)
        assert normal is None or value(key, normal) == normal


@given(st.sampled_from(list(ROWS)), st.text(max_size=30))
def test_a_canonical_value_holds_nothing_that_a_name_could_trip_over(key: str, text: str) -> None:
    normal = value(key, text)

    assert normal is None or all(one.isascii() and (one.isalnum() or one in "-.:") for one in normal)


@pytest.mark.parametrize(
    "text", ["", ".", "-", "-.", "+1", " 1", "1 ", "1_0", "1e1", "0x1", "٣", "½", "nan", "inf", "1\n"]
)
@pytest.mark.parametrize("key", ["w", "bri", "gam", "sharpen", "g", "crop"])
def test_what_is_no_number_is_none(key: str, text: str) -> None:
    whole = {"g": f"{text}:0", "crop": f"0:0:1:{text}"}.get(key, text)

    assert value(key, whole) is None


@pytest.mark.parametrize("key", list(ROWS))
def test_every_operation_says_what_it_takes_with_its_range(key: str) -> None:
    said = expectation(ROWS[key], RULES.limits)

    assert "{" not in said
    for part in ROWS[key].get("parts", [ROWS[key]]):
        for bound in ("min", "max"):
            if bound in part:
                number = maximum(part, RULES.limits) if bound == "max" else part["min"]
                assert str(number) in said


@pytest.mark.parametrize("key", list(ROWS))
def test_a_default_is_a_canonical_value(key: str) -> None:
    default = ROWS[key].get("default")

    assert default is None or value(key, default) == default


@pytest.mark.parametrize(
    ("key", "text", "normal"),
    [
        ("mb", "1000000000", "1000000000"),
        ("mb", "1000000001", None),
        ("w", "0" * 5000 + "4096", "4096"),
        ("g", "1.0:.500", "e"),
        ("g", "0.333:0", "0.333:0"),
        ("g", "0.3333:0", None),
        ("g", "1:0:0", None),
        ("g", "northwest", None),
        ("crop", "0p:0p:0p:1", None),
        ("crop", "0:99.99p:1:100p", "0:99.99p:1:0.01p"),
        ("crop", "0:100p:1:1", None),
        ("crop", "0:0:1000000:1000001", None),
        ("crop", "1:2:3", None),
        ("crop", "-1:0:5:5", None),
        ("crop", "p:0:5:5", None),
        ("bg", "#", None),
        ("bg", "12345", None),
        ("bg", "1234567", None),
        ("bg", "12345678", "12345678"),
        ("bg", "ABCDEFff", "abcdef"),
        ("bg", "red", None),
        ("sharpen", "50:10:1", "50:10:1"),
        ("sharpen", "0.1:0.01:0.001", "0.1:0.01:0.001"),
        ("sharpen", "", None),
        ("keep", "icc:copyright", "copyright:icc"),
        ("keep", "icc:", None),
        ("fit", "", None),
        ("up", "TRUE", "1"),
        ("q", "auto", "auto"),
        ("q", "AUTO", None),
    ],
)
def test_a_value(key: str, text: str, normal: str | None) -> None:
    assert value(key, text) == normal
