"""The command upload: files and folders into the repository."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from service.cli.arguments import PATH, Folder, as_json, client_command
from service.cli.connection import Remote
from service.cli.progress import progress_bar
from service.cli.shell import STOPPED
from service.client.local_files import Patterns, Selection
from service.client.uploading import Uploading


@client_command(
    "upload pictures/ --prefix holiday/2024",
    "upload pictures/ --exclude '*.bmp' --exclude 'drafts/*' --dry-run",
    "upload cat.jpg --replace",
    "upload scans/ --direct",
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@click.option("--prefix", type=Folder(), default="", metavar="FOLDER", help="Where they go in the repository.")
@click.option("--include", multiple=True, metavar="GLOB", help="Of folders, only files that match; may be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Of folders, no files that match; may be repeated.")
@click.option("--replace", is_flag=True, help="Replace images that differ.")
@click.option("--parallel", type=click.IntRange(1, 100), default=4, metavar="N", help="How many at once (4).")
@click.option("--direct", is_flag=True, help="Send files of 1 MiB and more straight to the store, past the gateway.")
@click.option("--dry-run", is_flag=True, help="Store nothing; print what would be stored, and what is passed over.")
@as_json
def upload(
    remote: Remote,
    paths: tuple[Path, ...],
    prefix: str,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    replace: bool,
    parallel: int,
    direct: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Store files, and folders with all images below them. What the gateway holds already is not sent again.

    In a folder, what is no image by its content is passed over, as are hidden files and symbolic links that lead out
    of it. GLOB is compared with the file's name, or, where it has a slash, with its path in the folder.
    """
    selection = Selection(Patterns(include, exclude))
    files = list(selection.files_below(paths, prefix))
    if not files and not selection.passed_over:
        click.echo(f"there is no file to upload in {', '.join(map(str, paths))}", err=True)
        return 1
    work = Uploading(remote.url, remote.token, replace=replace, report=lambda _: None, dry=dry_run, direct=direct)
    try:
        with progress_bar(files) as bar:
            work.report = bar
            asyncio.run(work.run(files, parallel))
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        return STOPPED
    for name, reason in work.failed:
        click.echo(f"{name}: {reason}", err=True)
    _print(work, selection.passed_over, as_json)
    return 1 if work.failed else 0


def _print(work: Uploading, passed_over: list[tuple[Path, str]], as_json: bool) -> None:
    if as_json:
        document = {
            "dry_run": work.dry,
            "stored": sorted(work.stored),
            "there": sorted(work.there),
            "failed": [{"name": name, "reason": reason} for name, reason in work.failed],
            "passed_over": [{"path": str(path), "reason": reason} for path, reason in passed_over],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    if work.dry:
        for name in sorted(work.stored):
            click.echo(f"would store {name}")
        for path, reason in passed_over:
            click.echo(f"would pass over {path}: {reason}")
    counts = f"{len(work.stored)} {'to store' if work.dry else 'stored'}, {len(work.there)} there already"
    more = f", {len(passed_over)} passed over (no images)" if passed_over else ""
    click.echo(f"{counts}, {len(work.failed)} failed{more}")
