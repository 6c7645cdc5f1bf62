"""The vocabulary as Markdown, for docs/names.md."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.rules import VOCABULARY, Rules
from gateway.values import expectation


def operations() -> str:
    """A row for each operation: key and aliases, what it takes, its default, what it means."""
    rules = Rules()

    def rows() -> Iterator[tuple[str, ...]]:
        for key, row in rules.operations.items():
            words = ", ".join(f"`{word}`" for word in (key, *row.get("aliases", ())))
            default = row.get(
                "default", "per format" if "default_from" in row else "0" if row["type"] == "switch" else ""
            )
            yield words, expectation(row, rules.limits), f"`{default}`" if default else "", row["meaning"]

    return _table(("key", "values", "default", "meaning"), rows())


def formats() -> str:
    """A row for each format that can go out: word, aliases, media type."""
    rows = (
        (", ".join(f"`{one}`" for one in (word, *row.get("aliases", ()))), f"`{row['type']}`", row["meaning"])
        for word, row in VOCABULARY["formats"].items()
    )
    return _table(("format", "type", "meaning"), rows)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
