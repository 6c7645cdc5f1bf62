"""No metadata leaves by any recipe: a secret goes into every field that exiftool writes, and none comes out."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import images, profiles
from tests.engine.deriving import derive

SECRET = "Zyx7Secret"
TAGS = [
    "EXIF:ImageDescription", "EXIF:Artist", "EXIF:Copyright", "EXIF:UserComment", "EXIF:Make", "EXIF:Model",
    "EXIF:OwnerName", "EXIF:SerialNumber", "EXIF:LensModel", "EXIF:Software", "EXIF:XPComment",
    "XMP-dc:Creator", "XMP-dc:Title", "XMP-dc:Rights", "XMP-photoshop:City", "XMP-xmpMM:DocumentID",
    "IPTC:Keywords", "IPTC:By-line", "IPTC:CopyrightNotice", "IPTC:City",
    "Photoshop:CopyrightFlag=1", "Comment", "PNG:Title", "PNG:Author", "GIF:Comment",
]  # fmt: skip
HARMLESS = {"ExifTool", "File", "Composite", "JFIF", "PNG", "RIFF", "GIF", "QuickTime", "Jpeg2000", "Meta"}
KINDS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif_animated": "gif", "tiff": "tif", "avif": "avif"}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """By their names: originals with the secret everywhere, and bytes behind the end of some."""
    folder = tmp_path_factory.mktemp("secret")
    paths = {name: folder / f"{name}.{kind}" for name, kind in KINDS.items()}
    for name, path in paths.items():
        path.write_bytes(getattr(images, name)())
    fields = [f"-{tag}" if "=" in tag else f"-{tag}={SECRET}" for tag in TAGS]
    position = ["-GPSLatitude=48.2", "-GPSLatitudeRef=N", "-GPSLongitude=16.37", "-GPSLongitudeRef=E"]
    write = ["exiftool", "-q", "-q", "-m", "-overwrite_original", *fields, *position]
    subprocess.run([*write, *map(str, paths.values())], check=False, timeout=60)
    sealed = {name: path.read_bytes() for name, path in paths.items()}
    assert all(SECRET.encode() in data for data in sealed.values())
    return {name: data + SECRET.encode() * 3 * (name in ("jpeg", "png")) for name, data in sealed.items()}


def told(tmp_path: Path, *files: bytes) -> list[dict[str, Any]]:
    """What exiftool finds in each of them."""
    paths = [tmp_path / str(index) for index in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    command = ["exiftool", "-j", "-G", "-a", "-u", *map(str, paths)]
    found: list[dict[str, Any]] = json.loads(
        subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    )
    return found


@pytest.mark.parametrize("name", KINDS)
def test_nothing_leaves(originals: dict[str, bytes], name: str, tmp_path: Path) -> None:
    made = [
        (kind, derive(originals[name], recipe, kind).data)
        for kind in ("jpg", "png", "webp", "avif", "jxl", "gif", "tif", "bmp")
        for recipe in ("", "w=40", "rot=90,gray=1")
    ]
    for (kind, data), tags in zip(made, told(tmp_path, *(data for _, data in made)), strict=True):
        assert SECRET.encode() not in data
        assert b"ImageMagick" not in data
        structure = {"EXIF"} if kind == "tif" else set()  # a TIFF is made of such tags
        assert {key.split(":")[0] for key in tags if ":" in key} <= HARMLESS | structure, tags
        words = ("GPS", "Date", "Software", "Comment", "Copyright")
        said = {key for key, value in tags.items() if value != "0000:00:00 00:00:00"}  # the date of a movie of no date
        assert not [key for key in said if any(word in key for word in words) and not key.startswith("File:")], tags


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_keep_copyright_keeps_that_line_alone(originals: dict[str, bytes], name: str, tmp_path: Path) -> None:
    made = [
        derive(originals[name], "w=40,keep=copyright", kind, keep=("copyright",)).data
        for kind in ("jpg", "png", "webp", "avif", "jxl")
    ]
    for data, tags in zip(made, told(tmp_path, *made), strict=True):
        assert tags["EXIF:Copyright"] == SECRET
        assert data.count(SECRET.encode()) == 1
        assert {key for key in tags if key.startswith(("EXIF:", "XMP:", "IPTC:"))} <= {"EXIF:Copyright"} | {
            f"EXIF:{name}" for name in ("XResolution", "YResolution", "ResolutionUnit", "YCbCrPositioning")
        }


def test_what_the_configuration_does_not_keep_goes(originals: dict[str, bytes]) -> None:
    assert SECRET.encode() not in derive(originals["jpeg"], "w=40,keep=copyright", "jpg").data


def test_a_copyright_may_stand_in_iptc(tmp_path: Path) -> None:
    path = tmp_path / "original.jpg"
    path.write_bytes(images.jpeg())
    subprocess.run(["exiftool", "-q", "-overwrite_original", f"-IPTC:CopyrightNotice={SECRET}", str(path)], check=True)
    made = derive(path.read_bytes(), "w=40,keep=copyright", "jpg", keep=("copyright",))
    assert told(tmp_path, made.data)[0]["EXIF:Copyright"] == SECRET


@pytest.mark.parametrize("kind", ["png", "webp", "tif", "jpg", "avif", "jxl", "gif", "bmp"])
def test_a_profile_of_someones_monitor_does_not_leave(kind: str) -> None:
    icc = profiles.matrix("Display P3", 2.2, description=SECRET)
    assert SECRET.encode() not in derive(images.jpeg(icc_profile=icc), "w=40", kind).data
