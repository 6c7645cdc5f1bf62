"""Generate random temporary URLs and beginnings of files, to compare the twins of temp_urls and media_types."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from gateway.samples import NOW
from gateway.temp_urls import DERIVED, ORIGINALS, path_of, sign

Asked = tuple[str, str, str, Sequence[str], int]
"""Method, raw path, raw query, keys, and the time in seconds since the epoch."""

KEYS = ("a key for comparing twins", "ключ")
_SEGMENTS = (
    "a",
    "cat.jpg",
    "a b",
    "é",
    "猫",
    "100%",
    "+",
    "@",
    "@tmp",
    "..",
    "",
    "a\nb",
    "x" * 300,
    "[^%w]",
    "\u2028\u061c\u200d",
)
_LEAVES = ("@w=300.webp", "@full.jpg", "@meta.json", "@W", "x", "@crop=10p:10p:50p:50p,q=auto.avif")
_NAMES = (
    "",
    "a.jpg",
    'a"b',
    "mein Bild.jpg",
    "a\r\nb",
    "猫/🐈.png",
    "~-_.%",
    "a\u202egpj.exe",
    "\u2067\ufeff",
    "\u2028\u061c\u200d",
)
_BOXES = (
    b"ftyp",
    b"WEBP",
    b"avif",
    b"heic",
    b"mif1",
    b"RIFF",
    b"BM",
    b"BM............\x28\0\0\0",
    b"GIF89a",
    b"II*\0",
    b"\xff\xd8\xff",
    b"\0\0\0\x18",
)


def urls(count: int, seed: int) -> Iterator[Asked]:
    """Temporary URLs, most of which are valid but for one thing."""
    by_chance = random.Random(seed)  # noqa: S311  # samples, no secrets
    for _ in range(count):
        yield _url(by_chance)


def heads(count: int, seed: int) -> Iterator[str]:
    """Beginnings of files, bytes as surrogates where they are not UTF-8."""
    by_chance = random.Random(seed)  # noqa: S311
    for _ in range(count):
        parts = [by_chance.choice([*_BOXES, by_chance.randbytes(by_chance.randrange(5))]) for _ in range(6)]
        yield b"".join(parts)[:64].decode("utf-8", "surrogateescape")


def _url(by_chance: random.Random) -> Asked:
    container = by_chance.choice((ORIGINALS, DERIVED, DERIVED))
    segments = [by_chance.choice(_SEGMENTS if by_chance.random() < 0.1 else _SEGMENTS[:7]) for _ in range(2)]
    if container == DERIVED or by_chance.random() < 0.05:
        segments.append(by_chance.choice(_LEAVES if by_chance.random() < 0.2 else _LEAVES[:3]))
    path = path_of(container, "/".join(segments))
    expires = NOW + by_chance.choice((-1, 0, 1, 3600, by_chance.randrange(-(10**6), 10**9)))
    digest, signed = by_chance.choice(("sha1", "sha256", "sha512")), by_chance.choice(("GET",) * 8 + ("HEAD", "PUT"))
    signature = sign(signed, expires, path, by_chance.choice(KEYS), digest)
    if by_chance.random() < 0.1:
        signature = signature[: by_chance.randrange(len(signature))] + by_chance.choice("0gA%")
    query = f"temp_url_sig={signature}&temp_url_expires={_time(by_chance, expires)}"
    if by_chance.random() < 0.5:
        query += f"&filename={quote(by_chance.choice(_NAMES), safe='')}"
    query += by_chance.choice(("",) * 5 + ("&inline", "&inline=1", "&utm=1", "&x=%"))
    return by_chance.choice(("GET",) * 6 + ("HEAD",) * 3 + ("POST",)), quote(path), query, KEYS, NOW


def _time(by_chance: random.Random, expires: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=expires)
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    broken = text.replace(by_chance.choice(text), by_chance.choice("0369Tz"), 1)
    return by_chance.choice((str(expires),) * 4 + (text,) * 4 + (broken, "", "soon"))
