"""What docs/engine.md lists is what the code has."""

import re
from pathlib import Path

from gateway.image_settings import METADATA_FIELDS, PRIVATE_FIELDS
from gateway.rules import VOCABULARY
from service.engine.formats import FORMATS
from service.engine.pipeline import STEPS
from service.engine.quality import LADDER, TARGET

TEXT = (Path(__file__).resolve().parents[2] / "docs/engine.md").read_text()
AT_THE_ENDS = {"ar", "dpr", "frame", "q", "lossless", "mb"}  # before decoding, or when encoding


def rows(name: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", TEXT, re.DOTALL)
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_its_steps_are_those_of_the_pipeline_in_their_order() -> None:
    assert [row[0].strip("`") for row in rows("steps")] == [step.__name__ for step in STEPS]


def test_every_key_of_the_vocabulary_belongs_to_a_step_or_to_decoding_or_encoding() -> None:
    keys = {key for row in rows("steps") for key in words(row[1])}
    assert keys | AT_THE_ENDS == {operation["key"] for operation in VOCABULARY["operations"]}
    assert all(f"`{key}`" in TEXT for key in AT_THE_ENDS)


def test_its_fields_are_those_that_the_configuration_knows() -> None:
    fields = [field for row in rows("fields") for field in words(row[0])]
    assert fields == [*METADATA_FIELDS, *PRIVATE_FIELDS]


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"{LADDER[0]}, {LADDER[1]}, ... {LADDER[-1]}" in TEXT
    assert f"similarity of {TARGET}" in TEXT
    assert f"quality {FORMATS['jpg'].faithful_quality}, AVIF {FORMATS['avif'].faithful_quality}" in TEXT
