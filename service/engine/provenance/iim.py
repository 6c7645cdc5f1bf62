"""IPTC-IIM: the datasets of the application record (IIM 4.2), and the resource of Photoshop that holds them."""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.provenance.texts import plain

LONGEST = 256 * 1024
"""Bytes of IPTC, or of Photoshop's resources, that are read."""
MOST_CREATORS = 16

_MARKER = 0x1C
_CREATOR, _CREDIT = b"\x02\x50", b"\x02\x6e"  # 2:80, 2:110
_CHARACTER_SET, _UTF8 = b"\x01\x5a", b"\x1b%G"  # 1:90
_VERSION = b"\x1c\x02\0\0\2\0\4"
_LONGEST_CREDIT = 32  # bytes, by IIM
_RESOURCE, _IPTC = b"8BIM", 0x0404


def read(data: bytes) -> tuple[str | None, tuple[str, ...]]:
    """Return credit and creators, of IIM or of resources that hold it. Never raises."""
    if data.startswith(_RESOURCE):
        data = next((content for kind, content in _resources(data) if kind == _IPTC), b"")
    credit, creators, encoding = None, list[str](), ""
    for name, value in _datasets(data):
        if name == _CHARACTER_SET:
            encoding = "utf-8" if value == _UTF8 else ""
        elif name == _CREDIT:
            credit = credit or plain(_text(value, encoding))
        elif name == _CREATOR and len(creators) < MOST_CREATORS and (creator := plain(_text(value, encoding))):
            creators.append(creator)
    return credit, tuple(creators)


def written(credit: str) -> bytes:
    """Return the datasets of a credit, cut where IIM's field ends, in UTF-8."""
    value = credit.encode()[:_LONGEST_CREDIT].decode("utf-8", "ignore").encode()
    return b"\x1c" + _CHARACTER_SET + b"\0\3" + _UTF8 + _VERSION + b"\x1c" + _CREDIT + len(value).to_bytes(2) + value


def resource(iim: bytes) -> bytes:
    """Return IIM as a resource of Photoshop."""
    return _RESOURCE + _IPTC.to_bytes(2) + b"\0\0" + len(iim).to_bytes(4) + iim + bytes(len(iim) % 2)


def _text(value: bytes, encoding: str) -> str:
    """Without a stated character set it is UTF-8 where it can be, else Latin-1."""
    try:
        return value.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _datasets(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Record and dataset number, and value, up to what is damaged or longer than 32767 bytes."""
    at = 0
    while at + 5 <= len(data) and data[at] == _MARKER:
        length = int.from_bytes(data[at + 3 : at + 5])
        if length & 0x8000:
            return
        yield data[at + 1 : at + 3], data[at + 5 : at + 5 + length]
        at += 5 + length


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while data[at : at + 4] == _RESOURCE and at + 12 <= len(data):
        kind, name = int.from_bytes(data[at + 4 : at + 6]), data[at + 6] + 1
        at += 6 + name + name % 2
        length = int.from_bytes(data[at : at + 4])
        yield kind, data[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
