"""What somebody wrote into an image leaves the gateway by no way out, unless the configuration and the request keep it.

A secret stands in every field of every format that exiftool can write, and behind the end of the files that have one.
"""

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from tests import images
from tests.engine.provenances import AI
from tests.gateways import Gateway, running_gateway
from tests.jxls import box, compressed
from tests.metadata import SECRET, secrets, tags_of, write_secrets
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

FORMATS = ("jpg", "png", "webp", "avif", "jxl", "gif", "tif", "bmp")
SMALL = images.photo(64, 48)
ORIGINALS = {
    "photo.jpg": images.jpeg(SMALL),
    "clear.png": images.png_alpha(64, 48),
    "photo.webp": images.webp(SMALL),
    "moving.gif": images.gif_animated(3),
    "moving.avif": images.animation(images.moving(64, 48, 3), "AVIF", duration=70, speed=9),
    "scan.tif": images.tiff(SMALL),
    "photo.avif": images.avif(SMALL),
    "photo.heic": images.heic(SMALL),
    "photo.jxl": images.jxl(SMALL, use_container=True),
    "of-a-jpeg.jxl": images.jxl_of_jpeg(images.jpeg(SMALL, comment=SECRET.encode())),
}
TURNED = "turned.jpg"
CREDIT = "Stated / Photos"
JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
NAMES = (
    *(f"/@full.{word}" for word in FORMATS),
    *(f"/@w=40.{word}" for word in FORMATS),
    *("", "?w=30&format=webp", "?thumbnail=True", "/@frame=0,w=42.png", "/@thumbnail.webp"),
    *("/@crop=1:1:30:20,gray=1,rot=7,sharpen=1.png", "/@mb=9000.jpg", "/@q=auto,w=33.webp", "/@lossless=1.webp"),
)
ACCEPTS = ("image/jxl", "image/avif", "image/webp", "*/*")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    for name, data in ORIGINALS.items():
        (folder / name).write_bytes(data)
    write_secrets(*folder.iterdir())
    turn = ("exiftool", "-q", "-q", "-m", "-n", "-Orientation=6", "-o", folder / TURNED, folder / "photo.jpg")
    subprocess.run(turn, check=True)
    for name in ("photo.jpg", TURNED, "clear.png", "moving.gif"):
        with (folder / name).open("ab") as file:
            file.write(SECRET.encode())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def front(originals: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {
        "public": {"metadata": True},
        "cache": {"persist": "always"},
        "metadata": {"keep": ["copyright", "provenance"]},
    }
    with running_gateway(tmp_path_factory.mktemp("front"), options) as running:
        for name, data in originals.items():
            uploaded = running.upload(f"album/{name}", data)
            assert uploaded.status_code == 201, uploaded.text
        yield running


@pytest.fixture(scope="module")
def answers(front: Gateway, originals: dict[str, bytes]) -> dict[str, httpx.Response]:
    """Every way out of every original, asked on both ports, by what was asked."""
    found: dict[str, httpx.Response] = {}
    for image in originals:
        for name in NAMES:
            found[f"{image}{name}"] = front.public.get(f"/images/album/{image}{name}")
        for accept in ACCEPTS:
            found[f"{image} for {accept}"] = front.public.get(
                f"/images/album/{image}/@w=41.auto", headers={"Accept": accept}
            )
        found[f"{image} of the service"] = front.api.get(f"/images/album/{image}/@full.jpg")
    return found


def clean(folder: Path, files: dict[str, bytes]) -> None:
    """Look for the secret in bytes, and for any metadata at all with exiftool's eyes."""
    paths = []
    for number, (name, data) in enumerate(files.items()):
        assert secrets(data) == [], name
        if data.startswith(JXL):
            assert secrets(images.jpeg_of_jxl(data)) == [], name
        paths.append(folder / str(number))
        paths[-1].write_bytes(data)
    assert dict(zip(files, tags_of(paths), strict=True)) == {name: {} for name in files}


def test_nothing_leaves_by_nginx_or_by_the_service(answers: dict[str, httpx.Response], tmp_path: Path) -> None:
    refused = {name: answer.text for name, answer in answers.items() if answer.status_code != 200}
    assert refused == {}
    for name, answer in answers.items():
        assert secrets(str(answer.headers.raw).encode()) == [], name
    clean(tmp_path, {name: answer.content for name, answer in answers.items()})


def test_the_turned_one_is_set_upright_without_encoding_it_once_more(
    answers: dict[str, httpx.Response], originals: dict[str, bytes]
) -> None:
    stored = Image.open(io.BytesIO(originals[TURNED]))
    shown = Image.open(io.BytesIO(answers[f"{TURNED}/@full.jpg"].content))
    assert (stored.size, shown.size) == ((64, 48), (48, 64))
    assert isinstance(stored, JpegImageFile) and isinstance(shown, JpegImageFile)
    assert [sorted(table) for table in shown.quantization.values()] == [
        sorted(table) for table in stored.quantization.values()
    ]


def test_nothing_lies_in_the_cache_or_in_the_derived_container(
    front: Gateway, originals: dict[str, bytes], answers: dict[str, httpx.Response], tmp_path: Path
) -> None:
    end = time.monotonic() + PATIENCE
    names = {str(path.relative_to(front.derived)) for path in front.derived.rglob("@*.*")}
    container = front.root / "var/derived"
    while time.monotonic() < end:
        kept = {str(path.relative_to(container)): path for path in container.rglob("@*.*")}
        if names <= kept.keys():
            break
        time.sleep(0.05)
    assert names <= kept.keys()
    assert len(kept) > len(originals) * len(FORMATS) * 2
    for folder in (front.derived, container):
        files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert [name for name, data in files.items() if secrets(data) and not name.endswith("/@meta.json")] == []
    derived = {name: path.read_bytes() for name, path in kept.items() if not name.endswith("/@meta.json")}
    clean(tmp_path, dict(list(derived.items())[::10]))


@pytest.mark.parametrize("asked", ["xsize=40&kind=jpg", "thumbnail=True", "format=png"])
def test_nothing_leaves_in_an_archive(front: Gateway, originals: dict[str, bytes], asked: str, tmp_path: Path) -> None:
    answer = front.api.get(f"/images/album/?{asked}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
        assert secrets(archive.read("manifest.json")) == []
    assert len(files) == len(originals)
    assert secrets(answer.content) == []
    clean(tmp_path, files)


def test_metadata_tells_the_camera_and_nothing_else_that_was_written(
    front: Gateway, originals: dict[str, bytes]
) -> None:
    for image in originals:
        told = front.public.get(f"/images/album/{image}/@meta.json").json()
        camera = told.pop("camera")
        assert camera is None or SECRET in camera
        assert secrets(json.dumps(told).encode()) == []
        assert not {"position", "author", "serial", "copyright"} & told.keys()
        assert "48.2" not in json.dumps(told)


def test_keep_keeps_what_it_names_and_what_the_configuration_lets_it(front: Gateway, tmp_path: Path) -> None:
    for image in ("photo.jpg", "clear.png", "photo.webp", "scan.tif", "photo.avif", "photo.jxl"):
        paths = []
        for word in ("jpg", "png", "webp", "avif", "jxl"):
            data = front.public.get(f"/images/album/{image}/@w=40,keep=copyright.{word}").content
            assert data.count(SECRET.encode()) == 1, (image, word)
            paths.append(tmp_path / f"{image}.{word}")
            paths[-1].write_bytes(data)
        for found in tags_of(paths):
            assert found["IFD0:Copyright"] == SECRET
            assert found.keys() == {"IFD0:Copyright"}
    assert front.public.get("/images/album/photo.jpg/@w=40,keep=icc.jpg").status_code == 400


@pytest.fixture(scope="module")
def stated(front: Gateway, originals: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The originals with a source type and a credit beside all secrets, and with more secrets in boxes of JPEG XL."""
    folder = tmp_path_factory.mktemp("stated")
    for name, data in originals.items():
        (folder / name).write_bytes(data)
    fields = (f"-XMP-iptcExt:DigitalSourceType={AI}", f"-XMP-photoshop:Credit={CREDIT}")
    subprocess.run(("exiftool", "-q", "-q", "-m", "-overwrite_original", *fields, *folder.iterdir()), check=True)
    hidden = [(b"jumb", SECRET.encode()), (b"free", SECRET.encode()), compressed(b"xml ", SECRET.encode())]
    for path in folder.glob("*.jxl"):
        path.write_bytes(path.read_bytes() + b"".join(box(*part) for part in hidden))
    for path in sorted(folder.iterdir()):
        assert front.upload(f"stated/{path.name}", path.read_bytes()).status_code == 201
    return sorted(path.name for path in folder.iterdir())


def test_keep_provenance_lets_source_type_and_credit_leave_and_nothing_else(
    front: Gateway, stated: list[str], tmp_path: Path
) -> None:
    made: dict[str, bytes] = {}
    for image in stated:
        asked = [f"@w=40,keep=provenance.{word}" for word in FORMATS]
        asked += [f"@keep=provenance.{word}" for word in (image.rpartition(".")[2], "jxl") if word in FORMATS]
        for name in asked:
            answer = front.public.get(f"/images/stated/{image}/{name}")
            assert answer.status_code == 200, (image, name, answer.text)
            assert secrets(str(answer.headers.raw).encode() + answer.content) == [], (image, name)
            assert not answer.content.startswith(JXL) or secrets(images.jpeg_of_jxl(answer.content)) == []
            made[f"{image}/{name}"] = answer.content
    paths = [tmp_path / str(number) for number in range(len(made))]
    for path, data in zip(paths, made.values(), strict=True):
        path.write_bytes(data)
    for name, found in zip(made, tags_of(paths), strict=True):
        word = name.rpartition(".")[2]
        told = {"XMP-iptcExt:DigitalSourceType": AI, "XMP-photoshop:Credit": CREDIT} if word != "bmp" else {}
        iptc = {"IPTC:CodedCharacterSet": "UTF8", "IPTC:ApplicationRecordVersion": "4", "IPTC:Credit": CREDIT}
        assert found == told | (iptc if word in ("jpg", "tif") else {}), name


def test_only_the_original_itself_keeps_its_bytes_and_only_for_clients_of_the_api(
    front: Gateway, originals: dict[str, bytes]
) -> None:
    for image, data in originals.items():
        assert front.api.get(f"/images/album/{image}", params={"original": "true"}).content == data
        assert front.public.get(f"/images/album/{image}", params={"original": "true"}).status_code == 403


def test_the_log_tells_nothing_of_it(front: Gateway, answers: dict[str, httpx.Response]) -> None:
    assert secrets(front.log.encode()) == []
