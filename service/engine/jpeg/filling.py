"""The blocks of a JPEG that lie beyond its picture, and only fill its last units up (ITU-T T.81, A.2.4): whether they
hold nothing.

libjpeg writes each of them as a copy of the block before it in its unit, without AC coefficients (jctrans.c). A block
of any other kind is a place to hide something in.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from service.engine.jpeg import recode, turbo
from service.engine.jpeg.parts import SOF0, SOF1, Frame, Part, frame, joined, of_size

_BYTES, _DC = 128, 2
"""Of a block, and of its DC coefficient, which stands first."""

_NO_AC = bytes(_BYTES - _DC)

_LONGEST = 0xFFFF
"""Side of a JPEG."""

_PROGRESSIVE, _NO_OUTPUT = 32, 16  # TJXOPT_*
_STOP_ON_WARNING, _LIMIT_SCANS = 8192, 32768  # TJFLAG_*
_GO_ON, _END = 0, -1  # what a filter returns


class _Edge(NamedTuple):
    """Of one component: the blocks of a unit across and down, the first column and the first row of blocks in the last
    units, and how many columns and rows of these belong to the picture."""

    unit: tuple[int, int]
    first: tuple[int, int]
    real: tuple[int, int]

    @property
    def is_whole(self) -> bool:
        return self.real == self.unit


class _Collected:
    """The blocks of each component that lie in the last column or the last row of units, as bytes by row of blocks;
    nothing of a component whose last units are whole."""

    def __init__(self) -> None:
        self.begin(())

    def begin(self, edges: Sequence[_Edge]) -> None:
        self._edges = [None if edge.is_whole else edge for edge in edges]
        self.rows: list[list[bytes]] = [[] for _ in edges]

    def see(self, coefficients: int, region: turbo.Region, _plane: turbo.Region, component: int, *_: object) -> int:
        """A `turbo.Filter`, called with each row of blocks in turn."""
        if recode.look_at_dc(coefficients, region) == _END:
            return _END
        try:
            edge = self._edges[component]
            if edge is None:
                return _GO_ON
            column, row = edge.first
            start = _BYTES * column if region.y < 8 * row else 0
            size = _BYTES * region.width // 8 - start
            if size <= 0:
                return _END
            self.rows[component].append(ctypes.string_at(coefficients + start, size))
        except (MemoryError, IndexError):
            return _END
        return _GO_ON


_collected = _Collected()
_FILTER = turbo.Filter(_collected.see)
"""Made with this module: it takes memory that can be executed, which an engine process may not ask for later."""


def holds_nothing(found: Sequence[Part]) -> bool:
    """Whether the blocks beyond the picture of a sequential JPEG of one scan are what libjpeg writes there. False, too,
    where its data are damaged or have a DC coefficient that no samples of 8 bits give, which libjxl would change, and
    where libjpeg-turbo cannot read it or is missing.

    6 megapixels take 9 ms of CPU.
    """
    head = next((part.head for part in found if part.marker in (SOF0, SOF1)), b"")
    said = frame(head)
    if said is None or turbo.library is None:
        return False
    width, height = said.unit
    units = -(-said.width // width), -(-said.height // height)
    if units[0] * width > _LONGEST or units[1] * height > _LONGEST:
        return False
    whole = of_size(head, units[0] * width, units[1] * height)
    data = joined(Part(part.marker, whole) if part.head is head else part for part in found)
    edges = [_edge(said, units, sampling) for sampling in said.samplings]
    _collected.begin(edges)
    try:
        return _is_read(data) and all(map(_is_filled, edges, _collected.rows))
    finally:
        _collected.begin(())


def _edge(said: Frame, units: tuple[int, int], sampling: tuple[int, int]) -> _Edge:
    (across, down), (width, height) = sampling, said.unit
    first = (units[0] - 1) * across, (units[1] - 1) * down
    columns, rows = -(-said.width * across // width), -(-said.height * down // height)
    return _Edge(sampling, first, (columns - first[0], rows - first[1]))


def _is_read(data: bytes) -> bool:
    library, output, size = turbo.library, ctypes.c_void_p(), ctypes.c_ulong()
    assert library is not None
    what = turbo.Transform(options=_PROGRESSIVE | _NO_OUTPUT, filter=_FILTER)
    with turbo.handle(library.tjInitTransform) as handle:
        failed = library.tjTransform(
            *(handle, data, len(data), 1, ctypes.byref(output), ctypes.byref(size), ctypes.byref(what)),
            _LIMIT_SCANS | _STOP_ON_WARNING,
        )
        library.tjFree(output)
        return not failed


def _is_filled(edge: _Edge, rows: Sequence[bytes]) -> bool:
    """Whether the blocks of one component that lie beyond the picture hold nothing."""
    if edge.is_whole:
        return True
    down, first_row = edge.unit[1], edge.first[1]
    if len(rows) != first_row + down:
        return False
    return all(
        _are_filled(rows[top : top + down], edge, edge.real[1] if top == first_row else down)
        for top in range(0, len(rows), down)
    )


def _are_filled(rows: Sequence[bytes], edge: _Edge, lines: int) -> bool:
    """The same of the units in `rows`, of which the last one is that at the right; `lines` belong to the picture."""
    across, down = edge.unit
    count, rest = divmod(len(rows[0]), _BYTES * across)
    if rest or any(len(row) != len(rows[0]) for row in rows):
        return False
    for number in range(count):
        columns = edge.real[0] if number == count - 1 else across
        if (columns, lines) == edge.unit:
            continue
        first = number * across
        blocks = [row[_BYTES * at : _BYTES * (at + 1)] for row in rows for at in range(first, first + across)]
        beyond = [column >= columns or line >= lines for line in range(down) for column in range(across)]
        fillings = [place for place, is_beyond in enumerate(beyond) if is_beyond]
        if 0 in fillings or any(blocks[place] != blocks[place - 1][:_DC] + _NO_AC for place in fillings):
            return False
    return True
