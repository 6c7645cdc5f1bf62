"""`make compare` says of each file of a folder whether the gateway and libvips make the same of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from scripts.compare import main
from tests import images

pytestmark = [pytest.mark.slow, pytest.mark.nginx]


def test_each_file_is_compared_and_what_differs_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    (folder / "below/a b.jpg").write_bytes(images.jpeg())
    (folder / "alpha.png").write_bytes(images.png_alpha())
    (folder / "notes.txt").write_text("no picture")
    (folder / "old.bmp").write_bytes(images.bmp())
    assert main([str(folder), str(tmp_path / "sheet.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[:-2]] == ["refused by libvips alone", "refused by both"]
    assert "4 files: 2 equal, 0 differs, 0 other size, 0 refused by us alone" in lines[-2]
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height == 160 + 16


def test_a_file_that_the_gateway_alone_refuses_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "vector.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    assert main([str(tmp_path), str(tmp_path.parent / "sheet.png")]) == 1
    assert "refused by us alone" in capsys.readouterr().out.splitlines()[0]


def test_without_a_folder_it_says_how_it_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "make compare FOLDER=" in capsys.readouterr().err
