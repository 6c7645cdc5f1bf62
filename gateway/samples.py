"""Generate random requests to compare the twins: from the vocabulary, at the edges of its ranges, some of them damaged.
The same seed gives the same requests."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from gateway.access import sign
from gateway.errors import Refused
from gateway.holding import Shape
from gateway.names import escape, parse
from gateway.rules import CONTENT_TYPES, FORMAT_ALIASES, VOCABULARY, Rules
from gateway.save_as import signed_text
from gateway.values import maximum

NOW = 1_900_000_000  # seconds since the epoch: the time that both twins use
SHAPES = (Shape(640, 480), Shape(333, 77, 9), Shape(16383, 60), Shape(60, 17000), Shape(40001, 333))  # of their images
MARKERS = (  # texts of markers and of the notes beside them
    ("jpg jpg e 640 480 1\n1\n", "avif=jpg webp=webp\n"),
    ("png tif e 640 480 1\n1\n", "avif=gif tif=png\n"),
    ("gif gif e 333 77 9\n1\n", ""),
    ("png webp e 60 17000 1\n1\n", "png=webp avif=avif\n"),
)

_IMAGES = ("cat.jpg", "photos/2024/cat.jpg", "a", "猫/🐈.jpg", "x y+z%.png", "b" * 256, "c/" + "d" * 255, "...")
_SCRAPS = (
    *(
        "/",
        "//",
        "@",
        "/@",
        ".",
        "..",
        ",",
        "=",
        ":",
        "&",
        "+",
        "-",
        "0",
        "00",
        "9",
        "p",
        "#",
        "A",
        " ",
        "\t",
        "\\",
        ";",
    ),
    *(
        "%",
        "%2",
        "%2F",
        "%2e%2E",
        "%00",
        "%40",
        "%20",
        "%7f",
        "%C2%85",
        "%C3%A9",
        "%C0%AF",
        "%ED%A0%80",
        "%F4%90%80%80",
    ),
    *(
        "é",
        "\udcff",
        "\udcc3",
        "\x01",
        "full",
        "thumbnail",
        "meta",
        "auto",
        "source",
        "true",
        ".jpg",
        ".json",
        "x" * 300,
    ),
)
_WEIGHTS = ("", "", "", ";q=1", ";q=0", ";q=0.5", " ; Q=0.501", ";q=0.9", ";q=1.1", ";q=.5", ";level=1", ';a=",";q=0.3')


@dataclass(frozen=True)
class Request:
    """What a client sends: the raw path below `/images/`, the raw query, the Accept header."""

    path: str
    query: str
    accept: str = ""


def requests(rules: Rules, number: int, seed: int) -> Iterator[Request]:
    """So many requests, about a third of them damaged; all secrets in them are signatures of made-up names."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is a secret
    for _ in range(number):
        request = _form(chance, rules)
        if chance.random() < 0.2:
            request = _signed(chance, rules, request)
        if chance.random() < 0.3:
            request = _damaged(chance, request)
        yield request


def sequences() -> Iterator[Request]:
    """Names that hold every kind of a sequence of UTF-8, right and wrong: at the edges of Unicode's table 3-7."""
    firsts = "7f 80 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff"
    seconds, rests = "7f 80 8f 90 9f a0 bf c0", ("", "80", "bf", "80 80", "bf bf", "c0", "80 c0", "80 80 80")
    for first, second, rest in product(firsts.split(), seconds.split(), rests):
        yield Request(bytes.fromhex(f"61 {first} {second} {rest}").decode("utf-8", "surrogateescape"), "")


