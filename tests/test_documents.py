"""What README and docs say is so: tables come from the code, and commands run as they are shown."""

from __future__ import annotations

import io
import itertools
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from gateway import tables
from scripts.sample import draw_sample
from tests import examples, images
from tests.gateways import Gateway, running_gateway

HOME = Path(__file__).resolve().parent.parent
KEY = "a-key-of-at-least-sixteen-bytes"


NEEDS = {
    "a terminal of its own": [
        "README.md: make run",
        "README.md: image-gateway up",
        "docs/getting-started.md: make run",
        "docs/operations.md: pip install '.[gunicorn]'",
        "docs/swift.md: make run STORE=swift",
    ],
    "minutes": [
        "README.md: make test",
        "CONTRIBUTING.md: make setup",
        "CONTRIBUTING.md: make test ARGS=tests/gateway",
        "CONTRIBUTING.md: make test",
        "docs/performance.md: make bench",
        "docs/security.md: make soak",
    ],
    "a container engine": [
        "docs/operations.md: docker build -t image-gateway .",
        "docs/operations.md: docker run --rm image-gateway token",
        "docs/operations.md: docker run -v PICTURES:/pictures:ro -p 8080:8080 -p 8081:8081 \\",
        "docs/operations.md: docker run -p 8080:8080 -e IMAGE_GATEWAY_STORE__KIND=swift"
        " -e IMAGE_GATEWAY_STORE__SWIFT__CREATE=true \\",
    ],
    "a cluster with Keystone": [
        "docs/swift.md: openstack user create --domain Default --password-prompt image-gateway",
        "docs/swift.md: openstack application credential create image-gateway",
    ],
    "a cluster": [
        "docs/operations.md: helm install images deploy/helm --namespace image-gateway --set "
        "secret=image-gateway,ingress.enabled=true",
        "docs/swift.md: swift post images -H 'X-Remove-Versions-Location: true'",
    ],
    "three nodes": [
        "docs/nodes.md: image-gateway takedown photos/cat.jpg --wait --node http://10.0.0.12:8081 "
        "--node http://10.0.0.13:8081",
    ],
    "a machine without the checkout": [
        "docs/operations.md: python3 -m venv /opt/image-gateway",
    ],
    "a cluster, and the project's name for PROJECT": [
        "docs/swift.md: swift post images         --read-acl PROJECT:image-gateway --write-acl PROJECT:image-gateway",
    ],
}
"""What blocks need beyond an empty Debian and `make run`, each by its first command. A new one is a decision."""


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


def test_what_examples_need_is_listed() -> None:
    found: dict[str, list[str]] = {}
    for block in itertools.chain.from_iterable(map(examples.blocks, examples.PAGES)):
        if block.needs:
            command = block.code.splitlines()[0].partition("   #")[0].rstrip()
            found.setdefault(block.needs, []).append(f"{block.page}: {command}")
    assert found == NEEDS


