"""What must be true of an object before it is replaced or removed."""

from __future__ import annotations

from dataclasses import dataclass

from service.store.base import Exists, PreconditionFailed, StoredObject


@dataclass(frozen=True, slots=True)
class Condition:
    """`replace` and `if_match` as `Container.put` describes them."""

    name: str
    replace: bool = True
    if_match: str | None = None

    @property
    def always_true(self) -> bool:
        return self.replace and self.if_match is None

    def check(self, present: StoredObject | None) -> None:
        """Raises Exists, PreconditionFailed."""
        if self.if_match is not None and (present is None or present.etag != self.if_match):
            raise PreconditionFailed(f"{self.name!r} is not the object of this ETag")
        if present is not None and not self.replace:
            raise Exists(f"{self.name!r} is there already")
