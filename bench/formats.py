"""What the formats of `auto` cost: CPU, and bytes at the same SSIMULACRA2, at three sizes; and what `q=auto` saves.

The encoders alone, in one thread, take turns at one photograph, scaled by Lanczos. JPEG XL is written from luma and
chroma, as photographs are; that these are made of RGB counts as its CPU. Bytes at a score are interpolated between
qualities, on a logarithmic scale. `fewer_bytes` judges JPEG XL by the bytes of several photographs.
"""

from __future__ import annotations

import io
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from PIL import Image
from ssimulacra2.ssimulacra2 import compute_ssimulacra2

from bench import fewer_bytes, photographs
from bench.curve import bytes_at
from gateway.rules import DEFAULT_EFFORT, DEFAULT_QUALITY
from service.engine import photograph, quality, writers
from service.engine.geometry import Box
from service.engine.jpeg.planes import Planes, plane_sizes
from service.engine.jxl import reading as jxl
from service.engine.magick.writing import Settings
from service.engine.picture import Details, Frame, Picture
from service.engine.plane import reaching

WIDTHS = (200, 640, 1600)
SCORES = (65, 72, 78)
ROUNDS = 5
LADDERS = {"jxl": (45, 60, 70, 80, 88), "avif": (45, 55, 65, 75), "webp": (66, 78, 88, 94)}
"""Qualities that score from about 60 to 80."""

HIGH = 85
"""The quality from which on photographs, too, are written by libjxl's own coding (`service.engine.rescale`)."""

JXL_MOST = 1.0
"""The bar: JPEG XL of 640 pixels takes at most WebP's CPU, each at its default."""


@dataclass
class Encoder:
    """A format at one effort, its CPU in milliseconds by round, and (score, bytes) of each quality."""

    format: str
    effort: int
    costs: list[float] = field(default_factory=list)
    made: list[tuple[float, int]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.format}, effort {self.effort}"

    def bytes_at(self, score: float) -> float | None:
        """None outside what was measured."""
        return bytes_at(self.made, score)


def encoders() -> list[Encoder]:
    """The defaults of `formats.effort`, and those of AVIF's neighbours."""
    return [
        Encoder("jxl", DEFAULT_EFFORT["jxl"]),
        *(Encoder("avif", effort) for effort in (0, 1)),
        Encoder("webp", DEFAULT_EFFORT["webp"]),
    ]


def main() -> int:
    """Print the tables; return how many bars are missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Image.open(photographs.photo(folder)) as opened:
            photo = opened.convert("RGB")
        print("\n| width | encoder | CPU, ms | " + " | ".join(f"kB at {score}" for score in SCORES) + " |")
        print("| --- | --- | --- |" + " --- |" * len(SCORES))
        for width in WIDTHS:
            image = _scaled(photo, width)
            found = encoders()
            _take_turns(found, image)
            for one in found:
                _score(one, image, folder)
                sizes = " | ".join(_kilobytes(one.bytes_at(score)) for score in SCORES)
                print(f"| {width} | {one.title} | {median(one.costs):.1f} | {sizes} |", flush=True)
            if width == 640:
                missed += _missed(found)
        _auto(photo, folder)
    return missed + fewer_bytes.main(_measured)


def _scaled(photo: Image.Image, width: int) -> Image.Image:
    return photo.resize((width, round(width * photo.height / photo.width)), Image.Resampling.LANCZOS)


def _take_turns(found: list[Encoder], image: Image.Image) -> None:
    """Each encoder at the quality that is the default, in turns. The first round warms up."""
    for turn in range(ROUNDS + 1):
        for one in found:
            before = time.process_time()
            _encoded(one.format, image, DEFAULT_QUALITY[one.format], one.effort)
            if turn:
                one.costs.append((time.process_time() - before) * 1000)


def _score(one: Encoder, image: Image.Image, folder: Path) -> None:
    one.made = [_measured(one.format, image, value, folder, one.effort) for value in LADDERS[one.format]]


def _measured(
    format: str, image: Image.Image, value: int, folder: Path, effort: int | None = None
) -> tuple[float, int]:
    """Score and bytes of a quality; None is the default effort."""
    data = _encoded(format, image, value, effort)
    return _ssimulacra2(image, _shown(format, data, image.size), folder), len(data)


def _missed(found: list[Encoder]) -> int:
    """Whether JPEG XL misses its bar of CPU against WebP, both at their default efforts."""
    ours, webp = (
        next(one for one in found if (one.format, one.effort) == (format, DEFAULT_EFFORT[format]))
        for format in ("jxl", "webp")
    )
    ratio = median(a / b for a, b in zip(ours.costs, webp.costs, strict=True))
    print(f"\nJPEG XL 640 to WebP 640: CPU {ratio:.2f} (at most {JXL_MOST:.2f})\n")
    return int(ratio > JXL_MOST)


def _auto(photo: Image.Image, folder: Path) -> None:
    """Bytes of `q=auto` against those of the one quality that reaches its score for every picture."""
    pictures = [_scaled(photo, width) for width in (200, 640)]
    pictures += [_scaled(photo.crop(box), 320) for box in _quarters(photo.size)]
    print("| format | fixed q | kB | q=auto | kB | saved |\n| --- | --- | --- | --- | --- | --- |")
    for format in DEFAULT_QUALITY:
        chosen = [_chosen(format, image) for image in pictures]
        fixed = max(value for value, _ in chosen)
        flat = sum(len(_encoded(format, image, fixed)) for image in pictures)
        saved = sum(size for _, size in chosen)
        values = f"{min(value for value, _ in chosen)} to {fixed}"
        print(f"| {format} | {fixed} | {flat / 1000:.1f} | {values} | {saved / 1000:.1f} | {1 - saved / flat:.0%} |")


def _chosen(format: str, image: Image.Image) -> tuple[int, int]:
    """The quality that `q=auto` takes, and the bytes."""
    made: dict[bytes, int] = {}

    def write(value: int) -> bytes:
        data = _encoded(format, image, value)
        made[data] = value
        return data

    def show(data: bytes, judged: quality.Judged) -> Image.Image:
        return _shown(format, data, judged.image.size)

    data = quality.seeming(write, [Frame(image)], show)
    return made[data], len(data)


def _quarters(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    width, height = size[0] // 2, size[1] // 2
    return [(x, y, x + width, y + height) for x in (0, width) for y in (0, height)]


def _encoded(format: str, image: Image.Image, value: int, effort: int | None = None) -> bytes:
    if format == "jxl" and value < HIGH:
        return photograph.write(_planes(image), image.size, value, DEFAULT_EFFORT[format])
    settings = Settings(value, effort=DEFAULT_EFFORT[format] if effort is None else effort)
    return writers.PILLOW[format](Picture([Frame(image)], Box(0, 0, *image.size), 1.0, Details()), settings)


def _planes(image: Image.Image) -> Planes:
    luma, _ = plane_sizes(image.size)
    y, cb, cr = (reaching(plane, *luma) for plane in image.convert("YCbCr").split())
    return y, cb.reduce(2), cr.reduce(2)


def _shown(format: str, data: bytes, size: tuple[int, int]) -> Image.Image:
    return jxl.decoded(data, size) if format == "jxl" else Image.open(io.BytesIO(data)).convert("RGB")


def _ssimulacra2(image: Image.Image, made: Image.Image, folder: Path) -> float:
    paths = [folder / "reference.png", folder / "made.png"]
    image.save(paths[0])
    made.save(paths[1])
    return float(compute_ssimulacra2(*paths))


def _kilobytes(size: float | None) -> str:
    return "" if size is None else f"{size / 1000:.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
