"""The bars of long commands: what is done, at which rate, and what is left. Drawn on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from service.api.schema.models import WarmProgress
from service.client.local_files import LocalFile


@contextmanager
def progress_bar(files: Sequence[LocalFile]) -> Iterator[Callable[[int], None]]:
    """A function to be called with the bytes that are done."""
    with _drawn(BarColumn(None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("upload", total=sum(file.bytes for file in files))
        yield lambda size: progress.update(task, advance=size)


@contextmanager
def warming_bar() -> Iterator[Callable[[WarmProgress], None]]:
    """A function to be called with how far it is; without a total the bar only moves."""
    counts = TextColumn("{task.fields[made]} made, {task.fields[failed]} failed")
    with _drawn(BarColumn(None), MofNCompleteColumn(), counts, TimeRemainingColumn()) as progress:
        task = progress.add_task("warm", total=None, made=0, failed=0)
        yield lambda now: progress.update(task, completed=now.done, total=now.total, made=now.made, failed=now.failed)


def _drawn(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
