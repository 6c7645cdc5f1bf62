"""What README and docs/names.md say is so: their tables come from the code, and their examples run."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import tables
from service.sample import draw_sample
from tests.gateways import Gateway, running_gateway

HOME = Path(__file__).resolve().parent.parent
KEY = "a-key-of-at-least-sixteen-bytes"


def blocks(file: str, language: str) -> list[str]:
    """The code blocks of a language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", (HOME / file).read_text(), re.MULTILINE | re.DOTALL)


def at(gateway: Gateway, text: str) -> str:
    """The example with the ports of this gateway."""
    for port, client in (("8080", gateway.public), ("8081", gateway.api)):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{client.base_url.port}")
    return text


@pytest.mark.parametrize("name", ["operations", "formats"])
def test_the_tables_are_those_of_the_vocabulary(name: str) -> None:
    text = (HOME / "docs/names.md").read_text()
    (table,) = re.findall(rf"<!-- {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert table == getattr(tables, name)()


def test_every_example_of_the_readme_works(gateway: Gateway, tmp_path: Path) -> None:
    draw_sample(tmp_path / "picture.jpg", 800, 600)
    gateway.upload("photos/cat.jpg", (tmp_path / "picture.jpg").read_bytes())
    examples = [line for block in blocks("README.md", "sh") for line in block.splitlines()]
    assert len(examples) >= 15
    for example in examples:
        ended = subprocess.run(
            ["sh", "-c", at(gateway, example)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 0, (example, ended.stderr)


def test_the_readme_names_every_command() -> None:
    text = (HOME / "README.md").read_text()
    listed = subprocess.run(
        [sys.executable, "-m", "service", "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    for command in re.findall(r"^    ([a-z]+) ", listed, re.MULTILINE):
        assert f"image-gateway {command}" in text, command


def test_every_document_that_is_named_is_there() -> None:
    for document in (HOME / "README.md", *(HOME / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), (document.name, link)


@pytest.mark.parametrize("page", sorted((HOME / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_a_page_begins_with_what_it_is_for_and_ends_with_where_to_go_next(page: Path) -> None:
    title, purpose = page.read_text().split("\n\n")[:2]
    assert title.startswith("# ")
    assert purpose.startswith("This page "), purpose
    _, separator, links = page.read_text().rpartition("\n## Where to go next\n\n")
    assert separator
    assert all(re.match(r"- \[[\w.-]+\.md\]\([\w.-]+\.md\): ", line) for line in links.splitlines()), links


def test_every_page_is_named_by_the_readme() -> None:
    text = (HOME / "README.md").read_text()
    for page in (HOME / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text, page.name


def test_the_structure_names_every_folder_and_module_there_is() -> None:
    text = (HOME / "docs/structure.md").read_text()
    for module in (HOME / "service").glob("*.py"):
        if not module.stem.startswith(("__", "cli_", "sample")):
            assert f"`{module.stem}`" in text, module.name
    for folder in (HOME / "service").iterdir():
        if (folder / "__init__.py").exists():
            assert f"`service/{folder.name}/`" in text, folder.name


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory):
    options = {"public": {"access": "signed", "keys": {"KEYID": KEY}}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        draw_sample(running.root / "picture.jpg", 400, 300)
        running.upload("photos/cat.jpg", (running.root / "picture.jpg").read_bytes())
        yield running


def test_the_signing_example_makes_a_url_that_works(signed: Gateway) -> None:
    names: dict[str, str] = {}
    (example,) = blocks("docs/names.md", "python")
    exec(at(signed, example), names)
    assert signed.public.get(names["url"]).status_code == 200
    assert signed.public.get(names["url"].replace("w=300", "w=301")).status_code == 403
    assert signed.public.get(names["url"].partition("?")[0]).status_code == 401


def test_the_command_signs_what_nginx_accepts(signed: Gateway) -> None:
    command = [
        sys.executable,
        "-m",
        "service",
        "sign",
        "photos/cat.jpg?w=200&format=webp",
        "-c",
        signed.root / "config.yaml",
    ]
    for lifetime in ([], ["--lifetime", "60"]):
        url = subprocess.run(
            [*command, *lifetime], capture_output=True, text=True, timeout=60, check=True
        ).stdout.strip()
        answered = signed.public.get(url)
        assert answered.status_code == 200, answered.text
    over = re.sub("exp=[0-9]+", f"exp={int(time.time()) - 60}", url)
    assert signed.public.get(over).status_code == 403
    assert signed.public.get("/images/photos/cat.jpg/@thumbnail.png").status_code == 200
