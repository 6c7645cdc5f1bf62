"""Commands that ask a running gateway about its images: ls, meta, url."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from service.api.schema.models import ListedImage, Listing, MetadataResult
from service.cli.arguments import as_json, client_command, lifetime, names, prefix
from service.cli.connection import Remote, for_each
from service.client import Gateway, GatewayError, calls


@client_command("ls photos/", "ls --folders --long photos/", "ls --regex '[.]png$' --json")
@prefix
@click.option("--regex", metavar="RE2", help="Only names in which this regular expression matches.")
@click.option("--folders", is_flag=True, help="Only this level, folders by their name.")
@click.option("-l", "--long", is_flag=True, help="Bytes and times too.")
@as_json
def ls(remote: Remote, prefix: str, regex: str | None, folders: bool, long: bool, as_json: bool) -> int:
    """List the images whose names begin with PREFIX. The exit status is 1 where PREFIX or --regex finds none."""
    with remote.connect() as gateway:
        found = _folder(gateway, prefix) if folders else gateway.images(prefix, regex)
        count = _print_array(found) if as_json else _print_lines(found, long)
    if count:
        return 0
    sought = [f"begins with {prefix}"] * bool(prefix) + [f"matches {regex}"] * (regex is not None)
    click.echo("there is no image" + (f" whose name {' and '.join(sought)}" if sought else " yet"), err=True)
    return int(bool(sought))


@client_command("meta photos/cat.jpg", "meta photos/cat.jpg photos/dog.png --json")
@names
@as_json
def meta(remote: Remote, names: tuple[str, ...], as_json: bool) -> int:
    """Print the metadata of images: a JSON object each, or with --json one array that also holds their names."""
    results: list[MetadataResult] = []

    def one(gateway: Gateway, name: str) -> None:
        found = gateway.call(calls.metadata(name))
        if not as_json:
            click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        results.append(MetadataResult(name=name, metadata=found))

    def one_of_array(gateway: Gateway, name: str) -> None:
        try:
            one(gateway, name)
        except GatewayError as error:
            results.append(MetadataResult(name=name, problem=error.problem))
            raise

    with remote.connect() as gateway:
        status = for_each(gateway, names, one_of_array if as_json else one)
    if as_json:
        _print_array(results)
    return status


@client_command("url photos/cat.jpg/@w=300.webp", "url --original --lifetime 1h --inline photos/cat.jpg")
@names
@click.option("--original", is_flag=True, help="Of the untouched originals.")
@lifetime
@click.option("--inline", is_flag=True, help="For a browser to show, not to save.")
@as_json
def url(
    remote: Remote, names: tuple[str, ...], original: bool, lifetime: int | None, inline: bool, as_json: bool
) -> int:
    """Print temporary URLs, one a line."""
    with remote.connect() as gateway:
        results = gateway.call(calls.temporary_urls(names, original=original, lifetime=lifetime, inline=inline))
    for result in results:
        if result.problem:
            click.echo(f"{result.name}: {result.problem.status}: {result.problem.detail}", err=True)
        elif not as_json:
            click.echo(result.url)
    if as_json:
        _print_array(results)
    return int(any(result.problem for result in results))


def _folder(gateway: Gateway, prefix: str) -> Iterator[ListedImage | str]:
    """The images and the folders of one level, in the order of their names."""
    call: calls.Call[Listing] | None = calls.listing(prefix, delimiter="/")
    while call is not None:
        page = gateway.call(call)
        found: dict[str, ListedImage | str] = {folder: folder for folder in page.folders}
        found |= {image.name: image for image in page.images}
        for name in sorted(found, key=str.encode):
            yield found[name]
        call = calls.following(page)


def _print_lines(found: Iterator[Any], long: bool) -> int:
    count = 0
    for one in found:
        count += 1
        if isinstance(one, str):
            click.echo(one)
        else:
            click.echo(f"{one.bytes:>12} {one.modified:%Y-%m-%d %H:%M:%S} {one.name}" if long else one.name)
    return count


def _print_array(items: Any) -> int:
    """Print a JSON array, an element a line, as the elements come. A folder is an object as in the API's listings."""
    count = 0
    for count, one in enumerate(items, 1):
        text = json.dumps({"folder": one}) if isinstance(one, str) else one.model_dump_json(exclude_none=True)
        click.echo(f"{'[' if count == 1 else ','}\n{text}", nl=False)
    click.echo("\n]" if count else "[]")
    return count
