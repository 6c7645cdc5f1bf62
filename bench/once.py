"""How often an image is made in a fleet: three nodes on one Swift behind the example balancer, one killed and back.

A row for each phase: computations for each image, whose bar is 1.02, and answers that were no image. What a node has
made is in Swift before it is killed; what is not may be made once more. `python -m bench.once [IMAGES]`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.nodes.once import Fleet, running_fleet
from tests.swift.server import running_swift

IMAGES = 1000
BAR = 1.02
LOST = 2


def main() -> int:
    """Print the rows; return how many miss the bar."""
    count = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else IMAGES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with running_swift(root / "swift") as swift, running_fleet(root, swift, count) as fleet:
            short = [_row(fleet, "all nodes live", "@w=4.png", 1.0)]
            fleet.kill(LOST)
            short.append(_row(fleet, "one is lost: what was made before", "@w=4.png", 0.0))
            short.append(_row(fleet, "one is lost: other images", "@w=5.png", 1.0))
            fleet.start(LOST)
            short.append(_row(fleet, "it is back: what was made meanwhile", "@w=5.png", 0.0))
            short.append(_row(fleet, "it is back: other images", "@w=6.png", 1.0))
    return sum(short)


def _row(fleet: Fleet, phase: str, recipe: str, wanted: float) -> bool:
    """Ask for every image; whether it falls short."""
    made, failed = fleet.ask_all(recipe)
    short = failed > 0 or not wanted <= made <= wanted + BAR - 1
    verdict = "  SHORT" if short else ""
    print(f"once     {phase:36} {len(fleet.names):6} images {made:6.3f} computations each, {failed} failed{verdict}")
    return short


if __name__ == "__main__":
    sys.exit(main())
