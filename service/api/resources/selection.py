"""Select images by prefix, folder and regular expression, in the memory of one page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from gateway.errors import Refused
from service.store.base import Container, Page, StoredObject

PAGE = 5000  # names that are asked of the store at once: a directory looks through a whole folder for each page
MOST_MEMORY = 1 << 20  # bytes that a regular expression may compile to
LONGEST_PATTERN = 1000  # characters


@dataclass(frozen=True, slots=True)
class Selection:
    """Names that begin with `prefix`, that `pattern` finds itself in, folded at `delimiter`, after `marker`; `typed` as
    in `Container.list`."""

    prefix: str = ""
    pattern: Any = None
    delimiter: str = ""
    marker: str = ""
    typed: bool = False

    async def pages(self, container: Container, size: int = PAGE) -> AsyncIterator[Page]:
        """The pages of the listing with what was not meant left out; some may be empty. Raises Unavailable."""
        marker: str | None = self.marker
        while marker is not None:
            page = await container.list(
                prefix=self.prefix, delimiter=self.delimiter, marker=marker, limit=size, typed=self.typed
            )
            marker = page.marker
            meant = [one for one in page.objects if self.pattern is None or self.pattern.search(one.name)]
            yield Page(meant, page.folders, marker)

    async def first(self, container: Container, most: int, scan: int | None = None) -> Page:
        """At most `most` of them, after a look at `scan` names or so; `marker` where there may be more."""
        objects: list[StoredObject] = []
        folders: list[str] = []
        seen = 0
        size = most if self.pattern is None else max(PAGE, most)
        async for page in self.pages(container, size):
            room = most - len(objects) - len(folders)
            objects += page.objects[:room]
            folders += page.folders
            if len(page.objects) > room:
                return Page(objects, folders, objects[-1].name)
            seen += size
            full = len(objects) + len(folders) >= most or (scan is not None and seen >= scan)
            if full or page.marker is None:
                return Page(objects, folders, page.marker)
        return Page(objects, folders, None)


def compile_pattern(text: str) -> Any:
    """A regular expression of RE2, which takes time in proportion to the name whatever it says. Raises Refused."""
    if len(text) > LONGEST_PATTERN:
        raise Refused(400, f"regex: has more than {LONGEST_PATTERN} characters")
    import re2  # noqa: PLC0415  # only a listing by expression needs it

    options = re2.Options()
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "cannot be read"
        raise Refused(400, f"regex: {reason}; RE2's syntax holds") from None
