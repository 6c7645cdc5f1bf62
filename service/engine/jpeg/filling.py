"""The blocks of a JPEG that lie beyond its picture, and only fill its last units up (ITU-T T.81, A.2.4): whether they
hold nothing.

libjpeg writes each of them as a copy of the block before it in its unit, without AC coefficients (jctrans.c). A block
of any other kind is a place to hide something in.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.engine.jpeg import turbo
from service.engine.jpeg.parts import SOF0, SOF1, Frame, Part, frame, joined, of_size

_COEFFICIENTS, _BYTES = 64, 128
"""Of a block."""

_LONGEST = 0xFFFF
"""Side of a JPEG."""

_PROGRESSIVE, _NO_OUTPUT = 32, 16  # TJXOPT_*
_STOP_ON_WARNING, _LIMIT_SCANS = 8192, 32768  # TJFLAG_*
_GO_ON, _END = 0, -1  # what a filter returns

Blocks = NDArray[np.int16]


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
    where its data are damaged, or libjpeg-turbo cannot read it or is missing.

    6 megapixels take 7 ms of CPU.
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
    (across, down), (first_column, first_row) = edge.unit, edge.first
    if len(rows) != first_row + down:
        return False
    seen = [np.frombuffer(row, np.int16).reshape(-1, _COEFFICIENTS) for row in rows]
    at_the_right = np.stack([row[-across:] for row in seen])
    at_the_bottom = np.stack(seen[-down:])
    columns, lines = edge.real
    return _holds_nothing(at_the_right, edge.unit, (columns, first_row + lines)) and _holds_nothing(
        at_the_bottom, edge.unit, (first_column + columns, lines)
    )


def _holds_nothing(blocks: Blocks, unit: tuple[int, int], real: tuple[int, int]) -> bool:
    """`blocks` are rows of blocks of whole units, and `real` is how many columns and rows belong to the picture."""
    (across, down), (rows, columns, _) = unit, blocks.shape
    beyond = (np.arange(columns) >= real[0]) | (np.arange(rows) >= real[1])[:, None]
    # units, one after another, of blocks in the order in which they are coded
    coded = (
        blocks.reshape(rows // down, down, columns // across, across, -1)
        .swapaxes(1, 2)
        .reshape(-1, down * across, _COEFFICIENTS)
    )
    filling = beyond.reshape(rows // down, down, columns // across, across).swapaxes(1, 2).reshape(-1, down * across)
    if filling[:, 0].any():
        return False
    same = coded[:, 1:, 0] == coded[:, :-1, 0]
    return not (coded[filling][:, 1:].any() or (filling[:, 1:] & ~same).any())
