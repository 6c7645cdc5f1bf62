"""`make soak`: fuzz parsers and strippers, compare the twins, kill processes, and watch for growth.

The exit code is the number of parts that found something, or 2 for an option that cannot be.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.soak import growth, killing, parsers, twins
from tests.soak.findings import Findings, TooMany

PARTS: dict[str, Callable[[Findings, argparse.Namespace], str]] = {
    "parsers": lambda found, options: parsers.run(found, 60 * options.minutes, options.first),
    "twins": lambda found, options: twins.run(found, options.requests, options.first),
    "killing": lambda found, options: killing.run(found, options.kills, options.first, _root()),
    "growth": lambda found, options: growth.run(found, options.mixed, options.first, _root()),
}


def main() -> int:
    """Run the parts that are named, by default all; the number of those that found something."""
    options = arguments().parse_args()
    return sum(run(name, options) for name in options.parts or PARTS)


def _root() -> Path:
    """A folder for a gateway, which stays: its log tells of what was found."""
    return Path(tempfile.mkdtemp(prefix=""))


def run(name: str, options: argparse.Namespace) -> bool:
    """Run one part, and print what came of it. True where something was found."""
    findings = Findings(name, options.folder, options.seed)
    began, cpu = time.monotonic(), time.process_time()
    print(f"soak     {name:8} seed {options.seed}, from case {options.first}", flush=True)
    try:
        summary = PARTS[name](findings, options)
    except TooMany as ended:
        summary = str(ended)
    took, used = time.monotonic() - began, time.process_time() - cpu
    print(f"soak     {name:8} {summary} ({took:.0f} s, {used:.0f} s of CPU here)", flush=True)
    return bool(findings.count)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help=f"of {', '.join(PARTS)}; by default all")
    parser.add_argument("--minutes", type=float, default=30, help="of fuzzing (%(default)s)")
    parser.add_argument("--requests", type=int, default=1_000_000, help="that the twins read (%(default)s)")
    parser.add_argument("--kills", type=int, default=1000, help="of processes (%(default)s)")
    parser.add_argument("--mixed", type=int, default=20_000, help="requests of all kinds (%(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="by default another each time")
    parser.add_argument("--first", type=int, default=0, help="case or request to begin with (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("var/soak"), help="of what was found (%(default)s)")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name} is not a part; there are: {', '.join(PARTS)}")
    return name


if __name__ == "__main__":
    raise SystemExit(main())
