"""What it costs to ask the store for single originals, and to list all of them: measured while it runs."""

from __future__ import annotations

from dataclasses import dataclass

HEAD, ROW = 8.5e-3, 57e-6  # seconds, until they are measured: CPU of `bench/run fleet` for a HEAD, a row of a listing
WEIGHT = 0.2  # of each new measurement
FREE = 100  # images that are asked for in each interval whatever a listing costs: listings lag behind


@dataclass(slots=True)
class Costs:
    """Seconds of the store for one question, and for one row of a listing."""

    head: float = HEAD
    row: float = ROW

    def asked(self, seconds: float, questions: int) -> None:
        """So many questions, several at once, took so long together."""
        self.head += WEIGHT * (seconds / questions - self.head)

    def listed(self, seconds: float, rows: int) -> None:
        """A listing of so many rows took so long."""
        if rows:
            self.row += WEIGHT * (seconds / rows - self.row)

    def is_listing_cheaper(self, questions: int, rows: int) -> bool:
        """Whether to list all rows costs less than so many questions."""
        return questions > FREE and questions * self.head > self.head + rows * self.row
