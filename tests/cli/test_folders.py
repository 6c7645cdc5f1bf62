"""A folder of one's own pictures holds other files too: `upload` and `warm` pass them over, and say how many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.client import Gateway
from tests import gateways, images
from tests.cli.terminal import Terminal

OTHERS = {
    ".DS_Store": b"\0\0\0\1Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "letter.pdf": b"%PDF-1.7\n",
    "notes.txt": b"what is no image",
    "report.jpg": b"%PDF-1.7\n",  # names promise nothing
    "empty.png": b"",
}


@pytest.fixture
def album(tmp_path: Path, cat: bytes, dog: bytes) -> Path:
    """Three images, one of them called otherwise, and six other files."""
    made = tmp_path / "album"
    for name, data in {"cat.jpg": cat, "inner/dog.png": dog, "inner/scan.pdf": cat, **OTHERS}.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(data)
    return made


def test_what_is_no_image_is_passed_over_and_counted(
    terminal: Terminal, client: Gateway, album: Path, folder: str
) -> None:
    told = terminal.both("upload", album, "--prefix", folder)
    assert told == (["3 stored, 0 there already, 0 failed, 6 passed over (no images)"], [])
    listed = [image.name for image in client.images(f"{folder}/")]
    assert listed == [f"{folder}/{name}" for name in ("cat.jpg", "inner/dog.png", "inner/scan.pdf")]


def test_a_folder_without_images_ends_well_and_an_empty_one_does_not(
    terminal: Terminal, album: Path, folder: str, tmp_path: Path
) -> None:
    (album / "inner").rename(tmp_path / "elsewhere")
    (album / "cat.jpg").unlink()
    assert terminal.run("upload", album) == ["0 stored, 0 there already, 0 failed, 6 passed over (no images)"]
    (tmp_path / "empty").mkdir()
    assert "there is no file to upload in" in terminal.run("upload", tmp_path / "empty", status=1)[0]


def test_a_file_that_is_named_itself_is_sent_and_refused(terminal: Terminal, album: Path, folder: str) -> None:
    told = terminal.run("upload", album / "notes.txt", "--prefix", folder, status=1)
    assert told[0].startswith(f"{folder}/notes.txt: 415: ")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--include", "*.png"], ["inner/dog.png"]),
        (["--include", "*.png", "--include", "cat.*"], ["cat.jpg", "inner/dog.png"]),
        (["--exclude", "inner/*"], ["cat.jpg"]),
        (["--include", "inner/*", "--exclude", "*.pdf"], ["inner/dog.png"]),
    ],
)
def test_patterns_choose_files(
    terminal: Terminal, client: Gateway, album: Path, folder: str, options: list[str], wanted: list[str]
) -> None:
    terminal.run("upload", album, "--prefix", folder, *options)
    assert [image.name for image in client.images(f"{folder}/")] == [f"{folder}/{name}" for name in wanted]


def test_a_dry_run_tells_all_and_stores_nothing(
    terminal: Terminal, client: Gateway, album: Path, folder: str, cat: bytes, dog: bytes
) -> None:
    client.upload(f"{folder}/cat.jpg", cat)
    client.upload(f"{folder}/inner/scan.pdf", dog)
    out, errors = terminal.both("upload", album, "--prefix", folder, "--dry-run", "--exclude", "*.txt", status=1)
    assert out[0] == f"would store {folder}/inner/dog.png"
    assert f"would pass over {album}/report.jpg: no image" in out
    assert out[-1] == "1 to store, 1 there already, 1 failed, 5 passed over (no images)"
    assert errors == [f"{folder}/inner/scan.pdf: another image has this name; --replace replaces it"]
    assert len(list(client.images(f"{folder}/"))) == 2


def test_the_outcome_is_json_for_programs(terminal: Terminal, album: Path, folder: str) -> None:
    told = json.loads("\n".join(terminal.run("upload", album, "--prefix", folder, "--include", "*.jpg", "--json")))
    assert told == {
        "dry_run": False,
        "stored": [f"{folder}/cat.jpg"],
        "there": [],
        "failed": [],
        "passed_over": [{"path": f"{album}/report.jpg", "reason": "no image"}],
    }


def test_no_link_leads_out_of_the_folder(
    terminal: Terminal, client: Gateway, folder: str, tmp_path: Path, cat: bytes
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key.jpg").write_bytes(cat)
    given = tmp_path / "given"
    (given / "inner").mkdir(parents=True)
    (given / "inner/cat.jpg").write_bytes(cat)
    targets: dict[str, str | Path] = {
        "out.jpg": "../secret/key.jpg",
        "absolute.jpg": tmp_path / "secret/key.jpg",
        "folder": "../secret",
        "chain.jpg": "out.jpg",
        "broken.jpg": "nothing",
        "within.jpg": "inner/cat.jpg",
    }
    for link, target in targets.items():
        (given / link).symlink_to(target)
    assert terminal.run("upload", given, "--prefix", folder) == [
        "2 stored, 0 there already, 0 failed, 4 passed over (no images)"
    ]
    listed = [image.name for image in client.images(f"{folder}/")]
    assert listed == [f"{folder}/inner/cat.jpg", f"{folder}/within.jpg"]


def drop(shared: gateways.Gateway, album: Path, folder: str) -> None:
    """Put the album into the folder that the gateway serves, past its API."""
    album.rename(shared.root / "var/store" / folder)


def test_a_dropped_folder_is_listed_without_what_is_no_image(
    shared: gateways.Gateway, terminal: Terminal, client: Gateway, album: Path, folder: str
) -> None:
    drop(shared, album, folder)
    types = {image.name.removeprefix(f"{folder}/"): image.content_type for image in client.images(f"{folder}/")}
    assert types == {
        "cat.jpg": "image/jpeg",
        "empty.png": "application/octet-stream",  # an extension that images have: only a look inside would tell
        "inner/dog.png": "image/png",
        "inner/scan.pdf": "image/jpeg",
        "report.jpg": "application/octet-stream",
    }


def test_warming_a_dropped_folder_ends_well_and_tells_what_it_passed_over(
    shared: gateways.Gateway, terminal: Terminal, album: Path, folder: str
) -> None:
    drop(shared, album, folder)
    told = terminal.both("warm", "@w=20.webp", "--prefix", f"{folder}/")
    assert told == (["3 made, 0 there already, 0 failed, 2 passed over (no images)"], [])


def test_warming_the_ladder_makes_no_picture_twice(
    shared: gateways.Gateway, terminal: Terminal, album: Path, folder: str
) -> None:
    drop(shared, album, folder)
    told = terminal.both("warm", "--ladder", "@q=60.webp", "--prefix", f"{folder}/")
    # Of eight widths each: 160 and 320 of the two that are 320 wide, and 160 of the one that is 80 wide.
    assert told == (["5 made, 19 there already, 0 failed, 16 passed over (no images)"], [])
    (refused,) = terminal.run("warm", "--ladder", "@w=20.webp", status=1)
    assert "with the ladder, must be without a size, such as @q=60.auto" in refused


def test_warming_still_fails_for_a_damaged_image(
    shared: gateways.Gateway, terminal: Terminal, folder: str, cat: bytes
) -> None:
    (shared.root / "var/store" / folder).mkdir(parents=True)
    (shared.root / "var/store" / folder / "cut.jpg").write_bytes(cat[:2000])
    out, errors = terminal.both("warm", "@w=20.webp", "--prefix", f"{folder}/", status=1)
    assert out == ["0 made, 0 there already, 1 failed"]
    assert errors == [f"{folder}/cut.jpg/@w=20.webp: undecodable"]


def test_a_recipe_without_its_sign_is_told_the_sign(terminal: Terminal) -> None:
    (told,) = terminal.run("warm", "w=320.webp", status=1)
    assert "a recipe begins with @; did you mean @w=320.webp?" in told
    (told,) = terminal.run("warm", "thumbnial", status=1)
    assert "thumbnial" in told


@pytest.mark.parametrize(
    ("name", "make", "content_type"),
    [
        ("a", images.jpeg, "image/jpeg"),
        ("a.dat", images.gif, "image/gif"),
        ("a.jpg", images.heic, "image/heic"),
        ("a.png", images.avif, "image/avif"),
        ("a.tif", images.tiff, "image/tiff"),
        ("a.bmp", images.bmp, "image/bmp"),
        ("a.webp", images.webp, "image/webp"),
    ],
)
def test_a_dropped_original_has_the_content_type_of_its_content(
    shared: gateways.Gateway, folder: str, name: str, make: object, content_type: str
) -> None:
    assert callable(make)
    (shared.root / "var/store" / folder).mkdir(parents=True)
    (shared.root / "var/store" / folder / name).write_bytes(make())
    for method in ("HEAD", "GET"):
        answered = shared.api.request(method, f"/images/{folder}/{name}", params={"original": "true"})
        assert answered.headers["Content-Type"] == content_type
