"""Refuse an upload for its name's sake before its bytes are sent, where that is worth a question to the store.

The name is looked at once more when the upload is stored, so nothing depends on this. A question costs every upload of
a new name; without it an upload of a taken name is sent, and checked, for nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from service.originals.originals import Originals
from service.store.base import Precondition
from service.store.errors import Exists, NotFound, PreconditionFailed
from service.uploads.quota import Quota, QuotaReached

SMALL = 8 << 20  # bytes that may be sent for nothing
AGAIN = 60.0  # seconds after a refusal for which each name is asked for: one rarely comes alone


class Early:
    """Asks the store for the name of an upload that is about to be sent: each, where the store is not `remote`."""

    def __init__(self, originals: Originals, quota: Quota, *, remote: bool) -> None:
        self._remote = remote
        self._originals = originals
        self._quota = quota
        self._refused = float("-inf")  # when the last upload was refused for its name, monotonic

    @contextlib.contextmanager
    def learning(self) -> Iterator[None]:
        """Store an upload in this context. One that is refused for its name has been sent for nothing."""
        try:
            yield
        except (Exists, PreconditionFailed):
            self._refused = time.monotonic()
            raise

    async def foresee(self, name: str, precondition: Precondition, size: int | None) -> None:
        """Raise what storing an upload of `size` bytes would raise for the name's sake. No promise: a small one is let
        pass where nothing is known of its name. With None the sender waits for the answer, or does not tell the size.

        Raises Exists, PreconditionFailed, QuotaReached, Unavailable.
        """
        if self._may_pass(name, precondition, size):
            with contextlib.suppress(QuotaReached):  # a replacement may have room
                await self._quota.check(None, size or 1)
                return
        try:
            there = await self._originals.stat(name, fresh=True)
        except NotFound:
            there = None
        precondition.check(there)
        await self._quota.check(there, 1)

    def _may_pass(self, name: str, precondition: Precondition, size: int | None) -> bool:
        """Whether the name can refuse nothing, or the upload is small and nothing speaks against it here."""
        if precondition.is_always_true:
            return True
        if not self._remote or precondition.names_etags or self._originals.known(name):
            return False
        return size is not None and size <= SMALL and time.monotonic() - self._refused > AGAIN
