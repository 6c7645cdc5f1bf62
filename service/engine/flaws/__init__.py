"""Flaws: what is wrong with a file that has all of its pixels, and the same file without it.

Every module is for one format and offers `mend(source, deep)`. It finds flaws in the structure; where `deep` is true it
also looks into what is compressed. It raises Undecodable where pixels are missing or known to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from service.engine.stripping import Piece


@dataclass(slots=True)
class Mended:
    """The `flaws`, each a clause without a full stop, and the `pieces` of a whole and valid file; these are empty where
    the decoders and the allow-lists take the file as it is."""

    flaws: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
