"""What the commands about caches do: stats, warm, purge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from gateway.settings import Config
from service.api.answers import Stats, TreeStats, WarmProgress
from service.cli.connection import connected
from service.cli.progress import warming_bar
from service.client import calls


def print_stats(config: Config, options: argparse.Namespace) -> int:
    """How the caches are, as tables."""
    with connected(config, options) as gateway:
        stats = gateway.call(calls.stats())
    console = Console(highlight=False)
    console.print(_caches(stats))
    console.print()
    console.print(_facts(stats))
    return 0


def warm(config: Config, options: argparse.Namespace) -> int:
    """Derived images made ahead of time; what cannot be made is told, a line each."""
    last = WarmProgress(done=0, made=0, failed=0, total=None)
    try:
        with connected(config, options) as gateway, warming_bar() as bar:
            for last in gateway.warm(options.recipe, options.prefix):
                bar(last)
                if last.name:
                    print(f"{last.name}: {last.code}", file=sys.stderr)
    except KeyboardInterrupt:
        print(_outcome(last))
        raise
    print(_outcome(last))
    if last.problem:
        print(f"{last.problem.status}: {last.problem.detail}; the same command goes on from here", file=sys.stderr)
    return 1 if last.failed or last.problem else 0


def purge(config: Config, options: argparse.Namespace) -> int:
    """Derived images of these images, of a prefix, or of all."""
    with connected(config, options) as gateway:
        purged = gateway.call(calls.purge(options.name or None, prefix=options.prefix, everything=options.all))
    print(f"{purged.images} images: {purged.files} files and {purged.objects} stored objects removed")
    return 0


def _outcome(warmed: WarmProgress) -> str:
    there = warmed.done - warmed.made - warmed.failed
    return f"{warmed.made} made, {there} there already, {warmed.failed} failed"


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
    for name, value in _told(stats):
        table.add_row(name, value)
    return table


def _told(stats: Stats) -> Iterator[tuple[str, str]]:
    levels = ", ".join(f"{level} {count:,}" for level, count in stats.answered.items())
    yield "running for", _age(stats.running)
    yield "answered", f"{sum(stats.answered.values()):,} ({levels})"
    yield "hit ratio", f"{stats.hit_ratio:.1%}"
    yield "being made", f"{stats.flights:,}, and {stats.shared:,} requests so far waited for another's"
    yield "not makeable", f"{stats.failures_remembered:,} remembered"
    yield "compared", _compared(stats)
    troubles = ", ".join(f"{error} {count:,}" for error, count in stats.disk_failures.items())
    yield "disk failures", troubles or "none"


def _compared(stats: Stats) -> str:
    failed = f", {stats.sweeps_failed:,} failed" if stats.sweeps_failed else ""
    if stats.swept is None:
        return f"never yet with the store{failed}"
    found = f"{stats.listed:,} originals, {stats.cached:,} of them cached, {stats.suspected:,} suspected"
    return f"{_age(stats.swept)} ago with the store, in {_age(stats.sweep_seconds)}: {found}{failed}"


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


COMMANDS: dict[str, Callable[[Config, argparse.Namespace], int]] = {
    "purge": purge,
    "stats": print_stats,
    "warm": warm,
}
