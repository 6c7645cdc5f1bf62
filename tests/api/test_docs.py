"""The examples of docs/api.md, all of which run, one after the other, on a service with Swift."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.sample import draw_sample
from tests import examples
from tests.api.on_swift import Service, running_on_swift


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, with the sample that `make run` uploads, which the page begins with."""
    root = tmp_path_factory.mktemp("documented")
    draw_sample(root / "sample.jpg")
    with running_on_swift(root) as running:
        running.api.put("/images/photos/cat.jpg", content=(root / "sample.jpg").read_bytes()).raise_for_status()
        yield running


def test_every_example_of_the_documentation_runs_and_answers_as_it_says(service: Service, tmp_path: Path) -> None:
    (tmp_path / ".bash_profile").write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n')
    api = str(service.api.base_url).rstrip("/")
    chosen = examples.blocks("docs/api.md")
    assert len(chosen) > 20
    examples.run(
        chosen,
        tmp_path,
        {"HOME": str(tmp_path)},
        python=sys.executable,
        change=lambda code: code.replace("http://127.0.0.1:8081", api),
    )
