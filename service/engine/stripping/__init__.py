"""Allow-lists by format: what decoding and colour need of an image, and nothing else.

Every module offers `pieces(source, keep_icc)`: what the stripped file is made of, in order, each either new bytes or a
part of the original. It raises Undecodable where the file is broken, NotCopied where it cannot do it without a loss,
at whatever point it finds out.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.source import Source

Piece = bytes | Source
Pieces = Iterator[Piece]


class NotCopied(Exception):
    """The image cannot be stripped as it is stored: it has to be encoded once more."""
