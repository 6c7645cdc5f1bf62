"""Requests and recipes for hypothesis, and the rules they are read by."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from gateway.rules import FORMATS, VOCABULARY, Rules
from tests.gateway.effects import OVERLAYS

KEY = "a key that signs"
RULES = Rules(
    overlays=OVERLAYS,
    presets={"thumbnail": "w=50,h=50,sharpen=0.5", "hero": "w=1200,h=400,fit=cover,g=smart", "plain": "full"},
    keep=("icc", "copyright", "provenance"),
    keys={"first": KEY, "second": "another key that signs"},
    metadata=True,
)

VALUES: dict[str, list[str]] = {
    "crop": [
        "0:0:100p:100p",
        "10p:0:95p:50p",
        "10p:0:90p:50p",
        "10:20:30:40",
        "010:20:30:40",
        "0p:5:50p:5",
        "50p:50.0p",
        "100p:100p",
        "30:040",
    ],
    "trim": ["0", "10", "10.0", "2.5", "10:fff", "10.0:FFFFFFff", "10:0000"],
    "w": ["100", "0100", "200", "300"],
    "h": ["100", "200", "66"],
    "ar": ["16:9", "32:18", "1:1", "1.5:1", "3:2"],
    "dpr": ["1", "1.0", "2", "1.5"],
    "fit": ["inside", "outside", "cover", "fill", "pad", "liquid"],
    "up": ["0", "1", "true"],
    "g": ["center", "0.5:0.5", "n", ".5:0", "0.50:0.0", "smart", "0.3:0.7"],
    "rot": ["0", "45", "225", "90", "180", "270", "000"],
    "flip": ["h", "v", "hv"],
    "bg": ["fff", "FFFFFF", "ffff", "#fff", "000", "0008", "00000088", "ffffff80"],
    "gray": ["0", "1", "True"],
    "equalize": ["0", "1"],
    "normalize": ["0", "1"],
    "negate": ["0", "1"],
    "bitonal": ["0", "1"],
    "duotone": ["000:fff", "000000:FFFFFF", "000:ffff", "102040:ffe0a0"],
    "pixelate": ["2", "008", "8"],
    "mask": ["ellipse"],
    "radius": ["1", "020", "20", "max"],
    "over": [
        "logo",
        "logo:se",
        "logo:sw",
        "logo.00",
        "logo.aa11:se:2p:2p",
        "credit:tile~logo",
        "logo:se:2p:2p:1.0:own",
    ],
    "bri": ["0", "-0", "10", "-10"],
    "con": ["0", "10"],
    "sat": ["0", "10"],
    "gam": ["1", "1.00", ".5", "0.50"],
    "blur": ["1", "1.0", "0.5"],
    "sharpen": ["1", "1:1", "1:1:0", "1:2", "1:1:0.5", "0.5"],
    "colors": ["2", "016", "256"],
    "frame": ["0", "00", "3"],
    "q": ["80", "080", "60", "50", "auto"],
    "lossless": ["0", "1"],
    "mb": ["5000", "05000"],
    "keep": ["icc", "copyright", "icc:copyright", "copyright:icc", "provenance:icc"],
}
"""A few values of every operation, among them several spellings of the same."""

KEYS = [row["key"] for row in VOCABULARY["operations"]]
_RESERVED = set("/%?#&=+,")

segments = (
    st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/"), min_size=1, max_size=12)
    .filter(lambda text: text not in (".", "..") and not text.startswith("@"))
    .filter(lambda text: len(text.encode()) <= 100)
)
images = st.lists(segments, min_size=1, max_size=4).map("/".join)
formats = st.sampled_from([*FORMATS, *VOCABULARY["undecided"]])


@st.composite
def written_recipes(draw: st.DrawFn, most: int = 8) -> dict[str, str]:
    """Operations with values as somebody wrote them, in any order."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=most))
    return {key: draw(st.sampled_from(VALUES[key])) for key in keys}


@st.composite
def spellings(draw: st.DrawFn, text: str, plain: str = "") -> str:
    """One of the ways to write `text` in a URL: what is reserved is escaped, and others at random, in either case."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    pieces = []
    for character in text:
        kept = character in plain or (character not in _RESERVED and chance.random() < 0.8)
        escape = chance.choice(["%{:02x}", "%{:02X}"])
        pieces.append(character if kept else "".join(escape.format(byte) for byte in character.encode()))
    return "".join(pieces)


raw_bytes = st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
scraps = st.sampled_from(
    [
        "/",
        "//",
        "@",
        ".",
        "..",
        ",",
        "=",
        "&",
        "+",
        "%",
        "%2F",
        "%00",
        "%2e",
        "%C3",
        "%A9",
        "\udcff",
        "é",
        "\x7f",
        "0",
        "-",
    ]
)


@st.composite
def raw_requests(draw: st.DrawFn) -> tuple[str, str]:
    """The raw path and query of a request: right, nearly right, or garbage."""
    kind = draw(st.sampled_from(["leaf", "leaf", "leaf", "query", "query", "garbage"]))
    if kind == "garbage":
        return draw(raw_bytes), draw(raw_bytes)
    image, format, recipe = draw(images), draw(formats), draw(written_recipes())
    preset = draw(st.sampled_from([None, None, *RULES.presets, "full", "other"]))
    pairs = list(recipe.items())
    if kind == "leaf":
        parts = [f"{key}={value}" for key, value in pairs] + ([preset] if preset else [])
        path = draw(spellings(f"{image}/@{','.join(parts)}.{format}", plain="/@=,"))
        query = draw(st.sampled_from(["", "v=1", "sig=first.x&exp=9", "w=1"]))
    else:
        pairs += draw(st.sampled_from([[], [("format", format)], [("kind", format)], [("meta", "True")]]))
        pairs += [("preset", preset)] if preset else []
        path = draw(spellings(image, plain="/"))
        query = "&".join(f"{key}={draw(spellings(value))}" for key, value in pairs)
    if draw(st.integers(0, 3)) == 0:
        place = draw(st.integers(0, len(path)))
        path = path[:place] + draw(scraps) + path[place + draw(st.integers(0, 2)) :]
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(query)))
        query = query[:place] + draw(scraps) + query[place + draw(st.integers(0, 2)) :]
    return path, query
