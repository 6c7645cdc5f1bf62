"""The check of an upload writes the document of `describe` from the same decode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.image_settings import METADATA_FIELDS, PRIVATE_FIELDS
from service.engine import pipeline, recent
from service.engine.job import Job
from service.engine.recognise import recognise
from tests import images, profiles
from tests.engine.agreement import KINDS
from tests.engine.agreement import ORIGINALS as FORMATS
from tests.engine.deriving import LIMITS, counted_decodes

ORIGINALS = {**FORMATS, **KINDS}
FIELDS = (*METADATA_FIELDS, *PRIVATE_FIELDS)
MORE: dict[str, Callable[[], bytes]] = {
    "a large jpg, stored turned": lambda: images.jpeg(images.photo(1200, 900), exif=images.exif(6)),
    "a jpg with a profile": lambda: images.jpeg(icc_profile=profiles.display_p3()),
    "a jpg smaller than the document's picture": lambda: images.jpeg(images.photo(20, 10)),
    "a moving gif": images.gif_animated,
    "a moving webp": images.webp_animated,
    "a gif that begins in gray": lambda: images.animation(
        [images.flat(60, 40, colour) for colour in ((90, 90, 90), (200, 10, 10), (0, 90, 0))], "GIF"
    ),
    "a tif of pages": images.tiff_pages,
    "a turned avif": lambda: images.oriented(6, "AVIF"),
}


def job(path: Path, data: bytes, **more: object) -> Job:
    path.write_bytes(data)
    output = str(path.with_name("document"))
    return replace(Job("verify", str(path), recognise(path), LIMITS, output=output, fields=FIELDS), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("name", [*ORIGINALS, *MORE])
def test_the_document_has_the_bytes_that_describe_gives(name: str, library: str, tmp_path: Path) -> None:
    checked = job(tmp_path / "original", {**ORIGINALS, **MORE}[name](), library=library)
    documents = []
    for task in (pipeline.verify, pipeline.describe):
        recent._held.clear()
        task(checked)
        documents.append(Path(checked.output).read_bytes())
        Path(checked.output).unlink()
    assert documents[0] == documents[1]


@pytest.mark.parametrize("name", ["jpg", "png", "webp", "avif", "tif"])
def test_a_still_image_is_decoded_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decodes = counted_decodes(monkeypatch)
    pipeline.verify(job(tmp_path / "original", ORIGINALS[name]()))
    assert len(decodes) == 1


def test_an_original_passes_although_no_document_can_be_written(tmp_path: Path) -> None:
    checked = job(tmp_path / "original", images.jpeg(), output=str(tmp_path / "missing" / "document"))
    result = pipeline.verify(checked)
    assert (result.format, result.width, result.height) == ("jpg", 320, 240)


def test_half_a_document_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a disk leaves it that is full after the first bytes."""
    checked = job(tmp_path / "original", images.jpeg())

    def write_half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_half)
    assert pipeline.verify(checked).format == "jpg"
    assert Path(checked.output).read_bytes() == b""
