"""What the parts of the service hold in this process: how many entries each of their containers has."""

from __future__ import annotations

import gc
import sys
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

KINDS = (dict, list, set, deque)


def entries() -> Counter[str]:
    """By `module.Class.attribute`, or `module.name`, the entries of all such containers together."""
    gc.collect()
    found = Counter[str]()
    for name, module in list(sys.modules.items()):
        if _is_ours(name):
            found.update({f"{name}.{key}": len(value) for key, value in vars(module).items() if _counts(value)})
    for thing in gc.get_objects():
        kind = type(thing)
        if _is_ours(kind.__module__):
            for key, value in _attributes(thing):
                if _counts(value):
                    found[f"{kind.__module__}.{kind.__qualname__}.{key}"] += len(value)
    return found


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.split(".")[0] in ("service", "gateway")


def _counts(value: object) -> bool:
    return isinstance(value, KINDS)


def _attributes(thing: object) -> Iterator[tuple[str, Any]]:
    """The attributes that an object has in a dictionary of its own, or in slots."""
    yield from getattr(thing, "__dict__", {}).items()
    for kind in type(thing).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__") and hasattr(thing, slot):
                yield slot, getattr(thing, slot)
