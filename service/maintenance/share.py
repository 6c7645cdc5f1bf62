"""The share of a container's names that one of several nodes walks, by arithmetic on the names.

Names are divided as the pages of a dictionary are: at each place where they differ, every character that occurs there
stands for as much. So all nodes find the same places where shares begin and end by asking for a few names, and none
lists what is another's. Where names are spread unevenly the shares are too; together they are always everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from service.maintenance.pace import LIST, Pace
from service.store.base import Container

LAST = "\U0010ffff"  # sorts after every character that names have
AFTER_SURROGATES = "\ue000"  # there is no character directly before it
FINENESS = 16  # a place is found to one part in so many of a share


@dataclass(frozen=True, slots=True)
class Share:
    """One part of `count` equal ones; `number` is from 0."""

    number: int
    count: int

    @classmethod
    def of(cls, text: str) -> Share:
        """The share `I/N` of the configuration; 0/N is the last, for nodes that count from 0."""
        number, _, count = text.partition("/")
        return cls((int(number) - 1) % int(count), int(count))

    def __str__(self) -> str:
        return f"{self.number + 1}/{self.count}"

    async def places(self, container: Container, pace: Pace) -> tuple[str, str | None]:
        """Where it begins, and where the next one does, None after the last: names sort before a place or not. Raises
        Unavailable."""
        begin = await self._place(container, pace, self.number)
        return begin, None if self.number + 1 == self.count else await self._place(container, pace, self.number + 1)

    async def _place(self, container: Container, pace: Pace, number: int) -> str:
        if number == 0:
            return ""
        part, width, prefix = Fraction(number, self.count), Fraction(1), ""
        while width > Fraction(1, FINENESS * self.count):
            branches = await _branches(container, pace, prefix)
            if not branches:
                break
            part *= len(branches)
            width /= len(branches)
            prefix += branches[int(part)]
            part -= int(part)
        return prefix


async def _branches(container: Container, pace: Pace, prefix: str) -> list[str]:
    """The characters that follow this beginning in any name, in their order."""
    found = list[str]()
    marker = prefix
    while True:
        page = await container.list(prefix=prefix, marker=marker, limit=1)
        await pace.spent(LIST)
        if not page.objects:
            return found
        found.append(page.objects[0].name[len(prefix)])
        marker = f"{prefix}{found[-1]}{LAST}"


def just_before(name: str) -> str:
    """A marker after which a listing begins with this name, or not far before it."""
    last = name[-1:]
    if last <= "!" or last == AFTER_SURROGATES:
        return name[:-1]
    return f"{name[:-1]}{chr(ord(last) - 1)}{LAST}"
