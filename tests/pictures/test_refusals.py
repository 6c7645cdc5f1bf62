"""Files that lack pixels, hold wrong ones or are of a kind that is not read, are refused with that reason."""

from __future__ import annotations

import pytest

from service.engine.job import EngineError
from tests.engine.deriving import derive, verify
from tests.pictures import animations, bmps, flaws
from tests.pictures.files import Refusal

REFUSED: list[Refusal] = [*flaws.REFUSED, *bmps.REFUSED, *animations.REFUSED]


@pytest.mark.parametrize("refusal", REFUSED, ids=str)
def test_a_file_is_refused_with_its_reason(refusal: Refusal) -> None:
    data = refusal.make()
    for use in (lambda: verify(data), lambda: derive(data, "w=20", "png"), lambda: derive(data, "w=20", "webp")):
        with pytest.raises(EngineError, match=refusal.reason):
            use()
