"""The bar of an upload: what is done, at which rate, and what is left. Drawn on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from service.client.uploading import LocalFile


@contextmanager
def progress_bar(files: Sequence[LocalFile]) -> Iterator[Callable[[int], None]]:
    """A function to be called with the bytes that are done."""
    console = Console(stderr=True)
    columns = (BarColumn(None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("upload", total=sum(file.bytes for file in files))
        yield lambda size: progress.update(task, advance=size)
