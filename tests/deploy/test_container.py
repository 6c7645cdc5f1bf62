"""The image's configuration, with what an engine gives it: variables, and a folder of pictures that is read-only.

`make test-container` starts all of it with users, mounts and read-only file systems in an empty Debian.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from scripts.sample import draw_sample
from tests.cli.checking import CheckFile
from tests.gateways import free_ports
from tests.waiting import PATIENCE

HOME = Path(__file__).resolve().parents[2]
CONFIG = HOME / "deploy" / "docker" / "config.yaml"
READ_ONLY = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    draw_sample(folder / "cat.jpg", 400, 300)
    return folder


@contextlib.contextmanager
def running(root: Path, pictures: Path, more: Mapping[str, str]) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """`docker run -v PICTURES:/pictures:ro` with these variables: the image's own paths are variables, too."""
    public, api = free_ports(2)
    options = {
        "PUBLIC__LISTEN": f"127.0.0.1:{public}",
        "API__LISTEN": f"auto:{api}",
        "STORE__DIRECTORY__ROOT": str(pictures),
        "STORE__DIRECTORY__DERIVED": str(root / "derived"),
        "CACHE__ROOT": str(root / "cache"),
        "RUNTIME__ROOT": str(root / "run"),
        "ENGINE__PROCESSES": "1",
        **more,
    }
    mounts = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    command = [
        *READ_ONLY,
        "sh",
        "-c",
        mounts,
        "-",
        str(pictures),
        sys.executable,
        "-m",
        "service",
        "up",
        "-c",
        str(CONFIG),
    ]
    environ = {**os.environ, **{f"IMAGE_GATEWAY_{key}": text for key, text in options.items()}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout and "image gateway is up" in process.stdout.readline()
            with (
                httpx.Client(base_url=f"http://127.0.0.1:{public}", trust_env=False, timeout=PATIENCE) as outside,
                httpx.Client(base_url=f"http://127.0.0.1:{api}", trust_env=False, timeout=PATIENCE) as inside,
            ):
                yield outside, inside
        finally:
            process.terminate()


def test_a_read_only_folder_of_pictures_is_served_and_takes_no_upload(tmp_path: Path, pictures: Path) -> None:
    with running(tmp_path, pictures, {}) as (public, api):
        made = public.get("/images/cat.jpg/@w=30.webp")
        assert (made.status_code, made.headers["content-type"]) == (200, "image/webp")
        assert [image["name"] for image in api.get("/images").json()["images"]] == ["cat.jpg"]
        data = (pictures / "cat.jpg").read_bytes()
        for refused in (api.put("/images/new.jpg", content=data), api.delete("/images/cat.jpg")):
            assert (refused.status_code, refused.json()["type"]) == (403, "urn:image-gateway:problem:read-only-store")
    assert [path.name for path in pictures.iterdir()] == ["cat.jpg"]


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_token_that_the_command_prints_opens_the_api(tmp_path: Path, pictures: Path) -> None:
    printed = command("token", "--name", "me", "--scopes", "read").stdout
    (token,) = re.findall(r"^token: +(\S+)$", printed, re.MULTILINE)
    (tokens,) = re.findall(r"^IMAGE_GATEWAY_API__TOKENS='(.*)'$", printed, re.MULTILINE)
    with running(tmp_path, pictures, {"API__TOKENS": tokens}) as (_, api):
        assert api.get("/images").status_code == 401
        assert api.get("/images", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        assert api.delete("/images/cat.jpg", headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_every_token_is_another_one() -> None:
    assert command("token").stdout != command("token").stdout


@pytest.mark.parametrize(
    ("option", "text", "wanted"),
    [
        ("--name", "a b", "must be 1 to 64 letters"),
        ("--scopes", "read,all", "all: must be some of read,write,delete,url,sign,metrics"),
    ],
)
def test_a_wrong_name_or_scope_is_told(option: str, text: str, wanted: str) -> None:
    ended = command("token", option, text)
    assert (ended.returncode, wanted in ended.stderr) == (2, True)


def test_check_shows_what_the_environment_sets_but_no_secret(
    tmp_path: Path, check_file: CheckFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text("")
    key = "IMAGE_GATEWAY_STORE__SWIFT__KEY"
    monkeypatch.setenv("IMAGE_GATEWAY_LIMITS__WIDTH", "2000")
    monkeypatch.setenv(key, "hidden")
    _, printed, _ = check_file(tmp_path / "config.yaml")
    assert "note  IMAGE_GATEWAY_LIMITS__WIDTH: sets limits.width: 2000" in printed
    assert f"note  {key}: sets store.swift.key: (a secret, not shown)" in printed and "hidden" not in printed


def test_a_variable_that_is_no_options_ends_a_command_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("")
    ended = command("config", "-c", str(tmp_path / "config.yaml"), IMAGE_GATEWAY_STORE__KIMD="swift")
    assert (ended.returncode, ended.stderr) == (
        1, "IMAGE_GATEWAY_STORE__KIMD: no option; did you mean IMAGE_GATEWAY_STORE__KIND?\n",
    )  # fmt: skip
