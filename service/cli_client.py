"""Commands that speak to a running gateway: upload, ls, url, get, rm, meta, purge."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from gateway.settings import Config
from gateway.units import split_listen
from service.api.answers import Listing
from service.client import Gateway, GatewayError, calls
from service.client.uploading import Uploading, files_below

API, TOKEN = "IMAGE_GATEWAY_API", "IMAGE_GATEWAY_TOKEN"
ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared with, not listened on


def upload(config: Config, options: argparse.Namespace) -> int:
    """Store files and folders; what the gateway holds already is not sent again."""
    from service.cli_progress import progress_bar  # noqa: PLC0415  # only this command draws

    files = list(files_below(options.path, options.prefix))
    if not files:
        print(f"there is no file in {', '.join(map(str, options.path))}", file=sys.stderr)
        return 1
    with progress_bar(files) as bar:
        work = Uploading(_api(config, options), _token(), replace=options.replace, told=bar)
        asyncio.run(work.run(files, options.parallel))
    for name, reason in work.failed:
        print(f"{name}: {reason}", file=sys.stderr)
    print(f"{work.stored} stored, {work.there} there already, {len(work.failed)} failed")
    return 1 if work.failed else 0


def list_names(config: Config, options: argparse.Namespace) -> int:
    """Names, one a line; with --long their bytes and times too."""
    with _gateway(config, options) as gateway:
        if options.folders:
            _list_folder(gateway, options)
            return 0
        for image in gateway.images(options.prefix, options.regex):
            print(_long(image) if options.long else image.name)
    return 0


def print_urls(config: Config, options: argparse.Namespace) -> int:
    """Temporary URLs, one a line."""
    with _gateway(config, options) as gateway:
        wanted = {"original": options.original, "lifetime": options.lifetime, "inline": options.inline}
        results = gateway.call(calls.temporary_urls(options.name, **wanted))
    for result in results:
        if result.problem:
            print(f"{result.name}: {result.problem.status}: {result.problem.detail}", file=sys.stderr)
        else:
            print(result.url)
    return 1 if any(result.problem for result in results) else 0


def download(config: Config, options: argparse.Namespace) -> int:
    """An image into a file, or to standard output."""
    recipe = {"original": "true"} if options.original else {}
    target = options.output or Path(_local_name(options.name))
    with _gateway(config, options) as gateway:
        if str(target) == "-":
            sys.stdout.buffer.write(gateway.get(options.name, **recipe))
            return 0
        gateway.download(calls.content(options.name, **recipe), target)
    print(target)
    return 0


def remove(config: Config, options: argparse.Namespace) -> int:
    """Images, with all that was derived of them."""
    return _for_each(config, options, lambda gateway, name: gateway.call(calls.delete(name)))


def print_metadata(config: Config, options: argparse.Namespace) -> int:
    """Metadata as JSON, an object for each image."""

    def one(gateway: Gateway, name: str) -> None:
        print(json.dumps(gateway.call(calls.metadata(name)), ensure_ascii=False, indent=1))

    return _for_each(config, options, one)


def purge(config: Config, options: argparse.Namespace) -> int:
    """Derived images of these images, of a prefix, or of all."""
    with _gateway(config, options) as gateway:
        purged = gateway.call(calls.purge(options.name or None, prefix=options.prefix, everything=options.all))
    print(f"{purged.images} images: {purged.files} files and {purged.objects} stored objects removed")
    return 0


def _for_each(config: Config, options: argparse.Namespace, work: Callable[[Gateway, str], None]) -> int:
    """Do something to every name; what fails is told, and does not keep the others from it."""
    failed = 0
    with _gateway(config, options) as gateway:
        for name in options.name:
            try:
                work(gateway, name)
            except GatewayError as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


@contextmanager
def _gateway(config: Config, options: argparse.Namespace) -> Iterator[Gateway]:
    with Gateway(_api(config, options), _token()) as gateway:
        yield gateway


def _api(config: Config, options: argparse.Namespace) -> str:
    host, port = split_listen(config.api.listen)
    local = f"http://{ANY_HOST.get(host, f'[{host}]' if ':' in host else host)}:{port}"
    return str(options.api or os.environ.get(API) or local)


def _token() -> str | None:
    return os.environ.get(TOKEN) or None


def _list_folder(gateway: Gateway, options: argparse.Namespace) -> None:
    call: calls.Call[Listing] | None = calls.listing(options.prefix, delimiter="/")
    while call is not None:
        page = gateway.call(call)
        lines = {image.name: _long(image) if options.long else image.name for image in page.images}
        for name in sorted([*lines, *page.folders]):
            print(lines.get(name, name))
        call = calls.following(page)


def _long(image: Any) -> str:
    return f"{image.bytes:>12} {image.modified:%Y-%m-%d %H:%M:%S} {image.name}"


def _local_name(name: str) -> str:
    """What an image is called in a folder: `cat.webp` for `photos/cat.jpg/@w=300.webp`."""
    path = PurePosixPath(name)
    return f"{path.parent.stem}{path.suffix}" if path.name.startswith("@") else path.name


def command(
    run: Callable[[Config, argparse.Namespace], int],
) -> Callable[[Config, Path | None, argparse.Namespace], int]:
    """A command of the table: whatever the gateway refuses is one line."""

    def guarded(config: Config, _file: Path | None, options: argparse.Namespace) -> int:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        try:
            return run(config, options)
        except GatewayError as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("stopped; the same command goes on from here", file=sys.stderr)
            return 130

    return guarded


_COMMON: list[tuple[list[str], dict[str, Any]]] = [
    (["--api"], {"metavar": "URL", "help": f"the API (${API}, else api.listen of the configuration)"})
]
_NAMES = (["name"], {"nargs": "+", "metavar": "NAME", "help": "names of images"})
_LONG = (["-l", "--long"], {"action": "store_true", "help": "bytes and times too"})

COMMANDS = {
    "upload": command(upload),
    "ls": command(list_names),
    "url": command(print_urls),
    "get": command(download),
    "rm": command(remove),
    "meta": command(print_metadata),
    "purge": command(purge),
}
HELP = {
    "upload": "store files and folders of a running gateway",
    "ls": "list images",
    "url": "print temporary URLs",
    "get": "fetch an image",
    "rm": "remove images",
    "meta": "print metadata",
    "purge": "remove derived images; they come back when asked for",
}
ARGUMENTS: dict[str, list[tuple[list[str], dict[str, Any]]]] = {
    "upload": [
        *_COMMON,
        (["path"], {"nargs": "+", "type": Path, "metavar": "PATH", "help": "files, and folders with all below them"}),
        (["--prefix"], {"default": "", "metavar": "FOLDER", "help": "where they go in the repository"}),
        (["--replace"], {"action": "store_true", "help": "replace images that differ"}),
        (["--parallel"], {"type": int, "default": 4, "metavar": "N", "help": "how many at once (4)"}),
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
        (["--lifetime"], {"type": int, "metavar": "SECONDS", "help": "how long they hold"}),
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
}
