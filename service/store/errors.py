"""The exceptions of a store.

StoreError
├── NotFound            there is no such object
├── Exists              the name is taken and replacing was not asked for
├── PreconditionFailed  the object is not the one the caller named by its ETag
├── Unholdable          this store cannot hold an object of this name
├── ReadOnly            this store takes no changes
├── NoTemporaryUrls     this store cannot make temporary URLs
├── Corrupt             what arrived is not what was sent (length or checksum)
├── NotArrived          nothing was sent to a temporary PUT URL yet, or it is gone again
├── NotAsAnnounced      what was sent there has another size than was announced
├── StoreFull           there is no room (quota, disk)
│   └── IncomingFull    there is none for what clients send by temporary PUT URLs
└── Unavailable         the store did not answer in time, or refuses; carries `retry_after`
    └── Forbidden       the gateway's user lacks a right there
"""

from __future__ import annotations


class StoreError(Exception):
    """Something a store could not do; the text is fit for a log, and names no secret."""


class NotFound(StoreError):
    pass


class Exists(StoreError):
    pass


class PreconditionFailed(StoreError):
    pass


class Unholdable(StoreError):
    pass


class ReadOnly(StoreError):
    pass


class NoTemporaryUrls(StoreError):
    pass


class Corrupt(StoreError):
    pass


class NotArrived(StoreError):
    pass


class NotAsAnnounced(StoreError):
    pass


class StoreFull(StoreError):
    pass


class IncomingFull(StoreFull):
    pass


class Unavailable(StoreError):
    """The store did not answer in time, or refuses. Retry after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Forbidden(Unavailable):
    """The gateway's user lacks a right; the text names the container, the right, and how to give it."""
