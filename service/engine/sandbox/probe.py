"""Try what ImageMagick must refuse. `policy.prove_policy` runs this as a process of its own, in an empty folder.

Each attempt gives an image or a file where it is allowed. Prints JSON: attempt to what came of it, "" for refused.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path

from wand.api import library
from wand.image import Image

FILES = {
    "sample.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    "sample.mvg": "push graphic-context\nviewbox 0 0 9 9\nfill 'red'\nrectangle 0,0 9,9\npop graphic-context\n",
    "sample.msl": '<?xml version="1.0"?><image size="9x9"><read filename="xc:red"/></image>',
    "sample.ps": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n0 0 9 9 rectfill showpage\n",
    "sample.pnm": "P1\n2 2\n0 1 1 0\n",
    "sample.xpm": '/* XPM */\nstatic char *x[] = {\n"1 1 1 1",\n"a c red",\n"a"};\n',
    "secret.txt": "confidential\n",
    "list.txt": "sample.pnm\n",
    "victim.pnm": "P1\n2 2\n0 1 1 0\n",
}
"""Small whole documents; each sample is read by its coder's name, and again by its content alone."""

READ = (
    *("xc:red", "canvas:red", "gradient:red-blue", "pattern:bricks", "logo:", "plasma:", "tile:sample.pnm"),
    *("label:words", "caption:words", "label:@secret.txt", "caption:@secret.txt", "text:secret.txt", "txt:secret.txt"),
    *("ephemeral:victim.pnm", "vid:sample.pnm", "html:secret.txt", "pango:words", "gray:secret.txt", "@list.txt"),
    *("http://127.0.0.1:9/a.png", "https://127.0.0.1:9/a.png", "ftp://127.0.0.1:9/a.png", "|true", "x:"),
)

WRITTEN = ("txt", "info", "json", "mvg", "miff", "mpc", "svg", "html", "ps", "pdf", "pnm")


REFUSED, ALLOWED = 40, 41  # exit codes, apart from those that libraries end a process with


def main() -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    samples = [name for name in FILES if name.startswith("sample.")]
    named = (*READ, *(f"{Path(sample).suffix[1:]}:{sample}" for sample in samples))
    outcome = {
        **{f"read {name}": _try(_read, name) for name in named},
        **{f"content of {sample}": _try(_recognise, sample) for sample in samples},
        **{f"write {coder}:": _try(_write, coder) for coder in WRITTEN},
    }
    print(json.dumps(outcome))


def _try(attempt: Callable[[str], None], argument: str) -> str:
    """In a process of its own: several coders end theirs when they are let."""
    child = os.fork()
    if child == 0:
        warnings.simplefilter("ignore")
        try:
            attempt(argument)
        except Exception:
            os._exit(REFUSED)
        os._exit(ALLOWED)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {REFUSED: "", ALLOWED: "allowed"}.get(code, f"allowed, and the process ended with {code}")


def _read(name: str) -> None:
    with Image() as image:
        library.MagickSetSize(image.wand, 9, 9)  # some coders draw, and must know how large
        image.read(filename=name)


def _recognise(sample: str) -> None:
    with Image(blob=Path(sample).read_bytes()):
        pass


def _write(coder: str) -> None:
    with Image(width=9, height=9) as image:
        image.save(filename=f"{coder}:written.{coder}")


if __name__ == "__main__":
    main()
