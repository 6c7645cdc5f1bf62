"""Allow-lists by format: the parts of a file that decoding and colour need.

Every module offers `pieces(source, keep_icc)`, which yields the parts of the stripped file in order, each either new
bytes or a part of the original. It raises Undecodable where the file is broken, and NotCopied where it cannot copy it
without a loss, also after the first pieces.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.source import Source

Piece = bytes | Source
Pieces = Iterator[Piece]


class NotCopied(Exception):
    """The image cannot be stripped as it is stored: it has to be encoded once more."""
