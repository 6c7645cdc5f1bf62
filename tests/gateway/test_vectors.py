"""The vectors hold in both languages, and say something about everything there is."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.contracts import Contract, PythonContract
from gateway.lua_contract import LuaContract
from gateway.marker import parse_marker, parse_smaller, print_marker, print_smaller
from gateway.rules import FORMAT_ALIASES, FORMATS, VOCABULARY, Rules
from gateway.vectors import failures, vectors

TEXT = str(vectors()["names"])


@pytest.mark.parametrize("language", [PythonContract, LuaContract])
def test_the_vectors_hold(language: type[LuaContract] | type[PythonContract]) -> None:
    assert list(failures(language)) == []


@pytest.mark.parametrize("language", [PythonContract, LuaContract])
def test_vectors_that_do_not_hold_are_told(language: type[LuaContract] | type[PythonContract]) -> None:
    def strict(rules: Rules) -> Contract:
        return language(replace(rules, limits={"width": 299, "height": 4096, "frames": 500}, negotiate=()))

    told = list(failures(strict))

    assert any("names" in one and "w=300: must be a whole number from 1 to 299" in one for one in told)
    assert any("negotiation" in one and "'base' should be 'avif'" in one for one in told)


@pytest.mark.parametrize("row", VOCABULARY["operations"], ids=lambda row: row["key"])
def test_every_operation_has_a_vector(row: dict[str, Any]) -> None:
    for word in (row["key"], *row.get("aliases", ())):
        assert f"{word}=" in TEXT


@pytest.mark.parametrize("word", [*FORMATS, *FORMAT_ALIASES, *VOCABULARY["undecided"], "json"])
def test_every_format_has_a_vector(word: str) -> None:
    assert word in TEXT.lower()


@pytest.mark.parametrize("word", [*VOCABULARY["request_parameters"], *VOCABULARY["naming_parameters"]])
def test_every_parameter_has_a_vector(word: str) -> None:
    assert f"{word}=" in TEXT


def test_no_vector_is_given_twice() -> None:
    for group in vectors().keys() - {"about", "rules"}:
        asked = [str({key: value for key, value in row.items() if key != "why"}) for row in vectors()[group]]
        assert sorted(set(asked)) == sorted(asked)


def test_a_marker_is_written_as_it_is_read() -> None:
    for row in vectors()["markers"]:
        marker = parse_marker(row["marker"])
        assert marker is None or print_marker(marker) == row["marker"]


def test_notes_are_written_as_they_are_read() -> None:
    noted = {"avif": "jpg", "webp": "webp"}

    assert parse_smaller(print_smaller(noted)) == noted
    assert parse_smaller(print_smaller({})) == {}
