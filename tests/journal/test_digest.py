"""The object of a digest is read as it was written."""

from __future__ import annotations

from gateway.journal import LONGEST
from service.journal import digests
from service.journal.digest import Digest, packed, unpacked
from service.journal.digests import WIDEST
from tests.journal.listings import BEGIN


def test_a_digest_of_the_longest_names_is_read() -> None:
    digest = Digest("ab", BEGIN, BEGIN, (BEGIN, BEGIN), ("x" * LONGEST,) * digests.MOST_NAMES)
    assert unpacked(packed(digest)) == digest


def test_a_digest_is_read_as_it_was_written_and_nothing_else_is() -> None:
    digest = Digest("ab", BEGIN, BEGIN + WIDEST, (BEGIN, BEGIN - 1), ("1/a", "2/b%0A"))
    data = packed(digest)
    assert unpacked(data) == digest
    assert unpacked(packed(Digest("ab", 1.0, 2.0, (0.0, 0.0)))) == Digest("ab", 1.0, 2.0, (0.0, 0.0))
    for other in (b"", b"{}", data[:-1], data[5:], packed(Digest("a", float("nan"), 0, (0, 0)))):
        assert unpacked(other) is None
