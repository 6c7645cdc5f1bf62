"""The models of a takedown: its receipt, and how far a node is with its entry in the journal."""

from __future__ import annotations

from pydantic import Field

from service.api.schema.models import Reply


class Receipt(Reply):
    """What a takedown removed on this node and in the store, and by what the other nodes follow."""

    name: str
    original: bool = Field(description="whether the store had it; false where only something derived was left")
    files: int = Field(
        description="derived images, and copies of the original, that were removed from this node's disk"
    )
    objects: int = Field(description="objects that were removed from the derived container")
    entry: str | None = Field(
        description="in the journal, for `GET /journal`; null: there is no journal, or it takes the entry later"
    )


class JournalEntry(Reply):
    """An entry of the journal on this node."""

    entry: str
    settled: bool | None = Field(description="whether what it says is old is gone from here; null: there is no journal")
