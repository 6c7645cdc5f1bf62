"""The manifest store of C2PA: boxes of JUMBF (ISO/IEC 19566-5) with claims in CBOR (C2PA 2.2, 10 and 11).

Nothing is verified: neither hashes nor signatures are looked at, and no link is followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from service.engine.provenance import cbor, source_types
from service.engine.provenance.texts import plain

LONGEST = 4 * 2**20
"""Bytes of a store that are read. It may hold thumbnails of its ingredients."""
_MOST = 1000  # boxes of one level that are looked at
_MOST_ACTIONS = 4  # assertions of actions that are looked at
_LABEL = 256  # bytes
_TYPE = 16  # bytes of the UUID in a description box; a byte of toggles follows, then the label


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the active manifest says: the program that made its claim, and the source type of the image's creation;
    None where it says nothing of it, or is damaged."""

    claim_generator: str | None = None
    source_type: str | None = None


def read(data: bytes) -> Manifest | None:
    """Return the active manifest, the last of the store; None where `data` is no store of C2PA. Never raises."""
    store = next((held for label, held in _labelled(memoryview(data)) if label == "c2pa"), None)
    if store is None:
        return None
    manifests = [held for _, held in _labelled(store)]
    return _described(manifests[-1]) if manifests else Manifest()


def _described(manifest: memoryview) -> Manifest:
    held = dict(_labelled(manifest))
    claim = next((content for label, content in held.items() if label.startswith("c2pa.claim")), None)
    assertions = held.get("c2pa.assertions")
    return Manifest(
        None if claim is None else _generator(_content(claim)), None if assertions is None else _source_type(assertions)
    )


def _generator(claim: Any) -> str | None:
    """`claim_generator` of version 1; of version 2 name and version of `claim_generator_info`."""
    if not isinstance(claim, dict):
        return None
    stated = plain(claim.get("claim_generator"))
    held = claim.get("claim_generator_info")
    info = held[0] if isinstance(held, list) and held else held
    if stated or not isinstance(info, dict):
        return stated
    name, version = plain(info.get("name")), plain(info.get("version"))
    return plain(f"{name}/{version}") if name and version else name


def _source_type(assertions: memoryview) -> str | None:
    """That of `c2pa.created`, else the first that an action states."""
    found: list[tuple[bool, str]] = []
    of_actions = (held for label, held in _labelled(assertions) if label.startswith("c2pa.actions"))
    for held in islice(of_actions, _MOST_ACTIONS):
        content = _content(held)
        actions = content.get("actions") if isinstance(content, dict) else None
        for action in actions if isinstance(actions, list) else ():
            stated = source_types.canonical(action.get("digitalSourceType")) if isinstance(action, dict) else None
            if stated:
                found.append((action.get("action") != "c2pa.created", stated))
    return min(found, key=lambda one: one[0])[1] if found else None


def _content(superbox: memoryview) -> Any:
    """What the CBOR box of a superbox holds; None where there is none, or it is damaged."""
    held = next((content for kind, content in _boxes(superbox) if kind == b"cbor"), None)
    try:
        return None if held is None else cbor.decoded(bytes(held))
    except ValueError:
        return None


def _labelled(data: memoryview) -> Iterator[tuple[str, memoryview]]:
    """Every superbox of a level: the label of its description, and its content."""
    for kind, content in _boxes(data):
        described = next(_boxes(content), None) if kind == b"jumb" else None
        if described is not None and described[0] == b"jumd":
            label = bytes(described[1][_TYPE + 1 : _TYPE + 1 + _LABEL]).partition(b"\0")[0]
            yield label.decode("utf-8", "replace"), content


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Every box of a level with its content; the last may be cut."""
    for _ in range(_MOST):
        if len(data) < 8:
            return
        size, kind, start = int.from_bytes(data[:4]), bytes(data[4:8]), 8
        if size == 1:
            size, start = int.from_bytes(data[8:16]), 16
        size = size or len(data)
        if size < start:
            return
        yield kind, data[start:size]
        data = data[size:]
