"""Checks of the image libraries, ImageMagick's policy and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.settings import Config
from service.cli.check.finding import Finding
from service.engine.job import EngineError
from service.engine.jpeg import turbo
from service.engine.sandbox.policy import prove_policy
from service.engine.sandbox.sandbox import sandbox_report
from service.engine.tiff import libtiff
from service.runtime.imagemagick import capabilities, shortcomings, write_policy
from service.runtime.paths import Paths


def negotiated(config: Config, paths: Paths) -> Iterator[Finding]:
    """What of `formats.negotiate` has no effect. The default names formats whether they are in formats.out or not."""
    if "negotiate" not in config.formats.model_fields_set:
        return
    seen = set[str]()
    for word in config.formats.negotiate:
        if word in seen:
            yield Finding("formats.negotiate", f"{word} is named twice: the first place counts", wrong=False)
        elif word not in config.formats.out:
            text = f"auto never becomes {word}, which is not in formats.out: add it there, or remove it here"
            yield Finding("formats.negotiate", text, wrong=False)
        seen.add(word)


def formats(config: Config, paths: Paths) -> Iterator[Finding]:
    try:
        can = capabilities(config)
    except EngineError as error:
        yield Finding("ImageMagick", f"{error}; install its libraries (make setup)")
        return
    for word in config.formats.accept:
        if not can.get(word, (False, False))[0]:
            yield Finding("formats.accept", f"{word} cannot be read here: remove it, or install what reads it")
    for word in config.formats.out:
        if not can.get(word, (False, False))[1]:
            yield Finding("formats.out", f"{word} cannot be written here: remove it, or install what writes it")
    if config.engine.library == "imagemagick":
        for lack in shortcomings(config):
            yield Finding("engine.library", f"not by ImageMagick: {lack}", wrong=False)
    if turbo.library is None:
        lacking = "missing: damage inside a JPEG is not seen, and one stored turned is encoded once more (make setup)"
        yield Finding("libturbojpeg", lacking, wrong=False)
    if libtiff.library is None:
        lacking = "missing: TIFF in YCbCr, with extra samples or of few bits may be shown wrong (make setup)"
        yield Finding("libtiff", lacking, wrong=False)


def policy(config: Config, paths: Paths) -> Iterator[Finding]:
    write_policy(config, paths.policy)
    for attempt, outcome in prove_policy(paths.policy).items():
        if outcome:
            yield Finding("ImageMagick's policy", f"{attempt} was not refused: {outcome}")


def sandbox(config: Config, paths: Paths) -> Iterator[Finding]:
    for feature, state in sandbox_report().items():
        if state is not True:
            yield Finding("engine processes", f"without {feature}: {state}", wrong=False)
