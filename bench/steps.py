"""Run by `bench/run libraries`, with the environment of an engine process: prints what each step costs."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from bench import photographs
from service.engine import pipeline
from service.engine.job import Job, Library, Limits
from service.engine.recent import _held
from service.engine.recognise import recognise
from tests import profiles

RUNS = 7

ROWS = (
    ("read jpg", "decode", "photo", "w=640", "bmp"),
    ("read png", "decode", "alpha", "w=640", "bmp"),
    ("read webp", "decode", "photo.webp", "w=640", "bmp"),
    ("read avif", "decode", "photo.avif", "w=640", "bmp"),
    ("orient", "transform", "turned", "", "bmp"),
    ("resample", "transform", "photo", "w=640", "bmp"),
    ("to_srgb", "transform", "profiled", "", "bmp"),
    ("pad", "transform", "small", "w=800,h=800,fit=pad", "bmp"),
    ("rotate", "transform", "small", "rot=30", "bmp"),
    ("flip", "transform", "small", "flip=h", "bmp"),
    ("flatten", "transform", "alpha", "", "bmp"),
    ("write jpg", "encode", "photo", "w=640", "jpg,q=90"),
    ("write webp", "encode", "photo", "w=640", "webp"),
    ("write avif", "encode", "photo", "w=640", "avif"),
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
        ):
            picture.save(scratch / name, **options)
            files[name.removesuffix(".png")] = scratch / name

    def cost(library: Library, stage: str, original: str, recipe: str, kind: str) -> float:
        word, *more = kind.split(",")
        parts = dict(part.split("=") for part in (*recipe.split(","), *more) if part)
        source = str(files[original])
        limits = Limits(10**8, 100, 10000, 10000)
        job = Job("derive", source, recognise(Path(source)), limits, parts, word, f"{source}.made", library=library)
        found = []
        for _ in range(RUNS):
            _held.clear()
            stages = pipeline.derive(job).stages
            found.append(stages[stage] if stage else sum(stages.values()))
        return min(found) * 1000

    print("| step | auto, ms | imagemagick, ms |\n| --- | --- | --- |")
    for title, *asked in ROWS:
        auto, magick = cost("auto", *asked), cost("imagemagick", *asked)
        print(f"| {title} | {auto:.1f} | {magick:.1f} |", flush=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
