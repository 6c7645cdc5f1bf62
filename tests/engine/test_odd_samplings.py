"""JPEGs of samplings that TurboJPEG does not know are copied without loss, and without what decoding does not need."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from tests.engine.deriving import derive
from tests.engine.odd_jpegs import Jpeg, Sampling

SAMPLINGS: dict[str, list[Sampling]] = {
    "410": [(4, 2), (1, 1), (1, 1)],
    "411 upright": [(1, 4), (1, 1), (1, 1)],
    "410 upright": [(2, 4), (1, 1), (1, 1)],
    "a third": [(3, 1), (1, 1), (1, 1)],
    "three to two": [(3, 2), (1, 1), (1, 1)],
    "unequal chroma": [(2, 2), (2, 1), (1, 2)],
    "chroma finer": [(1, 1), (2, 2), (1, 1)],
    "four": [(2, 1), (1, 1), (1, 1), (1, 2)],
}
KINDS: dict[str, dict[str, Any]] = {"": {}, "progressive": {"progressive": True}, "restarts": {"restart": 2}}


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def full(jpeg: Jpeg) -> bytes:
    return derive(jpeg.data(), "", "jpg").data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_copy_has_the_same_pixels(sampling: str, kind: str) -> None:
    jpeg = Jpeg((75, 43), SAMPLINGS[sampling], **KINDS[kind])
    copied = full(jpeg)
    assert pixels(copied) == pixels(jpeg.data())
    with Image.open(io.BytesIO(copied)) as image:
        assert [layer[1:3] for layer in image.layer] == SAMPLINGS[sampling]  # type: ignore[attr-defined]


@pytest.mark.parametrize("sampling", ["410", "unequal chroma"])
def test_what_fills_the_last_units_is_not_copied(sampling: str) -> None:
    jpeg = Jpeg((67, 35), SAMPLINGS[sampling])
    other = replace(jpeg, filling=1)
    assert jpeg.data() != other.data()
    assert full(jpeg) == full(other)


def test_bytes_behind_the_last_code_are_not_copied() -> None:
    jpeg = Jpeg((75, 43), SAMPLINGS["410"], restart=1)
    stray = replace(jpeg, stray=b"secret")  # few enough to be no damage
    assert b"secret" in stray.data()
    assert full(stray) == full(jpeg)


def test_a_copy_of_a_copy_is_the_same() -> None:
    copied = full(Jpeg((75, 43), SAMPLINGS["410"]))
    assert derive(copied, "", "jpg").data == copied
