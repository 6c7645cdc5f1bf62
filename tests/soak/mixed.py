"""Requests of all kinds, good, bad and broken off, each made from a seed and its number."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.hostile.damage import whole
from tests.soak.mutations import damaged

NAMES = 40  # of images that are there at times
RECIPES = ("w=8", "w=9,h=9,fit=cover", "full", "w=10,rot=90", "blur=2,w=12", "crop=0:0:5:5", "w=8,q=50", "gray=1")
FORMATS = ("jpg", "png", "webp", "auto", "source", "json", "gif")


@dataclass(frozen=True)
class Request:
    """One request: of a port, `public` or `api`. One that is `left` is broken off before its answer."""

    port: str
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    left: bool = False


def request(seed: int, number: int) -> Request:
    """The request of this number."""
    chance = Random(f"{seed} {number}")
    (make,) = chance.choices(list(_KINDS), list(_KINDS.values()))
    return make(chance, number)


def _name(chance: Random) -> str:
    return f"mixed/{chance.randrange(NAMES)}"


def _derived(chance: Random, _: int) -> Request:
    leaf = f"@{chance.choice(RECIPES)}.{chance.choice(FORMATS)}"
    method = chance.choice(("GET", "GET", "GET", "HEAD"))
    return Request(
        *(chance.choice(("public", "public", "api")), method, f"/images/{_name(chance)}/{leaf}"),
        left=chance.random() < 0.05,
    )


def _unique(chance: Random, number: int) -> Request:
    """A derived image that was never asked for before."""
    leaf = f"@crop=0:0:{1 + number % 19}:{1 + number // 19 % 17},w={1 + number % 60},up=1.png"
    return Request("public", "GET", f"/images/{_name(chance)}/{leaf}", left=chance.random() < 0.1)


def _upload(chance: Random, _: int) -> Request:
    body = chance.choice(list(whole().values()))
    query = chance.choice(("?replace=true", "?replace=true", ""))
    return Request("api", "PUT", f"/images/{_name(chance)}{query}", body, left=chance.random() < 0.05)


def _spoilt(chance: Random, number: int) -> Request:
    """An upload that is mostly refused."""
    files = list(whole().values())
    body = damaged(chance, chance.choice(files), files)[: chance.choice((10**6, 10**6, 300))]
    return Request("api", "PUT", f"/images/spoilt/{number % 50}?replace=true", body)


def _missing(chance: Random, number: int) -> Request:
    name = f"missing/{number}"
    path = chance.choice((f"{name}/@w=9.jpg", name, f"{name}/@meta.json"))
    return Request(chance.choice(("public", "api")), "GET", f"/images/{path}")


def _malformed(chance: Random, number: int) -> Request:
    path = chance.choice((f"a/@w={number},x=1.jpg", f"../{number}", f"a//{number}", f"a/@{number}", f"%00{number}"))
    return Request(chance.choice(("public", "api")), "GET", f"/images/{path}")


def _deletion(chance: Random, _: int) -> Request:
    return Request("api", "DELETE", f"/images/{_name(chance)}{chance.choice(('', '/@', '/@w=8.png'))}")


def _question(chance: Random, _: int) -> Request:
    paths = ("/stats", "/metrics", "/images?prefix=mixed/", "/health/ready", "/formats", "/openapi.json", "/none")
    return Request("api", "GET", chance.choice(paths))


def _order(chance: Random, _: int) -> Request:
    """JSON to one of the resources that take it; some of it is not what they take."""
    names = [_name(chance), "mixed/none", "../x"][: chance.randint(1, 3)]
    path, body = chance.choice(
        (
            ("/urls", {"names": [f"{name}/@w=8.png" for name in names]}),
            ("/purge", {"names": names}),
            ("/warm", {"names": names, "recipes": ["w=8.png"]}),
            ("/warm", {"what": 1}),
        )
    )
    return Request("api", "POST", path, json.dumps(body).encode(), (("Content-Type", "application/json"),))


_KINDS: dict[Callable[[Random, int], Request], int] = {
    **{_derived: 40, _unique: 15, _upload: 8, _spoilt: 8, _missing: 8, _malformed: 8},
    **{_deletion: 4, _question: 5, _order: 4},
}
"""What makes a request, and how many of a hundred it makes."""
