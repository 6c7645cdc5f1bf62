"""Derived trees for tests, filled without an engine."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.holding import Shape
from gateway.marker import Marker
from gateway.names import Name
from service.cache.disk import DerivedTree
from service.cache.published import Published
from service.cache.work import Work


def marker(etag: str = "e", modified: int = 1000) -> Marker:
    return Marker("jpg", "jpg", etag, modified, Shape(640, 480))


def name(image: str, width: int = 1, format: str = "jpg") -> Name:
    return Name(image, {"w": str(width)}, format)


def tree_in(folder: Path) -> DerivedTree:
    """An empty tree with a work folder beside it."""
    for part in ("derived", "work"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return DerivedTree(folder / "derived", Work(folder / "work", None), lambda _: None)


def publish(
    tree: DerivedTree, image: str, width: int = 1, etag: str = "e", *, size: int = 100, format: str = "jpg"
) -> Published:
    """Publish a file of this many bytes as a derived image."""
    finished = tree.root.parent / "work" / "finished"
    finished.write_bytes(os.urandom(size))
    return tree.publish(finished, name(image, width, format), 1000, marker(etag))


def paths(tree: DerivedTree) -> set[str]:
    """Every file below the root."""
    return {path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_file()}


def read(path: Path) -> None:
    """Read a file as nginx does, so that its access time tells of it."""
    path.read_bytes()
