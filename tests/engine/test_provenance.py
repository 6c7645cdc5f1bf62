"""Where an image comes from: what `@meta.json` says of it, and what `keep=provenance` writes.

exiftool writes the metadata of the originals and judges the results. The files of `signed/` have manifests that c2pa-rs
0.91 made: a claim of version 2 in each format, and one of version 1.
"""

from __future__ import annotations

import io
import json
import random
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.engine.provenance import cbor, source_types, statement
from service.engine.provenance.texts import LONGEST
from service.engine.provenance.xmp import Packet
from service.engine.recognise import recognise
from tests import images
from tests.engine.deriving import derive, describe
from tests.engine.laborious import LABORIOUS
from tests.images import png_chunk
from tests.metadata import SECRET, secrets, tags_of, write_secrets

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREDIT = 'Ärger & "Söhne" <b>'
Stated = Callable[..., Path]
SIGNED = Path(__file__).parent / "signed"
FIELDS = ("digital_source_type", "credit", "creator", "c2pa")
SMALL = images.photo(64, 48)
ORIGINALS = {
    "jpg": images.jpeg(SMALL),
    "png": images.png_alpha(64, 48),
    "webp": images.webp(SMALL),
    "gif": images.gif_animated(3),
    "tif": images.tiff(SMALL),
    "avif": images.avif(SMALL),
    "jxl": derive(images.png(SMALL), "", "jxl").data,
    "heic": images.heic(SMALL),
}
OUT = ("jpg", "png", "webp", "avif", "jxl", "gif", "tif")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all originals, the secret in every field."""
    folder = tmp_path_factory.mktemp("sealed")
    for word, data in ORIGINALS.items():
        (folder / f"original.{word}").write_bytes(data)
    write_secrets(*folder.iterdir())
    return folder


@pytest.fixture
def stated(sealed: Path, tmp_path: Path) -> Stated:
    """An original with these fields, `GROUP:TAG=VALUE`, and the secret in all others."""

    def written(word: str, *fields: str) -> Path:
        path = tmp_path / f"original.{word}"
        path.write_bytes((sealed / path.name).read_bytes())
        command = ["exiftool", "-q", "-q", "-m", "-overwrite_original", *(f"-{field}" for field in fields), str(path)]
        subprocess.run(command, check=True, timeout=120)
        return path

    return written


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


@pytest.mark.parametrize("path", sorted(SIGNED.iterdir()), ids=lambda path: path.name)
def test_meta_tells_of_a_manifest_and_the_program_that_made_its_claim(path: Path) -> None:
    generator = "imaginary_painter/3.1" if path.stem == "earlier" else "Imaginary Painter/3.1"
    meta = told(path)
    assert meta["c2pa"] == {"claim_generator": generator}
    assert meta["digital_source_type"] == AI, "the action c2pa.created states it"


def test_a_manifest_of_heic_lies_as_in_avif() -> None:
    signed = (SIGNED / "signed.avif").read_bytes()
    at = signed.index(b"uuid\xd8\xfe\xc3\xd6") - 4
    box = signed[at : at + int.from_bytes(signed[at : at + 4])]
    assert told(ORIGINALS["heic"] + box)["c2pa"] == {"claim_generator": "Imaginary Painter/3.1"}


def test_an_image_that_says_nothing_has_nulls() -> None:
    for original in ORIGINALS.values():
        assert told(original) == dict.fromkeys(FIELDS)


def test_a_store_may_go_on_from_segment_to_segment() -> None:
    """ISO/IEC 19566-5, annex D: parts are numbered from 1, and each repeats the header of the box."""
    signed = (SIGNED / "signed.png").read_bytes()
    at = signed.index(b"caBX")
    store = signed[at + 4 : at + 4 + int.from_bytes(signed[at - 4 : at])]
    parts = [store[:1000], *(store[:8] + store[start : start + 900] for start in range(1000, len(store), 900))]
    contents = [b"JP\0\1" + number.to_bytes(4) + part for number, part in enumerate(parts, 1)]
    segments = b"".join(b"\xff\xeb" + (len(content) + 2).to_bytes(2) + content for content in contents)
    assert len(parts) > 2
    meta = told(ORIGINALS["jpg"][:2] + segments + ORIGINALS["jpg"][2:])
    assert meta["c2pa"] == {"claim_generator": "Imaginary Painter/3.1"}


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


def test_an_animation_stays_one_beside_its_provenance(stated: Stated) -> None:
    path = stated("gif", f"XMP-iptcExt:DigitalSourceType={AI}")
    for word in ("gif", "webp", "png"):
        made = derive(path, "w=30,keep=provenance", word, keep=("provenance",))
        assert AI.encode() in made.data
        assert made.pillow().n_frames == 3  # type: ignore[attr-defined]


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


@pytest.mark.parametrize("path", sorted(SIGNED.iterdir()), ids=lambda path: path.name)
def test_a_manifest_stays_behind_but_not_the_source_type_that_it_states(path: Path) -> None:
    for word in OUT:
        for recipe in ("keep=provenance", "w=10,keep=provenance"):
            data = derive(path, recipe, word, keep=("provenance",)).data
            assert AI.encode() in data
            assert b"jumb" not in data
            assert b"c2pa" not in data.lower()
            assert b"Imaginary" not in data


def test_xmp_comes_before_a_manifest_and_the_last_word_of_bare_terms_is_known() -> None:
    assert source_types.canonical("https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia/") == AI
    assert source_types.canonical(" trainedAlgorithmicMedia ") == AI
    assert (
        source_types.canonical("http://c2pa.org/digitalsourcetype/empty") == "http://c2pa.org/digitalsourcetype/empty"
    )
    for text in (SECRET, "", f"{AI}?x=1", f"{AI}/a b", "http://example.org/trainedAlgorithmicMedia", None, 3):
        assert source_types.canonical(text) is None


def packet(inside: str, before: str = "") -> bytes:
    return (
        f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:p="http://ns.adobe.com/photoshop/1.0/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{inside}'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def test_of_xmp_only_the_image_itself_counts_not_what_it_is_made_of() -> None:
    part = '<p:Part rdf:parseType="Resource"><p:Credit>Another</p:Credit></p:Part>'
    inside = f'<rdf:Description rdf:about="">{part}<e:DigitalSourceType rdf:resource="{AI}"/></rdf:Description>'
    found = Packet(packet(inside))
    assert (found.source_type, found.credit) == (AI, None)


@pytest.mark.parametrize(
    "data",
    [
        packet('<rdf:Description p:Credit="&a;"/>', '<!DOCTYPE x [<!ENTITY a "b">]>'),
        packet("<rdf:Description><p:Credit>" + "<a>" * 100),
        b"\xff\xfe<\0x\0",
        b'<?xml version="1.0" encoding="utf-99"?><x/>',
        b"",
    ],
)
def test_xmp_with_entities_and_xmp_that_is_damaged_say_nothing(data: bytes) -> None:
    found = Packet(data)
    assert (found.source_type, found.credit, found.creators) == (None, None, ())


def test_a_credit_is_one_line_and_has_a_longest_length() -> None:
    credit = Packet(
        packet(f"<rdf:Description><p:Credit>a\n\tb&#x202e;{'c' * 9999}</p:Credit></rdf:Description>")
    ).credit
    assert credit is not None
    assert credit.startswith("a b c")
    assert len(credit) == LONGEST


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # RFC 8949, appendix A
        ("1b000000e8d4a51000", 1000000000000),
        ("3903e7", -1000),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("8301820203820405", [1, [2, 3], [4, 5]]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("f6", None),
        ("f4", False),
    ],
)
def test_cbor(data: str, expected: object) -> None:
    assert cbor.decoded(bytes.fromhex(data)) == expected


@pytest.mark.parametrize(
    "data", ["", "61", "9a00ffffff", "81" * 40, "9f", "7f01ff", "1c", "ff", "5bffffffffffffffff00"]
)
def test_damaged_cbor_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match="CBOR"):
        cbor.decoded(bytes.fromhex(data))


@pytest.mark.parametrize("path", sorted(SIGNED.iterdir()), ids=lambda path: path.name)
def test_damage_of_any_byte_is_no_failure(path: Path, tmp_path: Path) -> None:
    chance, original = random.Random(20), path.read_bytes()
    word, damaged = recognise(path).format, tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(original)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        damaged.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        statement.read(damaged, word)


LONG_WORK = {
    "texts that inflate": lambda: (
        ORIGINALS["png"][:-12]
        + png_chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(bytes(2**24), 9)) * 2000
        + ORIGINALS["png"][-12:]
    ),
    "an XMP of elements": lambda: (
        ORIGINALS["png"][:-12]
        + png_chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + packet("<p:a/>" * 170_000)) * 40
        + ORIGINALS["png"][-12:]
    ),
}


@pytest.mark.parametrize(
    "name", [*LONG_WORK, "png of chunks", "gif of extensions", "jpeg of bytes between segments", "avif of boxes"]
)
def test_no_file_keeps_it_busy(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(LONG_WORK[name]() if name in LONG_WORK else LABORIOUS[name](1_000_000))
    word = next(word for word in ("gif", "jpeg", "png", "avif", "") if name.startswith(word))
    began = time.process_time()
    statement.read(path, {"jpeg": "jpg", "": "png"}.get(word, word))
    assert time.process_time() - began < 3
