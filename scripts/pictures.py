"""Make every picture of docs/pictures again, and the part of docs/recipes.md that shows them. `make pictures` calls it.

It starts a gateway of its own on free ports, puts the subjects in, and asks it for each recipe, as a client does.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import yaml

from scripts.examples import fingerprints, pictures, sections
from scripts.subjects import SUBJECTS

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "pictures"
MADE_OF = FOLDER / "made-of.json"
PART = re.compile(r"(<!-- recipes -->\n).*?(<!-- end -->)", re.DOTALL)
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # loopback needs no proxy
LONGEST = 60  # seconds that one answer may take


def main() -> None:
    subjects = {name: draw() for name, draw in SUBJECTS.items()}
    with tempfile.TemporaryDirectory() as root, running(Path(root)) as (public, api):
        for name, body in subjects.items():
            put(f"{api}/images/{name}", body)
        made = {file: fetch(f"{public}/images/{name}/@{recipe}") for file, (name, recipe) in pictures().items()}
    write(made, fingerprints(subjects))


def put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, method="PUT")  # noqa: S310 - the gateway on loopback
    OPEN(request, timeout=LONGEST).close()


def fetch(url: str) -> bytes:
    with OPEN(quote(url, safe=":/@=,"), timeout=LONGEST) as answer:
        body: bytes = answer.read()
        return body


def write(made: dict[str, bytes], made_of: dict[str, str]) -> None:
    """Replace what is in docs/pictures, and bring docs/recipes.md up to date."""
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.iterdir():
        stale.unlink()
    for file, body in made.items():
        (FOLDER / file).write_bytes(body)
    MADE_OF.write_text(json.dumps(made_of, indent=1, sort_keys=True) + "\n")
    page = DOCS / "recipes.md"
    shown = sections({file: len(body) for file, body in made.items()})
    page.write_text(PART.sub(lambda part: f"{part[1]}{shown}\n{part[2]}", page.read_text()))
    print(f"pictures: {len(made)} in {FOLDER}, {sum(map(len, made.values())):,} bytes")


@contextlib.contextmanager
def running(root: Path) -> Iterator[tuple[str, str]]:
    """Run a gateway below `root`; yield the URLs of its public port and of its API."""
    public, api = (f"127.0.0.1:{port}" for port in free_ports(2))
    options = {
        "public": {"listen": public, "url": f"http://{public}"},
        "api": {"listen": api},
        "metadata": {"keep": ["copyright"]},
    }
    file = root / "config.yaml"
    file.write_text(yaml.safe_dump(options))
    with (root / "log").open("wb") as log:
        command = [sys.executable, "-m", "service", "up", "-c", str(file)]
        gateway = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert gateway.stdout
        if not any("gateway is up" in line for line in gateway.stdout):
            sys.exit(f"pictures: the gateway did not start:\n{(root / 'log').read_text()}")
        yield f"http://{public}", f"http://{api}"
    finally:
        gateway.terminate()
        gateway.communicate()


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        trials = [stack.enter_context(socket.socket()) for _ in range(count)]
        for trial in trials:
            trial.bind(("127.0.0.1", 0))
        return [trial.getsockname()[1] for trial in trials]


if __name__ == "__main__":
    main()