@pytest.mark.parametrize("page", examples.PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    """So that none is left out: fenced, of a known language, and each mark right above a block that runs."""
    text = (HOME / page).read_text()
    languages = re.findall(r"^```(.*)\n(?:.*\n)*?```$", text, re.MULTILINE)
    assert {*languages} <= {*examples.RUNS, *examples.OUTPUT, *examples.SHOWN}
    assert len(re.findall("^<!-- needs:", text, re.MULTILINE)) == sum(
        bool(block.needs) for block in examples.blocks(page)
    )
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^ {4,}(?:curl|docker|image-gateway|kubectl|make|openstack|swift|systemctl) .*", plain, re.M)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a new shell on a machine where root has run `make setup`; the command is a link."""
    home = tmp_path_factory.mktemp("home")
    (home / "bin").mkdir()
    (home / "bin/image-gateway").symlink_to(Path(sys.executable).with_name("image-gateway"))
    (home / ".bash_profile").write_text('PATH="$HOME/bin:/usr/local/bin:/usr/bin:/bin"\n')
    return {"HOME": str(home), "TERM": "dumb", "LANG": "C.UTF-8"}


RUN_ON_SWIFT = "docs/api.md"  # by tests/api/test_docs.py


def runnable() -> list[str]:
    """Pages with commands that need nothing but a gateway."""
    pages = (page for page in examples.PAGES if page != RUN_ON_SWIFT)
    return [page for page in pages if any(not block.needs for block in examples.blocks(page))]


@pytest.mark.parametrize("page", runnable())
def test_the_commands_of_a_page_run_as_copied_and_save_pictures(
    page: str, gateway: Gateway, shell: dict[str, str]
) -> None:
    draw_sample(gateway.root / "sample.jpg")
    gateway.upload("photos/cat.jpg", (gateway.root / "sample.jpg").read_bytes(), replace="true")
    chosen = [block for block in examples.blocks(page) if not block.needs]
    examples.run(chosen, gateway.root, shell, python=sys.executable, change=lambda code: at(gateway, code))
    saved = [file for block in chosen for file in re.findall(r"-o (\S+)", block.code)]
    for file in saved:
        with Image.open(gateway.root / file) as picture:
            assert picture.format == {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[file.rpartition(".")[2]], file
    assert len(saved) >= (12 if page == "README.md" else 0)


def test_an_example_that_fails_is_named(tmp_path: Path) -> None:
    chosen = [examples.Block("docs/a.md", line, "sh", code, "", None) for line, code in ((3, "true\n"), (9, "false\n"))]
    with pytest.raises(examples.ExampleFailed, match=r"docs/a\.md:9 ended with 1"):
        examples.run(chosen, tmp_path, {"HOME": str(tmp_path)}, python=sys.executable)
    shows = [examples.Block("docs/a.md", 3, "sh", "echo 1\n", "", ("text", "2\n"))]
    with pytest.raises(examples.ExampleFailed, match=r"docs/a\.md:3 printed something else"):
        examples.run(shows, tmp_path, {"HOME": str(tmp_path)}, python=sys.executable)


def test_the_readme_names_every_command() -> None:
    text = (HOME / "README.md").read_text()
    listed = subprocess.run(
        [sys.executable, "-m", "service", "--help"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    for command in re.findall(r"^  ([a-z]+)  ", listed, re.MULTILINE):
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
        if not module.stem.startswith(("__", "sample")):
            assert f"`{module.stem}`" in text, module.name
    for folder in (HOME / "service").iterdir():
        if (folder / "__init__.py").exists():
            assert f"`service/{folder.name}/`" in text, folder.name
    for module in (
        *(HOME / "gateway").glob("*.py"),
        *(HOME / "gateway").glob("*.lua"),
        *(HOME / "nginx/lua").iterdir(),
    ):
        if not module.stem.startswith("__"):
            assert f"`{module.stem}`" in text, module.name


def test_the_structure_names_nothing_that_is_not_there() -> None:
    text = (HOME / "docs/structure.md").read_text()
    stems = {
        path.stem
        for folder in ("gateway", "nginx", "service", "scripts", "tests")
        for path in (HOME / folder).rglob("*")
    }
    tables = [line for line in text.splitlines() if line.startswith("| `")]
    for word in re.findall(r"`([a-z_]+)`", "\n".join(tables)):
        assert word in stems | {"auto", "source"}, word
    for place in re.findall(r"`((?:gateway|nginx|service|tests|scripts|docs)/[\w./]*)`", text):
        assert (HOME / place).exists(), place


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"public": {"access": "signed", "keys": {"KEYID": KEY}}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        draw_sample(running.root / "picture.jpg", 400, 300)
        running.upload("photos/cat.jpg", (running.root / "picture.jpg").read_bytes())
        yield running


def test_the_signing_example_makes_a_url_that_works(signed: Gateway) -> None:
    names: dict[str, str] = {}
    (example,) = [block.code for block in examples.blocks("docs/names.md") if block.language == "python"]
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
        str(signed.root / "config.yaml"),
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


def test_the_older_thumbnail_is_equalised_and_carved_by_the_preset_that_the_docs_name(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```yaml\n(presets:.*?)^```$", (HOME / "docs/names.md").read_text(), re.M | re.S)
    stripes = Image.linear_gradient("L").resize((320, 160)).point(lambda value: 100 + value // 8).convert("RGB")
    with running_gateway(tmp_path, yaml.safe_load(shown)) as older:
        assert older.upload("dull.png", images.encode(stripes, "PNG")).status_code == 201
        answered = older.public.get("/images/dull.png?thumbnail=True&format=png")
        assert answered.status_code == 200
        carved = Image.open(io.BytesIO(answered.content)).convert("L")
        scaled = older.public.get("/images/dull.png/@w=50,h=50.png")
    assert carved.size == (50, 50)
    assert Image.open(io.BytesIO(scaled.content)).size == (50, 25)
    assert np.ptp(np.asarray(carved)) > 200, "the original spans 31 levels"