def _form(chance: random.Random, rules: Rules) -> Request:
    """An image, a derived name or a query, of operations that are mostly right."""
    rows = chance.sample(VOCABULARY["operations"], k=chance.choice((0, 1, 2, 3, 4, 8)))
    if chance.random() < 0.4:
        rows += [rules.operations[key] for key in ("w", "h", "fit", "g") if rules.operations[key] not in rows]
    pairs = [_operation(chance, row, rules) for row in rows]
    format = chance.choice((*rules.out, *VOCABULARY["undecided"], *FORMAT_ALIASES, "JPG", "WebP"))
    preset = chance.choice((*rules.presets, "full")) if chance.random() < 0.3 or not pairs else None
    image, accept = escape(chance.choice(_IMAGES)), _accept(chance)
    if chance.random() < 0.6:
        parts = [f"{key}={value}" for key, value in pairs] + ([preset] if preset else [])
        chance.shuffle(parts)
        query = "&".join(f"{key}={value}" for key, value in (*_ignored(chance, rules), *_saved(chance)))
        return Request(f"{image}/" + _spelled(chance, f"@{','.join(parts)}.{format}"), query, accept)
    pairs += [("preset", preset)] if preset else []
    pairs += [(chance.choice(("format", "kind")), format)] if chance.random() < 0.7 else []
    pairs += [(chance.choice(("thumbnail", "meta", "v")), chance.choice(("True", "False", "1")))] * (
        chance.random() < 0.1
    )
    pairs += [*_ignored(chance, rules), *_saved(chance)]
    chance.shuffle(pairs)
    return Request(
        _spelled(chance, image), "&".join(f"{key}={_spelled(chance, value)}" for key, value in pairs), accept
    )


def _ignored(chance: random.Random, rules: Rules) -> list[tuple[str, str]]:
    """At times a parameter that the rules drop, with a value that cannot be read."""
    if not rules.ignored_query or chance.random() < 0.9:
        return []
    pattern = chance.choice(rules.ignored_query)
    return [
        (pattern.removesuffix("*") + chance.choice(("", "x")) * pattern.endswith("*"), chance.choice(("1", "%", "")))
    ]


def _saved(chance: random.Random) -> list[tuple[str, str]]:
    """At times how the answer is to be saved."""
    if chance.random() < 0.9:
        return []
    names = ("holidays", "cat.JPG", "..", ".a. ", "a/b\\c", "a%22%25", "%C3%A9%E2%80%AE.png", "x" * 256, "")
    given = [("download", chance.choice(("1", "0", "True", "no"))), ("filename", chance.choice(names))]
    return chance.sample(given, k=chance.choice((1, 2)))


def _operation(chance: random.Random, row: Mapping[str, Any], rules: Rules) -> tuple[str, str]:
    word = chance.choice((row["key"], row["key"], *row.get("aliases", ())))
    return word, _VALUES[row["type"]](chance, row, rules)


def _number(chance: random.Random, low: float, high: float, places: int) -> str:
    """A number in or just beyond its range, in one of its spellings."""
    step = 10**-places
    value = chance.choice((low, high, *(chance.uniform(low, high) for _ in range(4))))
    if chance.random() < 0.05:
        value = chance.choice((low - step, high + step, -value))
    text = f"{value:.{places}f}"
    return chance.choice((text, text, text, "00" + text, text + ("0" if places else "")))


def _numbers(chance: random.Random, high: float, places: int, unit: str, count: int) -> str:
    return ":".join(_number(chance, 0, high, places) + unit for _ in range(count))


def _integer(chance: random.Random, row: Mapping[str, Any], rules: Rules) -> str:
    most = maximum(row, rules.limits)
    words: list[str] = row.get("words", [])
    return chance.choice((*words, *(_number(chance, row["min"], most, 0) for _ in range(4))))


def _tuple(chance: random.Random, row: Mapping[str, Any], rules: Rules) -> str:
    parts = row["parts"][: chance.randint(1, len(row["parts"]))]
    numbers = [_number(chance, part["min"], part["max"], part["places"]) for part in parts]
    defaults = [str(part.get("default", "1")) for part in parts]
    return ":".join(chance.choice(either) for either in zip(numbers, defaults, strict=True))


