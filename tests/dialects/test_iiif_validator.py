"""IIIF's own validator, iiif-validator 1.0.5, by both ports: all that it tests passes but what it has wrong.

It is installed in an environment of its own, as the Swift of other tests is.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.gateways import Gateway
from tests.swift.server import environment

REQUIREMENTS = Path(__file__).with_name("validator-requirements.txt")
IDENTIFIER = "67352ccc-d1b0-11e1-89ae-279075081939.png"  # the name that the validator gives its test image

NOT_UNDER_PYTHON_3 = {"format_jp2", "format_pdf", "format_webp"}
"""They call urllib.urlopen, which Python 2 had."""

AGAINST_THE_SPECIFICATION = {"size_noup", "size_up"}
"""The first wants 400 for `!2000,3000` of 1000x1000 pixels, where section 4.2 has the image "not upscaled"; the second
wants 1000x1000 of `^max`, which is the largest size that info.json allows."""

Square = tuple[int, int, int]


@pytest.fixture(scope="module")
def validator() -> Path:
    """The environment."""
    return environment(REQUIREMENTS)


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway, validator: Path) -> None:
    """Upload the validator's image: ten by ten squares of the colours that it looks for."""
    (source,) = validator.rglob("iiif_validator/validator.py")
    found = re.search(r"self\.colorInfo = (\[\[.*?\]\])\s*\n\s*def", source.read_text(), re.DOTALL)
    assert found
    colours: list[list[Square]] = ast.literal_eval(found[1])
    image = Image.new("RGB", (1000, 1000))
    for x, column in enumerate(colours):
        for y, colour in enumerate(column):
            image.paste(colour, (100 * x, 100 * y, 100 * x + 100, 100 * y + 100))
    file = io.BytesIO()
    image.save(file, "PNG")
    assert gateway.upload(IDENTIFIER, file.getvalue()).status_code == 201


@pytest.mark.parametrize(
    ("port", "version", "count", "failing"),
    [
        ("public", "3.0", 45, NOT_UNDER_PYTHON_3 | AGAINST_THE_SPECIFICATION),
        ("public", "2.0", 42, NOT_UNDER_PYTHON_3),
        ("api", "3.0", 45, NOT_UNDER_PYTHON_3 | AGAINST_THE_SPECIFICATION),
        ("api", "2.0", 42, NOT_UNDER_PYTHON_3),
    ],
)
def test_all_levels_pass(
    gateway: Gateway, validator: Path, port: str, version: str, count: int, failing: set[str]
) -> None:
    client: httpx.Client = getattr(gateway, port)
    url = client.base_url
    options = ["-s", f"{url.host}:{url.port}", "-p", f"iiif/{version[0]}", "-i", IDENTIFIER]
    program = [validator / "bin/python", validator / "bin/iiif-validate.py"]
    run = subprocess.run(
        [*program, *options, "--version", version, "--level", "3"], capture_output=True, text=True, check=False
    )
    assert f"Done ({count} tests, {len(failing)} failures)" in run.stderr
    assert set(re.findall(r"test (\w+) FAIL", run.stderr)) == failing, run.stderr
