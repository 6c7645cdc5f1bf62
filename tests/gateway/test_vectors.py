"""The vectors hold in both languages, and say something about everything there is."""

from dataclasses import replace

import pytest

from gateway.checks import failures, vectors
from gateway.contracts import LuaContract, PythonContract
from gateway.rules import FORMAT_ALIASES, FORMATS, VOCABULARY

TEXT = str(vectors()["names"])


@pytest.mark.parametrize("language", [PythonContract, LuaContract])
def test_the_vectors_hold(language):
    assert list(failures(language)) == []


@pytest.mark.parametrize("language", [PythonContract, LuaContract])
def test_vectors_that_do_not_hold_are_told(language):
    def strict(rules):
        return language(replace(rules, limits={"width": 299, "height": 4096, "frames": 500}, negotiate=()))

    told = list(failures(strict))

    assert any("names" in one and "w=300: must be a whole number from 1 to 299" in one for one in told)
    assert any("negotiation" in one and "'base' should be 'avif'" in one for one in told)


@pytest.mark.parametrize("row", VOCABULARY["operations"], ids=lambda row: row["key"])
def test_every_operation_has_a_vector(row):
    for word in (row["key"], *row.get("aliases", ())):
        assert f"{word}=" in TEXT


@pytest.mark.parametrize("word", [*FORMATS, *FORMAT_ALIASES, *VOCABULARY["undecided"], "json"])
def test_every_format_has_a_vector(word):
    assert word in TEXT.lower()


@pytest.mark.parametrize("word", [*VOCABULARY["request_parameters"], *VOCABULARY["naming_parameters"]])
def test_every_parameter_has_a_vector(word):
    assert f"{word}=" in TEXT


def test_no_vector_is_given_twice():
    for group in ("names", "negotiation", "holding", "freshness", "verdicts"):
        asked = [str({key: value for key, value in row.items() if key != "why"}) for row in vectors()[group]]
        assert sorted(set(asked)) == sorted(asked)
