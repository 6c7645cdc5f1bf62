"""What `@meta.json` says of where an image comes from. exiftool writes the metadata of the originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engine.deriving import describe
from tests.engine.provenances import AI, CREDIT, FOLDER, ORIGINALS, SIGNED, Stated

FIELDS = ("digital_source_type", "credit", "creator", "c2pa")


def told(original: bytes | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(describe(original, *FIELDS).data)
    return found


def told_of_xmp(original: Path) -> dict[str, Any]:
    return {key: value for key, value in told(original).items() if key != "c2pa"}


@pytest.mark.parametrize("word", ORIGINALS)
def test_meta_tells_what_xmp_says(word: str, stated: Stated) -> None:
    said = (f"XMP-iptcExt:DigitalSourceType={AI}", f"XMP-photoshop:Credit={CREDIT}", "XMP-dc:Creator=Ann")
    path = stated(word, *said, "XMP-dc:Creator=Bob")
    assert told_of_xmp(path) == {"digital_source_type": AI, "credit": CREDIT, "creator": ["Ann", "Bob"]}


@pytest.mark.parametrize("word", ["jpg", "tif", "png"])
def test_meta_tells_what_iptc_says_where_there_is_no_xmp(word: str, stated: Stated) -> None:
    path = stated(word, "XMP:all=", f"IPTC:Credit={CREDIT}", "IPTC:By-line=Ann", "IPTC:By-line=Bob")
    assert told_of_xmp(path) == {"digital_source_type": None, "credit": CREDIT, "creator": ["Ann", "Bob"]}


@pytest.mark.parametrize("word", ["jpg", "png", "webp", "tif", "avif"])
def test_the_creator_is_the_artist_of_exif_where_nothing_else_names_one(word: str, stated: Stated) -> None:
    path = stated(word, "XMP:all=", "IPTC:all=", "EXIF:Artist=Cy Twombly", "EXIF:OwnerName=Another")
    assert told_of_xmp(path) == {"digital_source_type": None, "credit": None, "creator": ["Cy Twombly"]}


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.name)
def test_meta_tells_of_a_manifest_and_the_program_that_made_its_claim(path: Path) -> None:
    generator = "imaginary_painter/3.1" if path.stem == "earlier" else "Imaginary Painter/3.1"
    meta = told(path)
    assert meta["c2pa"] == {"claim_generator": generator}
    assert meta["digital_source_type"] == AI, "the action c2pa.created states it"


def test_a_manifest_of_heic_lies_as_in_avif() -> None:
    signed = (FOLDER / "signed.avif").read_bytes()
    at = signed.index(b"uuid\xd8\xfe\xc3\xd6") - 4
    box = signed[at : at + int.from_bytes(signed[at : at + 4])]
    assert told(ORIGINALS["heic"] + box)["c2pa"] == {"claim_generator": "Imaginary Painter/3.1"}


def test_an_image_that_says_nothing_has_nulls() -> None:
    for original in ORIGINALS.values():
        assert told(original) == dict.fromkeys(FIELDS)


def test_a_store_may_go_on_from_segment_to_segment() -> None:
    """ISO/IEC 19566-5, annex D: parts are numbered from 1, and each repeats the header of the box."""
    signed = (FOLDER / "signed.png").read_bytes()
    at = signed.index(b"caBX")
    store = signed[at + 4 : at + 4 + int.from_bytes(signed[at - 4 : at])]
    parts = [store[:1000], *(store[:8] + store[start : start + 900] for start in range(1000, len(store), 900))]
    contents = [b"JP\0\1" + number.to_bytes(4) + part for number, part in enumerate(parts, 1)]
    segments = b"".join(b"\xff\xeb" + (len(content) + 2).to_bytes(2) + content for content in contents)
    assert len(parts) > 2
    meta = told(ORIGINALS["jpg"][:2] + segments + ORIGINALS["jpg"][2:])
    assert meta["c2pa"] == {"claim_generator": "Imaginary Painter/3.1"}
