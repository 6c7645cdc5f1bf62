"""The command get: images into files, by name, by query or by URL."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import click

from gateway.rules import CONTENT_TYPES, FORMAT_ALIASES
from service.cli.arguments import client_command, names
from service.cli.connection import Remote, for_each
from service.cli.saving import new_file
from service.client import Gateway, calls

CHUNK = 256 * 1024
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    **{
        content_type: (f".{word}", *(f".{alias}" for alias, meant in FORMAT_ALIASES.items() if meant == word))
        for word, content_type in CONTENT_TYPES.items()
    },
    "application/json": (".json",),
    "application/zip": (".zip",),
}
"""File name suffixes by content type, the usual one first."""

_QUERY = re.compile(r"[A-Za-z_]+=[^?]*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch: the path at the gateway with its query, and the name, unescaped, that a file is called after."""

    path: str
    name: str
    server: Remote


@client_command(
    "get photos/cat.jpg/@w=300.webp",
    "get 'photos/cat.jpg?w=300&format=webp' -o small.webp",
    "get --original photos/cat.jpg photos/dog.png -o pictures/",
    "get http://127.0.0.1:8080/images/photos/cat.jpg/@thumbnail.png",
)
@names
@click.option("-o", "--output", metavar="FILE|DIR", help="Where to (here, by its own name); - is standard output.")
@click.option("--original", is_flag=True, help="The untouched original.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def get(remote: Remote, names: tuple[str, ...], output: str | None, original: bool, force: bool) -> int:
    """Fetch images into files.

    NAME is an image, a derived name, a name with a query, or a whole URL, such as a temporary one. The token goes to
    the gateway's API only, never to the server of another URL.
    """
    if len(names) > 1 and output not in (None, "-") and not _is_folder(output or ""):
        raise click.UsageError(f"-o {output}: must be a folder where there are several images; end it with a slash")

    def one(gateway: Gateway, name: str) -> None:
        wanted = _read(name, remote, original)
        if wanted.server == remote:
            _fetch(gateway, wanted, output, force)
            return
        with wanted.server.connect() as other:
            _fetch(other, wanted, output, force)

    with remote.connect() as gateway:
        return for_each(gateway, names, one)


def _read(text: str, remote: Remote, original: bool) -> Wanted:
    """What NAME means."""
    asked = "original=true" if original else ""
    if re.match("https?://", text):
        url = urlsplit(text)
        server, path, query = Remote(f"{url.scheme}://{url.netloc}", None), url.path or "/", url.query
        base = remote.url.rstrip("/")
        if text.startswith(f"{base}/"):
            server, path = remote, f"/{text.removeprefix(f'{base}/').partition('?')[0].partition('#')[0]}"
        name = unquote(path).removeprefix("/images/")
    else:
        name, _, query = text.rpartition("?") if _QUERY.fullmatch(text.rpartition("?")[2]) else (text, "", "")
        if not name:  # what looks like a query has nothing before it
            name, query = text, ""
        server, path = remote, calls.path_of(name)
    query = "&".join(filter(None, (query, asked)))
    return Wanted(f"{path}?{query}" if query else path, name, server)


def _fetch(gateway: Gateway, wanted: Wanted, output: str | None, force: bool) -> None:
    with gateway.open(calls.at(wanted.path)) as answer:
        if output == "-":
            for chunk in answer.iter_bytes(CHUNK):
                sys.stdout.buffer.write(chunk)
            return
        content_type = answer.headers.get("Content-Type", "").partition(";")[0]
        target = _target(output, _file_name(wanted.name, content_type))
        try:
            with new_file(target, force=force) as file:
                for chunk in answer.iter_bytes(CHUNK):
                    file.write(chunk)
        except FileExistsError:
            raise FileExistsError(f"{target} is there already; --force overwrites it") from None
    click.echo(target)


def _target(output: str | None, name: str) -> Path:
    if output is None:
        return Path(name)
    if not _is_folder(output):
        return Path(output)
    Path(output).mkdir(parents=True, exist_ok=True)
    return Path(output, name)


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _file_name(name: str, content_type: str) -> str:
    """What an image is called in a folder: `cat.webp` for `photos/cat.jpg/@w=300.webp`."""
    path = PurePosixPath(name)
    image = path.parent if path.name.startswith("@") else path
    suffixes = SUFFIXES.get(content_type, (path.suffix,))
    is_right = image.suffix.lower() in suffixes or not path.suffix
    return image.name if is_right and content_type != "application/zip" else f"{image.stem}{suffixes[0]}"
