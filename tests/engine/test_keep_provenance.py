"""What `keep=provenance` writes of where an image comes from. exiftool writes the originals and judges the results."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from service.engine.recognise import recognise
from tests.engine.deriving import derive
from tests.engine.provenances import AI, CREDIT, SIGNED, Stated
from tests.metadata import secrets, tags_of

MOVING = ("gif", "webp", "png", "avif", "jxl")
OUT = ("jpg", "png", "webp", "avif", "jxl", "gif", "tif")


@pytest.mark.parametrize(
    ("library", "recipe"), [("auto", ""), ("auto", "w=40"), ("auto", "w=40,q=40,gray=1"), ("imagemagick", "w=40")]
)
def test_keep_provenance_writes_source_type_and_credit_and_nothing_else(
    library: str, recipe: str, stated: Stated, tmp_path: Path
) -> None:
    path = stated("jpg", f"XMP-iptcExt:DigitalSourceType={AI}", f"XMP-photoshop:Credit={CREDIT}")
    made = {}
    for word in OUT:
        named = f"{recipe},keep=provenance".strip(",")
        data = derive(path, named, word, keep=("provenance",), library=library).data
        assert secrets(data) == []
        Image.open(io.BytesIO(data)).load()
        made[tmp_path / f"made.{word}"] = data
    for name, data in made.items():
        name.write_bytes(data)
    for name, tags in zip(made, tags_of(list(made)), strict=True):
        iptc = {"IPTC:CodedCharacterSet": "UTF8", "IPTC:ApplicationRecordVersion": "4", "IPTC:Credit": CREDIT}
        expected = {"XMP-iptcExt:DigitalSourceType": AI, "XMP-photoshop:Credit": CREDIT}
        assert _without_containers(tags) == expected | (iptc if name.suffix in (".jpg", ".tif") else {}), name


def _without_containers(tags: dict[str, str]) -> dict[str, str]:
    """Without what holds XMP or IPTC: tags of a TIFF, the digest that exiftool computes, the item of an AVIF."""
    return {tag: value for tag, value in tags.items() if tag.partition(":")[0].startswith(("XMP-", "IPTC"))}


@pytest.mark.parametrize("word", OUT)
def test_a_whole_image_keeps_its_encoding_beside_its_provenance(word: str, stated: Stated) -> None:
    path = stated(word, f"XMP-iptcExt:DigitalSourceType={AI}")
    plain = derive(path, "", word, keep=("provenance",))
    kept = derive(path, "keep=provenance", word, keep=("provenance",))
    assert AI.encode() in kept.data
    assert AI.encode() not in plain.data
    assert (kept.pixels("RGBA") == plain.pixels("RGBA")).all()
    if word != "tif":  # which is written anew in either case
        assert len(plain.data) < len(kept.data) < len(plain.data) + 1500


@pytest.mark.parametrize("kind", MOVING)
def test_an_animation_stays_one_beside_its_provenance(kind: str, stated: Stated, tmp_path: Path) -> None:
    path = tmp_path / f"moving.{kind}"
    path.write_bytes(derive(stated("gif"), "", kind).data)
    subprocess.run(("exiftool", "-q", "-q", "-m", f"-XMP-iptcExt:DigitalSourceType={AI}", path), check=True)
    for word in MOVING:
        for recipe in ("w=30,keep=provenance", "keep=provenance"):
            made = derive(path, recipe, word, keep=("provenance",))
            assert AI.encode() in made.data, word
            (tmp_path / word).write_bytes(made.data)
            assert recognise(tmp_path / word).frames == 3, word


def test_a_notice_and_provenance_stay_together(stated: Stated, tmp_path: Path) -> None:
    path = stated("jpg", f"XMP-iptcExt:DigitalSourceType={AI}", "EXIF:Copyright=Mine")
    for word in ("jpg", "png", "webp", "avif"):
        keep = ("copyright", "provenance")
        (tmp_path / word).write_bytes(derive(path, "w=40,keep=copyright:provenance", word, keep=keep).data)
    for tags in tags_of([tmp_path / word for word in ("jpg", "png", "webp", "avif")]):
        assert tags["IFD0:Copyright"] == "Mine"
        assert tags["XMP-iptcExt:DigitalSourceType"] == AI


def test_most_bytes_count_the_provenance(stated: Stated) -> None:
    path = stated("jpg", f"XMP-iptcExt:DigitalSourceType={AI}")
    made = derive(path, "w=60,mb=2500,keep=provenance", "jpg", keep=("provenance",))
    assert AI.encode() in made.data
    assert len(made.data) <= 2500


def test_what_the_configuration_does_not_keep_goes(stated: Stated) -> None:
    path = stated("jpg", f"XMP-iptcExt:DigitalSourceType={AI}")
    for keep in ((), ("copyright", "icc")):
        assert AI.encode() not in derive(path, "w=40,keep=provenance", "jpg", keep=keep).data
    assert AI.encode() not in derive(path, "w=40", "jpg", keep=("provenance",)).data


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.name)
def test_a_manifest_stays_behind_but_not_the_source_type_that_it_states(path: Path) -> None:
    for word in OUT:
        for recipe in ("keep=provenance", "w=10,keep=provenance"):
            data = derive(path, recipe, word, keep=("provenance",)).data
            assert AI.encode() in data
            assert b"jumb" not in data
            assert b"c2pa" not in data.lower()
            assert b"Imaginary" not in data
