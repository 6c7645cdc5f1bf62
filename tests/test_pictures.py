"""docs/ shows every operation, and each picture there is what the gateway answers today."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gateway.rules import VOCABULARY
from scripts import screens
from scripts.examples import EXAMPLES, Example, fingerprints, pictures, sections
from scripts.pictures import OPTIONS
from scripts.subjects import SUBJECTS, logo
from tests.engine.deriving import ssim
from tests.examples import blocks
from tests.gateways import Gateway, running_gateway
from tests.test_documents import at

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "pictures"
AGAIN = "`make pictures` makes the pictures of docs/ again"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway as `make pictures` has it."""
    root = tmp_path_factory.mktemp("gateway")
    (root / "logo.png").write_bytes(logo())
    with running_gateway(root, OPTIONS) as running:
        yield running


@pytest.fixture(scope="module")
def subjects() -> dict[str, bytes]:
    return {name: draw() for name, draw in SUBJECTS.items()}


def test_every_operation_of_the_vocabulary_has_an_example() -> None:
    keys = [operation["key"] for operation in VOCABULARY["operations"]]
    shown = list(dict.fromkeys(example.key for example in EXAMPLES))
    assert shown == keys, "scripts/examples.py shows the operations in the order of gateway/vocabulary.json"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.after)
def test_an_example_uses_its_operation_only_after(example: Example) -> None:
    used = f"(^|,){example.key}="
    assert re.search(used, example.after)
    assert example.key in ("w", "h", "fit", "q") or not re.search(used, example.before)


def test_every_picture_was_made_of_what_it_shows_and_none_is_left_over(subjects: dict[str, bytes]) -> None:
    made_of = json.loads((FOLDER / "made-of.json").read_text())
    assert made_of == fingerprints(subjects) | screens.fingerprints(), AGAIN
    assert {path.name for path in FOLDER.iterdir()} == {"made-of.json", *pictures(), *screens.SCREENS}, AGAIN


def test_the_page_of_recipes_shows_every_example() -> None:
    (part,) = re.findall(r"<!-- recipes -->\n(.*?)\n<!-- end -->", (DOCS / "recipes.md").read_text(), re.DOTALL)
    assert part == sections({file: (FOLDER / file).stat().st_size for file in pictures()}), AGAIN


def test_every_picture_of_the_documentation_is_shown_somewhere() -> None:
    text = "".join(page.read_text() for page in DOCS.glob("*.md"))
    assert [file for file in pictures() if f"(pictures/{file})" not in text] == []


def test_the_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in DOCS.rglob("*") if path.suffix in (".webp", ".jpg", ".svg")}
    assert [name for name, size in sizes.items() if size > (150_000 if name in screens.SCREENS else 25_000)] == []
    assert sum(sizes.values()) < 1_000_000


def test_the_screenshots_are_shown_in_readme_and_docs_as_large_as_they_were_taken() -> None:
    text = "".join(page.read_text() for page in (DOCS.parent / "README.md", DOCS / "workbench.md"))
    for file in screens.SCREENS:
        assert f"pictures/{file})" in text, file
        with Image.open(FOLDER / file) as shot:
            assert shot.size == screens.SIZE


def test_every_picture_is_what_the_gateway_answers(gateway: Gateway, subjects: dict[str, bytes]) -> None:
    for name, body in subjects.items():
        assert gateway.upload(name, body).status_code == 201
    for file, (name, recipe) in pictures().items():
        answered = gateway.public.get(f"/images/{name}/@{recipe}")
        assert answered.status_code == 200, (recipe, answered.text)
        shown, now = pixels((FOLDER / file).read_bytes()), pixels(answered.content)
        assert shown.shape == now.shape, (recipe, AGAIN)
        assert ssim(shown, now) > 0.95, (recipe, AGAIN)


def test_the_commands_of_getting_started_work(gateway: Gateway, tmp_path: Path) -> None:
    gateway.upload("photos/cat.jpg", SUBJECTS["lake.jpg"]())
    commands = [
        line for block in blocks("docs/getting-started.md") if not block.needs for line in block.code.splitlines()
    ]
    for command in commands:
        ended = subprocess.run(
            ["sh", "-c", at(gateway, command)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, (command, ended.stderr)
    with Image.open(tmp_path / "square.jpg") as square, Image.open(tmp_path / "small.webp") as small:
        assert (square.size, small.width) == ((160, 160), 240)
        assert not square.getexif()


def pixels(data: bytes) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
