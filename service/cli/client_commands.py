"""What the commands do that speak to a running gateway; `cli_client` tells of them."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from gateway.settings import Config
from service.api.answers import Listing
from service.cli import cache_commands as cli_caches
from service.cli.connection import address, connected, token
from service.cli.progress import progress_bar
from service.client import Gateway, GatewayError, calls
from service.client.uploading import Uploading, files_below


def run(config: Config, options: argparse.Namespace) -> int:
    """Run the command that `options` names: whatever the gateway refuses is one line."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        return COMMANDS[options.command](config, options)
    except GatewayError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def upload(config: Config, options: argparse.Namespace) -> int:
    """Store files and folders; what the gateway holds already is not sent again."""
    files = list(files_below(options.path, options.prefix))
    if not files:
        print(f"there is no file in {', '.join(map(str, options.path))}", file=sys.stderr)
        return 1
    with progress_bar(files) as bar:
        work = Uploading(address(config, options), token(), replace=options.replace, told=bar)
        asyncio.run(work.run(files, options.parallel))
    for name, reason in work.failed:
        print(f"{name}: {reason}", file=sys.stderr)
    print(f"{work.stored} stored, {work.there} there already, {len(work.failed)} failed")
    return 1 if work.failed else 0


def list_names(config: Config, options: argparse.Namespace) -> int:
    """Names, one a line; with --long their bytes and times too."""
    with connected(config, options) as gateway:
        if options.folders:
            _list_folder(gateway, options)
            return 0
        for image in gateway.images(options.prefix, options.regex):
            print(_long(image) if options.long else image.name)
    return 0


def print_urls(config: Config, options: argparse.Namespace) -> int:
    """Temporary URLs, one a line."""
    with connected(config, options) as gateway:
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
    with connected(config, options) as gateway:
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


def _for_each(config: Config, options: argparse.Namespace, work: Callable[[Gateway, str], None]) -> int:
    """Do something to every name; what fails is told, and does not keep the others from it."""
    failed = 0
    with connected(config, options) as gateway:
        for name in options.name:
            try:
                work(gateway, name)
            except GatewayError as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


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


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], int]] = {
    "upload": upload,
    "ls": list_names,
    "url": print_urls,
    "get": download,
    "rm": remove,
    "meta": print_metadata,
    **cli_caches.COMMANDS,
}
