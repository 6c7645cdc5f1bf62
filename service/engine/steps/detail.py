"""Blur and sharpen. Sigmas are in pixels of the result."""

from __future__ import annotations

from service.engine.job import Job
from service.engine.picture import Picture


def blur(picture: Picture, job: Job) -> None:
    """Gaussian blur by sigma."""
    if "blur" in job.recipe:
        sigma = float(job.recipe["blur"])
        picture.each_magick(lambda image: image.blur(radius=0, sigma=sigma))


def sharpen(picture: Picture, job: Job) -> None:
    """Unsharp mask: `sigma:amount:threshold`; threshold is the least difference that counts, 0..1 of the range."""
    if "sharpen" in job.recipe:
        sigma, amount, threshold = _parts(job.recipe["sharpen"])
        picture.each_magick(lambda image: image.unsharp_mask(0, sigma, amount, threshold))


def _parts(value: str) -> tuple[float, float, float]:
    given = [float(part) for part in value.split(":")]
    sigma, amount, threshold = (*given, *(1.0, 0.0)[len(given) - 1 :])
    return sigma, amount, threshold
