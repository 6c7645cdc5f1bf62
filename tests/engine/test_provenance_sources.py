"""XMP, source types, and CBOR of provenance: what they say, and that no damaged file fails or keeps the reader busy."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from service.engine.headers.source import OpenedFile
from service.engine.provenance import carriers, cbor, source_types, statement, xmp
from service.engine.provenance.texts import LONGEST
from service.engine.provenance.xmp import Packet
from service.engine.recognise import recognise
from tests import jxls
from tests.engine.laborious import LABORIOUS
from tests.engine.provenances import AI, ORIGINALS, SIGNED
from tests.images import png_chunk
from tests.metadata import SECRET
from tests.waiting import little_work


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


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.name)
def test_damage_of_any_byte_is_no_failure(path: Path, tmp_path: Path) -> None:
    chance, original = random.Random(20), path.read_bytes()
    word, damaged = recognise(path).format, tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(original)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
        damaged.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        statement.read(damaged, word)


def with_boxes(*parts: tuple[bytes, bytes]) -> bytes:
    return jxls.container([(b"jxlc", ORIGINALS["jxl"]), *parts])


def test_boxes_that_brotli_has_compressed_say_what_they_hold(tmp_path: Path) -> None:
    """The manifest is that of a PNG which c2pa-rs made."""
    path, inside = tmp_path / "packed.jxl", f'<rdf:Description p:Credit="Me"/>{" " * 100_000}'
    signed = next(one for one in SIGNED if one.suffix == ".png")
    with OpenedFile(signed) as source:
        store = next(block.content for block in carriers.of_png(source) if block.kind == "c2pa")
    path.write_bytes(with_boxes(jxls.compressed(b"xml ", packet(inside)), jxls.compressed(b"jumb", store[8:])))
    found, expected = statement.read(path, "jxl"), statement.read(signed, "png")
    assert found.credit == "Me"
    assert expected.manifest is not None
    assert found.manifest == expected.manifest


def test_a_compressed_box_that_is_too_long_or_broken_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, inside = tmp_path / "packed.jxl", '<rdf:Description p:Credit="Me"/>'
    whole = jxls.compressed(b"xml ", packet(inside))[1]
    for content in (
        jxls.compressed(b"xml ", packet(inside + " " * xmp.LONGEST))[1],
        jxls.compressed(b"xml ", bytes(1 << 26))[1],
        whole[:40],
        b"xml " + bytes(range(1, 200)),
        *(b"xml ", b"xm", b"", b"brob" + whole),
    ):
        path.write_bytes(with_boxes((b"brob", content)))
        assert statement.read(path, "jxl") == statement.Provenance()
    assert capfd.readouterr() == ("", "")


LONG_WORK = {
    "texts that inflate": lambda: (
        ORIGINALS["png"][:-12]
        + png_chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(bytes(2**24), 9)) * 2000
        + ORIGINALS["png"][-12:]
    ),
    "jxl of compressed boxes": lambda: with_boxes(*[jxls.compressed(b"jumb", bytes((1 << 22) + 1))] * 9_000),
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
    word = next(word for word in ("gif", "jpeg", "jxl", "png", "avif", "") if name.startswith(word))
    with little_work():
        statement.read(path, {"jpeg": "jpg", "": "png"}.get(word, word))
