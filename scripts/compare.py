"""Compare what the gateway makes of every picture of a folder with what libvips makes of it.

    python -m scripts.compare FOLDER [SHEET]

Each file becomes a PNG that fits into a square of SIDE pixels, by the gateway (nginx, service and engine, at their
defaults) and by libvips. The two are equal where their sizes are, and where they differ by at most NEAR levels of 255
in the mean, on black and on white. A table says what differs and what only one of the two refuses; SHEET, a PNG
(default var/compare.png), shows both pictures and their difference, four times as strong.

It ends with 1 where the gateway alone refuses a file.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyvips
from PIL import Image, ImageChops, ImageDraw, ImageStat

from scripts.local_gateway import running

SIDE = 256
NEAR = 3.0  # levels of 255: two Lanczos filters, on photographs that were scaled while they were decoded
GROUNDS = ("black", "white")
SHEET = Path("var/compare.png")
MOST_SHOWN = 60
TILE = 160  # pixels
LONGEST = 120  # seconds for one answer
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # loopback needs no proxy
VERDICTS = ("equal", "differs", "other size", "refused by us alone", "refused by libvips alone", "refused by both")


@dataclass(frozen=True)
class Comparison:
    """One file: each side's picture in RGBA or its refusal, and the mean difference in levels of 255."""

    name: str
    ours: Image.Image | str
    theirs: Image.Image | str

    @property
    def verdict(self) -> str:
        if isinstance(self.ours, str):
            return "refused by both" if isinstance(self.theirs, str) else "refused by us alone"
        if isinstance(self.theirs, str):
            return "refused by libvips alone"
        if self.ours.size != self.theirs.size:
            return "other size"
        return "equal" if self.difference <= NEAR else "differs"

    @property
    def difference(self) -> float:
        """The greater of the mean differences on black and on white; 0 where there is nothing to compare."""
        if isinstance(self.ours, str) or isinstance(self.theirs, str) or self.ours.size != self.theirs.size:
            return 0.0
        pairs = ((_laid(self.ours, ground), _laid(self.theirs, ground)) for ground in GROUNDS)
        return max(sum(ImageStat.Stat(ImageChops.difference(*pair)).mean) / 3 for pair in pairs)

    def __str__(self) -> str:
        sides = [side if isinstance(side, str) else "{}x{}".format(*side.size) for side in (self.ours, self.theirs)]
        return f"{self.verdict:25} {self.difference:6.1f}  {self.name}: {sides[0]} | {sides[1]}"


def main(words: list[str]) -> int:
    """Print the table and write the sheet; the exit status."""
    if len(words) not in (1, 2) or not Path(words[0]).is_dir():
        print("usage: make compare FOLDER=pictures, or python -m scripts.compare FOLDER [SHEET]", file=sys.stderr)
        return 2
    found = sorted(compare(Path(words[0]).resolve()), key=lambda one: (VERDICTS.index(one.verdict), one.name))
    for one in found:
        if one.verdict != "equal":
            print(one)
    counts = Counter(one.verdict for one in found)
    print(f"{len(found)} files: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS))
    shown = [one for one in found if one.verdict not in ("equal", "refused by both")][:MOST_SHOWN]
    if shown:
        target = Path(words[1]) if len(words) > 1 else SHEET
        target.parent.mkdir(parents=True, exist_ok=True)
        sheet(shown).save(target)
        print(f"{len(shown)} of them are in {target}: ours, libvips, the difference")
    return 1 if counts["refused by us alone"] else 0


def compare(folder: Path) -> list[Comparison]:
    """Compare every file below the folder, in the order of their names."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(2) as threads:
        derived = Path(root) / "derived"
        store = {"kind": "directory", "directory": {"root": str(folder), "derived": str(derived)}}
        with running(Path(root), {"store": store}) as (public, _):
            ours = threads.map(lambda name: _ours(public, name), names)
            return [Comparison(name, our, _theirs(folder / name)) for name, our in zip(names, ours, strict=True)]


def sheet(comparisons: list[Comparison]) -> Image.Image:
    """One row for each: both pictures, their difference times four, and the name."""
    drawn = Image.new("RGB", (3 * TILE, (TILE + 16) * len(comparisons)), "gray")
    pen = ImageDraw.Draw(drawn)
    for row, one in enumerate(comparisons):
        top = row * (TILE + 16)
        pen.text((2, top + 2), f"{one.verdict} {one.difference:.1f} {one.name}"[:78], "white")
        for column, tile in enumerate(_tiles(one)):
            drawn.paste(tile, (column * TILE, top + 16))
    return drawn


def _tiles(one: Comparison) -> Iterator[Image.Image]:
    left, right = (None if isinstance(side, str) else _laid(side, "white") for side in (one.ours, one.theirs))
    for side in (left, right):
        yield _tile(side) if side else Image.new("RGB", (TILE, TILE), "maroon")
    if left and right and left.size == right.size:
        yield _tile(ImageChops.difference(left, right).point([min(255, 4 * level) for level in range(256)] * 3))


def _tile(image: Image.Image) -> Image.Image:
    small = image.copy()
    small.thumbnail((TILE, TILE))
    return small


def _ours(public: str, name: str) -> Image.Image | str:
    url = f"{public}/images/{quote(name)}/@w={SIDE},h={SIDE}.png"
    try:
        with OPEN(url, timeout=LONGEST) as answer:
            return _opened(answer.read())
    except urllib.error.HTTPError as error:
        try:
            problem = json.loads(error.read())
            return f"{error.code} {problem.get('detail') or problem.get('title')}"
        except ValueError:
            return str(error.code)


def _theirs(path: Path) -> Image.Image | str:
    """What libvips makes of it, in sRGB and upright, as its own thumbnailer does, with all the loaders that it has."""
    pyvips.block_untrusted_set(False)  # the engine, where it is loaded in the same process, blocks some
    try:
        made = pyvips.Image.thumbnail(
            str(path), SIDE, height=SIDE, size=pyvips.Size.DOWN, output_profile="srgb", fail_on="error"
        )
        return _opened(made.pngsave_buffer(strip=True, bitdepth=8))
    except pyvips.Error as error:
        return str(error).strip().splitlines()[-1]
    finally:
        pyvips.block_untrusted_set(True)


def _opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGBA")


def _laid(image: Image.Image, ground: str) -> Image.Image:
    flat = Image.new("RGBA", image.size, ground)
    flat.alpha_composite(image)
    return flat.convert("RGB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
