"""URLs of imgproxy and thumbor mean what these servers document, in the size that they make, or are refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.names import parse
from service.engine import geometry
from tests.dialects.translating import RULES, SHAPE, dialect, meaning, refusal, vectors

MEANS = [(name, row) for name in ("imgproxy", "thumbor") for row in vectors(name, "means")]
REFUSED = [(name, row) for name in ("imgproxy", "thumbor") for row in vectors(name, "refused")]


def _id(value: object) -> str:
    return str(value["url"]) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(("name", "row"), MEANS, ids=_id)
def test_a_url_means_one_canonical_name(name: str, row: dict[str, Any]) -> None:
    found = meaning(dialect(name), row["url"])
    assert found.name == row["name"]
    assert found.shaped == row.get("shape", False)
    assert found.translation.until == row.get("until")
    assert str(parse(found.name.replace("%", "%25"), "", RULES)) == found.name


@pytest.mark.parametrize(("name", "row"), [one for one in MEANS if "size" in one[1]], ids=_id)
def test_the_result_has_the_size_that_the_peer_makes(name: str, row: dict[str, Any]) -> None:
    recipe = meaning(dialect(name), row["url"]).recipe
    assert geometry.result((SHAPE.width, SHAPE.height), recipe) == tuple(row["size"])


@pytest.mark.parametrize(("name", "row"), REFUSED, ids=_id)
def test_what_has_no_equal_is_refused_by_name(name: str, row: dict[str, Any]) -> None:
    rules = replace(RULES, keep=row.get("keep", RULES.keep))
    error = refusal(dialect(name, rules=rules), row["url"], opaque=row.get("opaque", True))
    assert error.status == {"imgproxy": 404, "thumbor": 400}[name]
    assert error.detail.removeprefix("Invalid URL: ").startswith(row["word"])
