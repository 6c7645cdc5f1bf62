"""Hints: an unknown word is answered with the known one it most likely means, in both languages alike."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hints import LONGEST_HINTED, nearest
from gateway.lua_contract import LUA_ROOT, lupa
from gateway.rules import FORMATS, VOCABULARY, Rules

LUA = lupa.LuaRuntime(encoding="latin-1")
LUA.execute(f"package.path = '{LUA_ROOT}/?.lua'")
HINTS = LUA.eval("require('gateway.hints')")
WORDS = list(Rules().query_words)
MEANT = VOCABULARY["meant"]

words = st.text("abcwhqfitx12_-", max_size=LONGEST_HINTED + 2)


def in_lua(word: str, known: list[str], meant: dict[str, str] | None = None) -> str | None:
    found: str | None = HINTS.nearest(word, LUA.table_from(known), LUA.table_from(meant or {}))
    return found


@given(st.one_of(words, st.text(st.characters(max_codepoint=255), max_size=8)), st.lists(words, max_size=6))
def test_both_languages_find_the_same_word(word: str, known: list[str]) -> None:
    assert in_lua(word, known) == nearest(word, known)
    assert in_lua(word, WORDS, MEANT["keys"]) == nearest(word, WORDS, MEANT["keys"])


@given(st.sampled_from(WORDS + list(FORMATS)), st.integers(0, 20), st.sampled_from("xz9"))
def test_one_slip_in_three_letters_is_forgiven(word: str, place: int, letter: str) -> None:
    place %= len(word)
    slips = (
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
    )
    for slip in slips:
        assert nearest(slip, [word]) == (word if len(slip) >= 3 or slip == word else None)


def test_the_nearest_word_is_taken_and_of_equals_the_first() -> None:
    assert nearest("bluer", ["blurred", "bluer"]) == "bluer"
    assert nearest("cat", ["bat", "hat"]) == "bat"
    assert nearest("cat", ["hat", "bat"]) == "hat"
    assert nearest("cat", []) is None


@pytest.mark.parametrize(("table", "known"), [
    ("keys", WORDS), ("formats", [*FORMATS, *VOCABULARY["undecided"]]), ("switches", ["0", "1"]),
])  # fmt: skip
def test_the_words_of_other_services_are_none_of_ours_and_mean_one_of_ours(table: str, known: list[str]) -> None:
    assert not set(MEANT[table]) & set(known)
    assert set(MEANT[table].values()) <= set(known)


@pytest.mark.parametrize("row", [row for row in VOCABULARY["operations"] if "meant" in row], ids=lambda row: row["key"])
def test_the_values_of_other_services_mean_one_of_ours(row: dict[str, Any]) -> None:
    assert not set(row["meant"]) & set(row["words"])
    assert set(row["meant"].values()) <= set(row["words"])
