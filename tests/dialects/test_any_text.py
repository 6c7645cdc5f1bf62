"""Whatever a URL holds, it is translated or refused."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.holding import Shape
from service.dialects.dialect import Problem
from tests.dialects.translating import dialect, meaning, vectors

CHARACTERS = "abcefghimnoprstuwxyz0123456789/:.,-=@%()_~é'!"
SHAPES = st.builds(Shape, st.integers(1, 50), st.integers(1, 50))


def pieces(name: str) -> st.SearchStrategy[str]:
    """Parts of the vectors of a dialect and any text, in any order."""
    written = sorted(
        {part for row in vectors(name, "means") + vectors(name, "refused") for part in row["url"].split("/")}
    )
    part = st.one_of(st.sampled_from(written), st.sampled_from(written), st.text(CHARACTERS, max_size=12))
    return st.lists(part, min_size=1, max_size=6).map("/".join)


def asked(name: str, url: str, shape: Shape) -> None:
    tried = dialect(name)
    with contextlib.suppress(Refused):
        try:
            meaning(tried, url, shape)
        except Refused as error:
            assert error.status in (400, 404)
            assert isinstance(tried.problem(error.status, error.detail), Problem)
            raise


@given(url=pieces("imgproxy"), shape=SHAPES)
def test_any_text_after_a_signature_of_imgproxy(url: str, shape: Shape) -> None:
    asked("imgproxy", url, shape)
    asked("imgproxy", f"{url}/plain/local:///a.jpg@jpg", shape)


@given(url=pieces("thumbor"), shape=SHAPES)
def test_any_text_after_a_signature_of_thumbor(url: str, shape: Shape) -> None:
    asked("thumbor", url, shape)
    asked("thumbor", f"{url}/a.jpg", shape)
