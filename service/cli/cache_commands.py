"""Commands about the caches of a running gateway: purge, stats, warm."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from service.api.schema.models import Stats, TreeStats, WalkStats, WarmProgress
from service.cli.arguments import as_json, client_command, optional_names
from service.cli.connection import Remote
from service.cli.progress import warming_bar
from service.cli.shell import STOPPED
from service.client import calls


@client_command("stats", "stats --json")
@as_json
def stats(remote: Remote, as_json: bool) -> int:
    """Show what the caches of a running gateway hold, and how often they answer."""
    with remote.connect() as gateway:
        found = gateway.call(calls.stats())
    if as_json:
        click.echo(found.model_dump_json(indent=1))
        return 0
    console = Console(highlight=False)
    console.print(_caches(found))
    console.print()
    console.print(_facts(found))
    return 0


@client_command("warm @w=320.webp thumbnail", "warm @w=640.auto --prefix photos/", "warm --ladder")
@click.argument("recipes", metavar="[RECIPE]...", nargs=-1)
@click.option("--prefix", default="", metavar="PREFIX", help="Of images whose names begin with this (of all).")
@click.option("--ladder", is_flag=True, help="Each RECIPE (@full.auto) at every width of the configured ladder.")
def warm(remote: Remote, recipes: tuple[str, ...], prefix: str, ladder: bool) -> int:
    """Make derived images ahead of time.

    RECIPE is as in derived names, @w=300.webp, or a preset's word. What is no image is passed over; an image that
    cannot be made is a line on standard error, and the exit status is 1.
    """
    if not recipes and not ladder:
        raise click.UsageError("name a RECIPE such as @w=320.webp, or --ladder")
    last = WarmProgress(done=0, made=0, failed=0, total=None)
    try:
        with remote.connect() as gateway, warming_bar() as bar:
            for last in gateway.warm(recipes, prefix, ladder=ladder):
                bar(last)
                if last.name:
                    click.echo(f"{last.name}: {last.code}", err=True)
    except KeyboardInterrupt:
        click.echo(_outcome(last))
        click.echo("stopped; the same command goes on from here", err=True)
        return STOPPED
    click.echo(_outcome(last))
    if last.problem:
        click.echo(f"{last.problem.status}: {last.problem.detail}; the same command goes on from here", err=True)
    return 1 if last.failed or last.problem else 0


@client_command("purge photos/cat.jpg", "purge --prefix photos/")
@optional_names
@click.option("--prefix", metavar="PREFIX", help="All images whose names begin with this.")
@click.option("--all", "everything", is_flag=True, help="All images.")
def purge(remote: Remote, names: tuple[str, ...], prefix: str | None, everything: bool) -> int:
    """Remove derived images; they come back when asked for."""
    with remote.connect() as gateway:
        purged = gateway.call(calls.purge(names or None, prefix=prefix, everything=everything))
    click.echo(f"{purged.images} images: {purged.files} files and {purged.objects} stored objects removed")
    return 0


def _outcome(warmed: WarmProgress) -> str:
    there = warmed.done - warmed.made - warmed.failed - warmed.passed_over
    passed_over = f", {warmed.passed_over} passed over (no images)" if warmed.passed_over else ""
    return f"{warmed.made} made, {there} there already, {warmed.failed} failed{passed_over}"


def _caches(stats: Stats) -> Table:
    table = Table("cache", box=None, pad_edge=False)
    for heading in ("size", "of", "full", "files", "evicted", "last used"):
        table.add_column(heading, justify="right")
    for name, tree in (("derived", stats.derived), ("originals", stats.originals)):
        table.add_row(name, *_tree(tree))
    memory = (stats.memory_bytes, stats.most_memory_bytes)
    table.add_row("memory", *_sizes(*memory), f"{stats.memory_images:,}", "", "")
    return table


def _tree(tree: TreeStats) -> tuple[str, ...]:
    counted = "" if tree.counted else "+"  # what was there at the start is still being counted
    used = "" if tree.oldest is None or tree.newest is None else f"{_age(tree.newest)} to {_age(tree.oldest)} ago"
    return *_sizes(tree.bytes, tree.most_bytes), f"{tree.files:,}{counted}", f"{tree.evicted:,}", used


def _sizes(taken: int, most: int) -> tuple[str, str, str]:
    return _size(taken), _size(most), f"{taken / most:.1%}" if most else ""


def _facts(stats: Stats) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in _described(stats):
        table.add_row(name, value)
    return table


def _described(stats: Stats) -> Iterator[tuple[str, str]]:
    levels = ", ".join(f"{level} {count:,}" for level, count in stats.answered.items())
    yield "running for", _age(stats.running)
    yield "answered", f"{sum(stats.answered.values()):,} ({levels})"
    yield "hit ratio", f"{stats.hit_ratio:.1%}"
    yield "being made", f"{stats.flights:,}, and {stats.shared:,} requests so far waited for another's"
    yield "not makeable", f"{stats.failures_remembered:,} remembered"
    yield "compared", _compared(stats)
    yield "used images", _revalidated(stats)
    if stats.settled is not None or stats.journal_failed or stats.journal_waiting:
        yield "journal", _journal(stats)
    yield "walk", _walk(stats.walk)
    if stats.jpeg_bytes:
        yield "JPEG", _jpegs(stats)
    if stats.unproven_bytes or stats.proved:
        yield "unknown age", f"{_size(stats.unproven_bytes)} of derived images; {stats.proved:,} images were proved"
    troubles = ", ".join(f"{error} {count:,}" for error, count in stats.disk_failures.items())
    yield "disk failures", troubles or "none"


def _jpegs(stats: Stats) -> str:
    measured = stats.jpeg_xl_measured
    by = f"{measured:,} that this node has made" if measured else "photographs of cameras"
    saves = f"{_size(stats.jpeg_xl_saves)} fewer, by {by}"
    return f"{_size(stats.jpeg_bytes)} in the store; as JPEG XL an estimated {saves}"


def _compared(stats: Stats) -> str:
    failed = f", {stats.sweeps_failed:,} failed" if stats.sweeps_failed else ""
    if stats.swept is None:
        return f"never yet with the listing of the store, which has {stats.listed:,} originals{failed}"
    found = f"{stats.listed:,} originals, {stats.cached:,} of them cached, {stats.suspected:,} suspected"
    return f"{_age(stats.swept)} ago with the store, in {_age(stats.sweep_seconds)}: {found}{failed}"


def _revalidated(stats: Stats) -> str:
    way = "all originals are listed" if stats.revalidation == "list" else "the store is asked for them"
    due = f", {stats.due:,} due for up to {_age(stats.oldest_due)}" if stats.due else ""
    failed = f", {stats.asks_failed:,} questions failed" if stats.asks_failed else ""
    return f"{way}; {stats.asked:,} questions so far{due}{failed}"


def _journal(stats: Stats) -> str:
    unread = "not read yet: what other nodes replaced while this one was away may be served"
    read = unread if stats.journal_age is None else f"read {_age(stats.journal_age)} ago"
    failed = f", {stats.journal_failed:,} reads failed" if stats.journal_failed else ""
    waiting = f", {stats.journal_waiting:,} entries could not be written yet" if stats.journal_waiting else ""
    return f"{read}{failed}{waiting}"


def _walk(walk: WalkStats) -> str:
    ended = "never ended yet" if walk.age is None else f"ended {_age(walk.age)} ago"
    part = "" if walk.part is None else f" ({walk.part:.0%})"
    return f"of share {walk.share} {ended}; now {walk.objects:,} objects{part}, {walk.removed:,} removed"


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
