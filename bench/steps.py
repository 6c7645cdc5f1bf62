"""Run by `bench/run libraries`, with the environment of an engine process: prints what each step costs.

Milliseconds are of the CPU, the least of several runs; the two libraries take turns, and the ratio is the median of
what one turn cost by `auto` against the other by `imagemagick`.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import get_args
from unittest import mock

from PIL import Image

from bench import alternatives, photographs
from service.engine import pipeline, rescale
from service.engine.job import Job, Library, Limits
from service.engine.recent import _held
from service.engine.recognise import recognise
from tests import profiles

RUNS = 5

ROWS = (
    ("read jpg", "decode", "photo", "w=640", "bmp"),
    ("read png", "decode", "alpha", "w=640", "bmp"),
    ("read webp", "decode", "photo.webp", "w=640", "bmp"),
    ("read avif", "decode", "photo.avif", "w=640", "bmp"),
    ("read gif", "decode", "photo.gif", "w=640", "bmp"),
    ("read tif", "decode", "photo.tif", "w=640", "bmp"),
    ("read bmp", "decode", "photo.bmp", "w=640", "bmp"),
    ("orient", "transform", "turned", "", "bmp"),
    ("resample", "transform", "photo", "w=640", "bmp"),
    ("to_srgb", "transform", "profiled", "", "bmp"),
    ("pad", "transform", "small", "w=800,h=800,fit=pad", "bmp"),
    ("rotate", "transform", "small", "rot=30", "bmp"),
    ("flip", "transform", "small", "flip=h", "bmp"),
    ("tone: gray", "transform", "small", "gray=1", "bmp"),
    ("tone: equalize", "transform", "small", "equalize=1", "bmp"),
    ("tone: normalize", "transform", "small", "normalize=1", "bmp"),
    ("tone: negate", "transform", "small", "negate=1", "bmp"),
    ("tone: bri", "transform", "small", "bri=10", "bmp"),
    ("tone: con", "transform", "small", "con=10", "bmp"),
    ("tone: sat", "transform", "small", "sat=30", "bmp"),
    ("tone: gam", "transform", "small", "gam=1.4", "bmp"),
    ("flatten", "transform", "alpha", "", "bmp"),
    ("write jpg", "encode", "photo", "w=640", "jpg,q=90"),
    ("write png: gray", "encode", "small", "gray=1", "png"),
    ("write png: alpha", "encode", "small alpha", "flip=h", "png"),
    ("write webp", "encode", "photo", "w=640", "webp"),
    ("write avif", "encode", "photo", "w=640", "avif"),
    ("write tif", "encode", "small", "", "tif"),
    ("write bmp", "encode", "small", "", "bmp"),
    ("whole: JPEG to JPEG 640", "", "photo", "w=640", "jpg"),
    ("whole: JPEG to WebP 640", "", "photo", "w=640", "webp"),
)
"""What is measured: a title, the stage, an original, a recipe, a format (and what is asked of it)."""


def measure(scratch: Path) -> None:
    files = {"photo": photographs.photo(scratch), "alpha": photographs.alpha(scratch)}
    with Image.open(files["photo"]) as photo:
        small, turned = photo.resize((640, 522)), Image.Exif()
        turned[0x0112] = 6
        for name, picture, options in (
            ("photo.webp", photo, {"quality": 90}),
            ("photo.avif", photo, {"quality": 80, "speed": 9}),
            ("turned.png", photo, {"exif": turned.tobytes(), "compress_level": 1}),
            ("profiled.png", small, {"icc_profile": profiles.display_p3()}),
            ("small.png", small, {}),
            ("small alpha.png", Image.open(files["alpha"]).resize((640, 480)), {}),
            ("photo.gif", photo.quantize(256), {}),
            ("photo.tif", photo, {"compression": "tiff_lzw", "tiffinfo": {317: 2}}),
            ("photo.bmp", photo, {}),
        ):
            picture.save(scratch / name, **options)
            files[name.removesuffix(".png")] = scratch / name

    def cost(library: Library, stage: str, original: str, recipe: str, kind: str) -> float:
        word, *more = kind.split(",")
        parts = dict(part.split("=") for part in (*recipe.split(","), *more) if part)
        source = str(files[original])
        limits = Limits(10**8, 100, 10000, 10000)
        job = Job("derive", source, recognise(Path(source)), limits, parts, word, f"{source}.made", library=library)
        _held.clear()
        stages = pipeline.derive(job).stages
        return (stages[stage] if stage else sum(stages.values())) * 1000

    print("| step | auto, ms | imagemagick, ms | ratio |\n| --- | --- | --- | --- |")
    clock = SimpleNamespace(perf_counter=time.process_time)
    with mock.patch.object(pipeline, "time", clock), mock.patch.object(rescale, "time", clock):
        for title, *asked in ROWS:
            turns = [tuple(cost(library, *asked) for library in get_args(Library)) for _ in range(RUNS)]
            auto, magick = (min(costs) for costs in zip(*turns, strict=True))
            ratio = statistics.median(ours / theirs for ours, theirs in turns)
            print(f"| {title} | {auto:.1f} | {magick:.1f} | {ratio:.2f} |", flush=True)
    alternatives.measure(small)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
