"""What Pillow could do of the steps that ImageMagick does in `auto`: CPU time, bytes and score of both, in turns.

The score is SSIMULACRA2 against the step in floating point, or against the pixels that were written.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from ssimulacra2.ssimulacra2 import compute_ssimulacra2
from wand.image import Image as WandImage

from service.engine import pixels
from service.engine.geometry import Box
from service.engine.magick import writing
from service.engine.magick.writing import Settings
from service.engine.picture import Details, Frame, Picture

RUNS = 5

Made = Image.Image | bytes
Way = Callable[[], Made]


def measure(photo: Image.Image) -> None:
    """Print a row for each step and way of Pillow, of a photograph in RGB."""
    print("\n| step | Pillow | ImageMagick, ms | Pillow, ms | ratio | scores | bytes |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for sigma in (0.5, 1, 2, 5):
        _measure_blur(photo, sigma)
    samples = np.asarray(photo, dtype=float)
    exact = _rounded(2 * samples - _gaussian(photo, 1))
    magick = _by_magick(photo, lambda image: image.unsharp_mask(0, 1, 1, 0))
    _row("sharpen 1", "unsharp mask", exact, magick, lambda: photo.filter(ImageFilter.UnsharpMask(1, 100, 0)))
    _row("write gif", "median cut", photo, _writer("gif", photo), lambda: _saved(photo, "GIF"))
    _row("write gif", "octree, dithered", photo, _writer("gif", photo), lambda: _saved(_octree(photo), "GIF"))


def _measure_blur(photo: Image.Image, sigma: float) -> None:
    exact = _rounded(_gaussian(photo, sigma))
    magick = _by_magick(photo, lambda image: image.blur(radius=0, sigma=sigma))
    _row(f"blur {sigma}", "three box blurs", exact, magick, lambda: _blurred(photo, sigma))


def _row(step: str, way: str, reference: Image.Image, magick: Way, pillow: Way) -> None:
    costs, made = [], []
    for _ in range(RUNS):
        turn = []
        for do in (magick, pillow):
            before = time.process_time()
            made.append(do())
            turn.append((time.process_time() - before) * 1000)
        costs.append(turn)
    one, other = (min(taken) for taken in zip(*costs, strict=True))
    ratio = statistics.median(taken[1] / taken[0] for taken in costs)
    scores = ", ".join(f"{_score(reference, result):.1f}" for result in made[:2])
    sizes = ", ".join(f"{len(result)}" for result in made[:2] if isinstance(result, bytes))
    print(f"| {step} | {way} | {one:.1f} | {other:.1f} | {ratio:.2f} | {scores} | {sizes} |", flush=True)


def _by_magick(photo: Image.Image, change: Callable[[WandImage], object]) -> Way:
    def made() -> Image.Image:
        image = pixels.imported(photo)
        change(image)
        return pixels.exported(image)

    return made


def _writer(word: str, photo: Image.Image) -> Way:
    picture = Picture([Frame(photo)], Box(0, 0, *photo.size), 1.0, Details())
    return lambda: writing.WRITERS[word](Picture([Frame(photo)], picture.region, 1.0, Details()), Settings(80))


def _blurred(photo: Image.Image, sigma: float) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(sigma))


def _octree(photo: Image.Image) -> Image.Image:
    palette = photo.quantize(256, Image.Quantize.FASTOCTREE)
    return photo.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _saved(photo: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, kind, **options)
    return buffer.getvalue()


def _gaussian(photo: Image.Image, sigma: float) -> NDArray[np.float64]:
    """The photograph under a Gaussian of six sigmas each way, its edges repeated."""
    reach = int(6 * sigma + 1)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    samples = np.pad(np.asarray(photo, dtype=float), ((reach, reach), (reach, reach), (0, 0)), "edge")
    for axis in (0, 1):
        samples = np.apply_along_axis(np.convolve, axis, samples, weights / weights.sum(), "valid")
    return samples


def _rounded(samples: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(samples + 0.5, 0, 255).astype(np.uint8))


def _score(reference: Image.Image, made: Made) -> float:
    image = Image.open(io.BytesIO(made)) if isinstance(made, bytes) else made
    files = [io.BytesIO(_saved(one.convert("RGB"), "PNG", compress_level=1)) for one in (reference, image)]
    return float(compute_ssimulacra2(*files))
