"""Make every picture of docs/pictures again, and the part of docs/recipes.md that shows them. `make pictures` calls it.

It starts a gateway of its own on free ports, puts the subjects in, and asks it for each recipe, as a client does.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import quote

from scripts import screens
from scripts.examples import fingerprints, pictures, sections
from scripts.local_gateway import running
from scripts.subjects import SUBJECTS, logo

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "pictures"
MADE_OF = FOLDER / "made-of.json"
PART = re.compile(r"(<!-- recipes -->\n).*?(<!-- end -->)", re.DOTALL)
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # loopback needs no proxy
LONGEST = 60  # seconds that one answer may take
OPTIONS = {
    "metadata": {"keep": ["copyright"]},
    "overlays": {
        "logo": {"file": "logo.png", "place": "se:2p:2p:0.8:20p"},
        "credit": {"text": "© {copyright}", "size": "6%"},
    },
}


def main() -> None:
    subjects = {name: draw() for name, draw in SUBJECTS.items()}
    with tempfile.TemporaryDirectory() as root, contextlib.ExitStack() as stack:
        Path(root, "logo.png").write_bytes(logo())
        public, api = stack.enter_context(running(Path(root), OPTIONS))
        for name, body in subjects.items():
            put(f"{api}/images/{name}", body)
        shots = screens.take(public, api, subjects["lake.jpg"])
        made = {file: fetch(f"{public}/images/{name}/@{recipe}") for file, (name, recipe) in pictures().items()}
    write(made, fingerprints(subjects), shots)


def put(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, method="PUT")  # noqa: S310 - the gateway on loopback
    OPEN(request, timeout=LONGEST).close()


def fetch(url: str) -> bytes:
    with OPEN(quote(url, safe=":/@=,~"), timeout=LONGEST) as answer:
        body: bytes = answer.read()
        return body


def write(made: dict[str, bytes], made_of: dict[str, str], shots: dict[str, bytes]) -> None:
    """Replace what is in docs/pictures, and bring docs/recipes.md up to date."""
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.iterdir():
        stale.unlink()
    for file, body in (made | shots).items():
        (FOLDER / file).write_bytes(body)
    MADE_OF.write_text(json.dumps(made_of | screens.fingerprints(), indent=1, sort_keys=True) + "\n")
    page = DOCS / "recipes.md"
    shown = sections({file: len(body) for file, body in made.items()})
    page.write_text(PART.sub(lambda part: f"{part[1]}{shown}\n{part[2]}", page.read_text()))
    print(f"pictures: {len(made)} in {FOLDER}, {sum(map(len, made.values())):,} bytes")


if __name__ == "__main__":
    main()
