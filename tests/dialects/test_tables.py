"""The tables of docs/dialects.md: every row is tried, and every word has a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.recipes import print_recipe
from service.dialects.imgproxy import reading, refusals
from service.dialects.thumbor import filters
from tests.dialects.translating import dialect, meaning, refusal

DOCS = Path(__file__).parents[2] / "docs" / "dialects.md"
SOURCE = {"imgproxy": "plain/local:///cat.jpg@jpg", "thumbor": "cat.jpg"}
BARE = "plain/local:///cat.jpg"  # for options that name the format themselves
_EXAMPLE = re.compile(r"`([^`]+)` → `([^`]+)`")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    dialect: str
    words: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    refused: tuple[str, ...]

    def url(self, options: str) -> str:
        bare = self.dialect == "imgproxy" and re.search(r"(^|/)f:", options)
        return f"{options}/{BARE if bare else SOURCE[self.dialect]}"


def rows() -> Iterator[Row]:
    for name in SOURCE:
        table = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", DOCS.read_text(), re.DOTALL)
        assert table
        for line in table[1].splitlines()[2:]:
            words, become, refused = (cell.strip() for cell in line.strip("|").split("|"))
            urls = tuple(one for one in _CODE.findall(refused) if ":" in one or "/" in one or "x" in one)
            yield Row(name, tuple(_CODE.findall(words)), tuple(_EXAMPLE.findall(become)), urls)


ROWS = list(rows())


def _id(row: Row) -> str:
    return f"{row.dialect} {row.words[0]}"


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_each_example_of_a_row_becomes_what_it_says(row: Row) -> None:
    assert row.examples or row.refused
    for options, recipe in row.examples:
        found = meaning(dialect(row.dialect), row.url(options))
        assert print_recipe(found.recipe) == recipe, options


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_each_refusal_of_a_row_is_one(row: Row) -> None:
    for options in row.refused:
        assert refusal(dialect(row.dialect), row.url(options)).status in (400, 404)


def test_every_word_of_imgproxy_is_in_the_table_or_one_of_pro() -> None:
    documented = {word for row in ROWS if row.dialect == "imgproxy" for word in row.words}
    pro = {word for word, reason in refusals.REFUSED.items() if "Pro" in reason}
    assert documented == ({*reading.WORDS, *reading.PRESET, *refusals.REFUSED}) - pro


def test_every_filter_of_thumbor_is_in_the_table() -> None:
    documented = {word for row in ROWS if row.dialect == "thumbor" for word in row.words}
    assert documented >= set(filters.READERS) | set(filters.REFUSED)


def test_every_word_of_imgproxy_is_read_with_each_of_its_spellings() -> None:
    for row in ROWS:
        if row.dialect != "imgproxy" or not row.examples:
            continue
        options, recipe = row.examples[0]
        word = next(word for word in row.words for part in options.split("/") if part.split(":")[0] == word)
        for other in row.words:
            spelled = re.sub(rf"(^|/){word}:", rf"\g<1>{other}:", options)
            found = meaning(dialect("imgproxy"), f"{spelled}/{BARE if word == 'f' else SOURCE['imgproxy']}")
            assert print_recipe(found.recipe) == recipe, spelled