_VALUES: Mapping[str, Callable[[random.Random, Mapping[str, Any], Rules], str]] = {
    "integer": _integer,
    "decimal": lambda chance, row, rules: _number(chance, row["min"], row["max"], row["places"]),
    "switch": lambda chance, row, rules: chance.choice(("0", "1", "1", "true", "False")),
    "word": lambda chance, row, rules: chance.choice(row["words"]),
    "words": lambda chance, row, rules: ":".join(chance.choices(rules.keep or row["words"], k=chance.randint(1, 3))),
    "colour": lambda chance, row, rules: "".join(chance.choices("0fF8a", k=chance.choice((3, 4, 6, 8)))),
    "colours": lambda chance, row, rules: ":".join(
        "".join(chance.choices("0fF8a", k=chance.choice((3, 3, 6, 6, 4)))) for _ in range(row["count"])
    ),
    "border": lambda chance, row, rules: (
        _number(chance, row["min"], row["max"], row["places"]) + chance.choice(("", "", ":fff", ":0F8a", ":", ":12345"))
    ),
    "overlays": lambda chance, row, rules: "~".join(
        chance.choice((*rules.overlays, "nothing"))
        + chance.choice(
            ("", "", ".00ff", ":se", ":nw:2p:10", ":tile:0:0:0.50", ":s:1:1:.5:20p", ".12:e:0:0:1:own", ":x", ":")
        )
        for _ in range(chance.choice((1, 1, 2, 3, 9)))
    ),
    "ratio": lambda chance, row, rules: chance.choice(("16:9", "1.91:1", "9:16.00", _numbers(chance, 99, 2, "", 2))),
    "point": lambda chance, row, rules: chance.choice(
        ("n", "se", "smart", "0.5:0", ".5:0.50", _numbers(chance, 1, 3, "", 2))
    ),
    "region": lambda chance, row, rules: chance.choice(
        (
            "0:0:100p:100p",
            _numbers(chance, 999, 0, "", chance.choice((2, 4))),
            _numbers(chance, 100, 2, "p", chance.choice((2, 4))),
            "10p:5:95p:9p",
        )
    ),
    "tuple": _tuple,
}


def _accept(chance: random.Random) -> str:
    ranges = (*CONTENT_TYPES.values(), "image/webp", "image/avif", "IMAGE/AVIF", "image/*", "*/*", "text/html", "")
    return chance.choice((",", ", ")).join(
        chance.choice(ranges) + chance.choice(_WEIGHTS) for _ in range(chance.randint(0, 4))
    )


def _signed(chance: random.Random, rules: Rules, request: Request) -> Request:
    """With a signature that is right, or right for another name or time."""
    try:
        parsed = parse(request.path, request.query, rules)
        name, more = str(parsed), signed_text(parsed.signature)
    except Refused:
        name, more = "cat.jpg/@full.jpg", ""
    key_id, key = chance.choice((*rules.keys.items(), ("nobody", "")))
    expires = chance.choice((None, NOW - 1, NOW, NOW + 1))
    text = f"sig={key_id}.{sign(name, key, expires, more)}"
    if expires is not None:
        text += f"&exp={expires + chance.choice((0, 0, 0, 1))}"
    return Request(request.path, f"{request.query}&{text}" if request.query else text, request.accept)


def _damaged(chance: random.Random, request: Request) -> Request:
    """With something cut out, put in or said twice, in the path or in the query."""
    path, query = request.path, request.query
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if chance.random() < 0.6:
            path = _worse(chance, path)
        else:
            query = _worse(chance, query)
    return Request(path, query, request.accept)


def _worse(chance: random.Random, text: str) -> str:
    start = chance.randint(0, len(text))
    end = min(len(text), start + chance.choice((0, 0, 1, 1, 2, 5)))
    return text[:start] + chance.choice(("", *_SCRAPS, text[start:end] * 2)) + text[end:]


def _spelled(chance: random.Random, text: str) -> str:
    """A spelling that decodes to the same text: what is reserved is escaped, and at times a letter needlessly."""
    rate = chance.choice((0.0, 0.0, 0.1))

    def escaped(one: str) -> bool:
        return one == "#" or (one.isascii() and one.isalnum() and chance.random() < rate)

    return "".join(f"%{ord(one):02{chance.choice('xX')}}" if escaped(one) else one for one in text)
