"""Commands that speak to a running gateway, as `image-gateway` lists them. What they do is in `cli_commands`, which
imports more than the other commands need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.cli.configuration import LONGEST_LIFETIME, folder, up_to

API, TOKEN = "IMAGE_GATEWAY_API", "IMAGE_GATEWAY_TOKEN"  # in the environment

_COMMON: list[tuple[list[str], dict[str, Any]]] = [
    (["--api"], {"metavar": "URL", "help": f"the API (${API}, else api.listen of the configuration)"})
]
_NAMES = (["name"], {"nargs": "+", "metavar": "NAME", "help": "names of images"})
_LONG = (["-l", "--long"], {"action": "store_true", "help": "bytes and times too"})

HELP = {
    "upload": "store files and folders of a running gateway",
    "ls": "list images",
    "url": "print temporary URLs",
    "get": "fetch an image",
    "rm": "remove images",
    "meta": "print metadata",
    "purge": "remove derived images; they come back when asked for",
    "stats": "tell how the caches of a running gateway are",
    "warm": "make derived images before anybody asks for them",
}
ARGUMENTS: dict[str, list[tuple[list[str], dict[str, Any]]]] = {
    "upload": [
        *_COMMON,
        (["path"], {"nargs": "+", "type": Path, "metavar": "PATH", "help": "files, and folders with all below them"}),
        (["--prefix"], {"type": folder, "default": "", "metavar": "FOLDER", "help": "where they go in the repository"}),
        (["--replace"], {"action": "store_true", "help": "replace images that differ"}),
        (["--parallel"], {"type": up_to(100), "default": 4, "metavar": "N", "help": "how many at once (4)"}),
    ],
    "ls": [
        *_COMMON,
        (["prefix"], {"nargs": "?", "default": "", "metavar": "PREFIX", "help": "only names that begin with this"}),
        (["--regex"], {"metavar": "RE2", "help": "only names in which this finds itself"}),
        (["--folders"], {"action": "store_true", "help": "only this level, folders by their name"}),
        _LONG,
    ],
    "url": [
        *_COMMON,
        _NAMES,
        (["--original"], {"action": "store_true", "help": "of the untouched originals"}),
        (["--lifetime"], {"type": up_to(LONGEST_LIFETIME), "metavar": "SECONDS", "help": "how long they hold"}),
        (["--inline"], {"action": "store_true", "help": "for a browser to show, not to save"}),
    ],
    "get": [
        *_COMMON,
        (["name"], {"metavar": "NAME", "help": "an image, or a derived name such as cat.jpg/@w=300.webp"}),
        (
            ["-o", "--output"],
            {"type": Path, "metavar": "FILE", "help": "where to (its own name); - is standard output"},
        ),
        (["--original"], {"action": "store_true", "help": "the untouched original"}),
    ],
    "rm": [*_COMMON, _NAMES],
    "meta": [*_COMMON, _NAMES],
    "purge": [
        *_COMMON,
        (["name"], {"nargs": "*", "metavar": "NAME", "help": "names of images"}),
        (["--prefix"], {"metavar": "PREFIX", "help": "all images whose names begin with this"}),
        (["--all"], {"action": "store_true", "help": "all images"}),
    ],
    "stats": _COMMON,
    "warm": [
        *_COMMON,
        (["recipe"], {"nargs": "+", "metavar": "RECIPE", "help": "as in derived names: @w=300.webp; or a preset"}),
        (["--prefix"], {"default": "", "metavar": "PREFIX", "help": "of images whose names begin with this (of all)"}),
    ],
}
