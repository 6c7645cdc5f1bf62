"""Find flaws of files that have all of their pixels, and write the same files without them.

Every module is for one format and offers `mend(source, deep)`. It finds flaws in the structure; where `deep` is true it
also looks into what is compressed. It raises Undecodable where pixels are missing or known to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from service.engine.stripping import Piece


@dataclass(slots=True)
class Mended:
    """`flaws` are clauses without a full stop. `pieces` make up a whole and valid file; they are empty where decoders
    and allow-lists accept the file as it is."""

    flaws: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
