"""The commands that README and docs show, run in a shell as a reader copies them: in order, page by page.

A block that needs more than a machine with Debian and a running gateway has a comment `<!-- needs: … -->` above it.
`python3 -m tests.examples` runs all others in a login shell, against the gateway of `make run`; it needs no package.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (HOME / "docs").glob("*.md")))
RUNS = ("sh", "python")
OUTPUT = ("json", "text")
SHOWN = ("yaml",)
FENCE = re.compile(r"^(?:<!-- needs: (?P<needs>[^\n]+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
SECONDS = 300  # for a page
UNKNOWN_AT_FIRST = {"swept", "age", "part"}  # of `GET /stats`: nothing was compared, or walked through, yet
FACTS = ("md5", "sha256", "format", "width", "height", "orientation", "taken", "camera")
"""Keys of answers whose values a page shows as they are. Of others it shows an example."""


@dataclass(frozen=True)
class Block:
    """A block of a page that is to be run."""

    page: str
    line: int
    language: str
    code: str
    needs: str
    """What it needs beyond a machine with Debian and a running gateway; empty for nothing."""
    prints: tuple[str, str] | None
    """The language and text of the output that the page shows right after it."""


class ExampleFailed(AssertionError):
    """A block ended with an error, or printed something else than the page says."""


def blocks(page: str) -> list[Block]:
    """The blocks of a page that can be run, in order."""
    text = (HOME / page).read_text()
    found, fences = [], list(FENCE.finditer(text))
    for fence, after in zip_longest(fences, fences[1:]):
        if fence["language"] in RUNS:
            line = text.count("\n", 0, fence.start("code")) + 1
            printed = (after["language"], after["code"]) if after and after["language"] in OUTPUT else None
            found.append(Block(page, line, fence["language"], fence["code"], fence["needs"] or "", printed))
    return found


def run(
    chosen: Sequence[Block],
    folder: Path,
    environ: Mapping[str, str],
    *,
    python: Path | str,
    change: Callable[[str], str] = str,
    compare: bool = True,
) -> None:
    """Run blocks in one login shell, which begins in `folder`; Python's by `python`. `change` is applied to the code.

    Raises ExampleFailed at the first that fails or, with `compare`, prints something else than its page shows.
    """
    with tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch, "script")
        script.write_text("set -euo pipefail\n" + "".join(_step(block, str(python), change) for block in chosen))
        shell = ["bash", "--login", str(script)]
        done = subprocess.run(
            shell, cwd=folder, env=dict(environ), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    printed = done.stdout.split(MARK)[1:]
    if done.returncode:
        reached = chosen[len(printed) - 1] if printed else chosen[0]
        raise ExampleFailed(f"{_place(reached)} ended with {done.returncode}:\n{reached.code}{done.stderr}")
    for block, output in zip(chosen, printed, strict=True):
        if compare and block.prints and not _is_as_shown(output, *block.prints):
            raise ExampleFailed(f"{_place(block)} printed something else than the page shows:\n{output}")


MARK = "\x1e"  # stands before what a block prints


def _step(block: Block, python: str, change: Callable[[str], str]) -> str:
    code = change(block.code)
    if block.language == "python":
        code = f"{python} - <<'END OF BLOCK'\n{code}END OF BLOCK\n"
    return f"printf '{MARK}'\n{code}"


def _place(block: Block) -> str:
    return f"{block.page}:{block.line}"


def _is_as_shown(output: str, language: str, shown: str) -> bool:
    if language != "json":
        return output == shown
    printed, expected = json.loads(output), json.loads(shown)
    return shape(printed) == shape(expected) and facts(printed) == facts(expected)


def facts(value: Any) -> list[tuple[str, Any]]:
    """What an answer says of the picture itself, which is the same in every gateway."""
    if isinstance(value, list):
        return facts(value[0]) if value else []
    if not isinstance(value, dict):
        return []
    found = [(key, value[key]) for key in FACTS if key in value]
    if "md5" in value or "width" in value:
        found.append(("bytes", value["bytes"]))
    return found + [fact for inner in value.values() for fact in facts(inner)]


def shape(value: Any) -> Any:
    """The keys of an answer and the types of their values, but for those that are null until they are known."""
    if isinstance(value, dict):
        return {key: shape(0.0 if key in UNKNOWN_AT_FIRST and inner is None else inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def main() -> None:
    """Run what needs nothing more, with the environment of a new shell.

    The output is not compared: earlier pages leave images in the gateway.
    """
    environ = {"HOME": os.environ.get("HOME", "/"), "TERM": "dumb"}
    for page in PAGES:
        chosen = [block for block in blocks(page) if not block.needs]
        if chosen:
            run(chosen, HOME, environ, python=HOME / ".venv/bin/python", compare=False)
            print(f"examples: {page}: {len(chosen)} blocks work as copied", flush=True)


if __name__ == "__main__":
    try:
        main()
    except ExampleFailed as failed:
        sys.exit(f"examples: {failed}")
