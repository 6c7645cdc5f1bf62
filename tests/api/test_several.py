"""Several images at once: zips, metadata, and the forms of older clients."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import PurePosixPath

import httpx
import numpy as np
import pytest
from PIL import Image

from service.api.resources.entries import Entries
from tests import images
from tests.gateways import Gateway


@pytest.fixture(scope="module")
def album(shared: Gateway, cat: bytes, dog: bytes) -> str:
    for name, data in (("cat.jpg", cat), ("cat.png", dog), ("inner/dog.png", dog)):
        assert shared.upload(f"album/{name}", data).status_code == 201
    (shared.root / "var/store/album/notes.dat").write_text("no image")
    return "album/"


def unzip(answered: httpx.Response) -> dict[str, bytes]:
    assert answered.status_code == 200, answered.text
    assert answered.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answered.content)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_a_folder_of_originals_is_a_zip_of_them(shared: Gateway, album: str, cat: bytes, dog: bytes) -> None:
    answered = shared.api.get(f"/images/{album}", params={"original": "true", "regex": "(jpg|png)$"})
    files = unzip(answered)
    assert answered.headers["Content-Disposition"] == "attachment; filename*=UTF-8''album.zip"
    manifest = json.loads(files.pop("manifest.json"))
    assert files == {"cat.jpg": cat, "cat.png": dog, "inner/dog.png": dog}
    assert (manifest["images"], manifest["failed"]) == (3, [])


def test_derived_images_are_made_for_the_zip_and_what_fails_is_told_in_it(shared: Gateway, album: str) -> None:
    files = unzip(shared.api.get(f"/images/{album}", params={"xsize": "40", "kind": "webp"}))
    manifest = json.loads(files.pop("manifest.json"))
    assert set(files) == {"cat.webp", "cat-2.webp", "inner/dog.webp"}
    assert {Image.open(io.BytesIO(data)).format for data in files.values()} == {"WEBP"}
    assert Image.open(io.BytesIO(files["cat.webp"])).size == (40, 30)
    assert [(one["name"], one["problem"]["status"]) for one in manifest["failed"]] == [("album/notes.dat", 415)]


def test_older_clients_select_by_regex_below_a_path(shared: Gateway, album: str) -> None:
    files = unzip(shared.api.get("/images/album", params={"regex": "png$", "thumbnail": "True"}))
    assert set(files) == {"cat.png", "inner/dog.png", "manifest.json"}
    assert shared.api.get("/images/album", params={"regex": "nothing"}).status_code == 404
    assert shared.api.get("/images/album", params={"regex": "("}).status_code == 400


def test_metadata_of_several_is_a_list_with_a_result_each(shared: Gateway, album: str) -> None:
    told = shared.api.get(f"/images/{album}", params={"meta": "True"})
    assert told.status_code == 200
    results = told.json()
    assert [one["name"] for one in results] == [
        f"album/{n}" for n in ("cat.jpg", "cat.png", "inner/dog.png", "notes.dat")
    ]
    assert (results[0]["metadata"]["format"], results[1]["metadata"]["width"]) == ("jpg", 80)
    assert results[3]["problem"]["status"] == 415
    page = shared.api.get(f"/images/{album}", params={"meta": "true", "limit": "2"})
    assert len(page.json()) == 2
    following = page.headers["Link"].split(";")[0].strip("<>")
    assert [one["name"] for one in shared.api.get(following).json()] == ["album/inner/dog.png", "album/notes.dat"]


def test_the_metadata_of_one_is_an_object(shared: Gateway, album: str) -> None:
    by_query = shared.api.get(f"/images/{album}cat.jpg", params={"meta": "True"})
    by_name = shared.api.get(f"/images/{album}cat.jpg/@meta.json")
    assert by_query.json() == by_name.json()
    assert by_query.json()["height"] == 240


def test_each_temporary_url_of_several_is_a_url_or_a_problem(shared: Gateway, album: str) -> None:
    results = shared.api.get(f"/images/{album}", params={"url": "True", "thumbnail": "True"}).json()
    given = {one["name"]: shared.public.get(one["url"]).status_code for one in results if "url" in one}
    assert given == {"album/cat.jpg": 200, "album/cat.png": 200, "album/inner/dog.png": 200}
    assert {one["name"]: one["problem"]["status"] for one in results if "problem" in one} == {"album/notes.dat": 415}
    batch = shared.api.post("/urls", json={"names": ["album/cat.jpg/@w=9.png", "a//b"]}).json()
    assert shared.public.get(batch[0]["url"]).status_code == 200
    assert batch[1]["problem"]["status"] == 400


def test_a_zip_has_its_limits_in_number_and_bytes(shared: Gateway, folder: str) -> None:
    noise = images.png(np.random.default_rng(1).integers(0, 256, (100, 100, 3), np.uint8))
    assert 2 * len(noise) < 64 * 1024 < 3 * len(noise)
    for number in range(3):
        assert shared.upload(f"{folder}/{number}.png", noise).status_code == 201
    originals = shared.api.get(f"/images/{folder}/", params={"original": "true"})
    assert (originals.status_code, originals.json()["type"].rpartition(":")[2]) == (413, "too-many")
    derived = unzip(shared.api.get(f"/images/{folder}/", params={"format": "png", "flip": "h"}))
    manifest = json.loads(derived["manifest.json"])
    assert (manifest["images"], [one["name"] for one in manifest["failed"]]) == (2, [f"{folder}/2.png"])
    for number in range(3, 6):
        assert shared.upload(f"{folder}/{number}.png", images.png(images.flat(8, 8))).status_code == 201
    assert shared.api.get(f"/images/{folder}/", params={"w": "9"}).status_code == 413


@pytest.mark.parametrize("query", ["w=0", "nonsense=1", "limit=3", "original=true&w=30", "preset=none"])
def test_what_makes_no_sense_is_refused_before_the_zip_begins(shared: Gateway, album: str, query: str) -> None:
    assert shared.api.get(f"/images/{album}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("image", "format", "name"),
    [
        ("a/cat.jpg", "jpg", "a/cat.jpg"),
        ("a/cat.jpeg", "jpg", "a/cat.jpeg"),
        ("a/cat.jpg", "webp", "a/cat.webp"),
        ("a.b/cat", "webp", "a.b/cat.webp"),
        ("cat", "", "cat"),
        ("..\\up.jpg", "", ".._up.jpg"),
        ("C:/x?.jpg", "", "C_/x_.jpg"),
        ("nul.jpg", "", "_nul.jpg"),
        ("a./b ", "", "a_/b_"),
        ("-rf/--help.jpg", "", "_rf/_-help.jpg"),
        ("a\u202egpj.exe/\u2066\u200b\ufeffb.jpg", "", "a_gpj.exe/___b.jpg"),
    ],
)
def test_names_in_a_zip_are_safe_everywhere(image: str, format: str, name: str) -> None:
    assert Entries().name(image, format) == name


def test_a_zip_bears_no_name_that_would_be_shown_as_another(shared: Gateway, cat: bytes) -> None:
    folder = "bidi\u202egpz"
    assert shared.upload(f"{folder}/-x\u202e.jpg", cat).status_code == 201
    answered = shared.api.get(f"/images/{folder}/", params={"original": "true"})
    shown = folder.replace("\u202e", "_")
    assert answered.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{shown}.zip"
    assert "_x_.jpg" in unzip(answered)


def test_names_in_a_zip_are_different_for_every_file_system() -> None:
    entries = Entries("manifest.json")
    made = [entries.name(name) for name in ("a.jpg", "A.jpg", "a-2.jpg", "e\u0301.png", "\u00e9.png", "manifest.json")]
    assert made == ["a.jpg", "A-2.jpg", "a-2-2.jpg", "e\u0301.png", "\u00e9-2.png", "manifest-2.json"]
    assert not any(PurePosixPath(name).is_absolute() for name in made)
