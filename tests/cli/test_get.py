"""`get`: what it fetches, and which file it writes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from service.client import Gateway
from tests import gateways, images
from tests.cli.terminal import Terminal


@pytest.fixture
def name(client: Gateway, folder: str, cat: bytes) -> str:
    client.upload(f"{folder}/cat.jpg", cat)
    return f"{folder}/cat.jpg"


def width(file: str) -> int:
    return int(images.pixels(Path(file).read_bytes()).shape[1])


@pytest.mark.parametrize(
    ("asked", "file", "wide"),
    [
        ("@w=20.webp", "cat.webp", 20),
        ("@w=20.auto", "cat.jpg", 20),
        ("@thumbnail.jpg", "cat.jpg", 50),
    ],
)
def test_a_derived_name_is_a_file_of_its_format(
    terminal: Terminal, name: str, asked: str, file: str, wide: int
) -> None:
    assert terminal.run("get", f"{name}/{asked}") == [file]
    assert width(file) == wide


def test_a_query_means_the_same_as_on_the_api(terminal: Terminal, name: str) -> None:
    assert terminal.run("get", f"{name}?w=20&format=png") == ["cat.png"]
    assert width("cat.png") == 20
    assert terminal.run("get", f"{name}?meta=true") == ["cat.json"]


def test_a_name_with_a_question_mark_is_a_name(terminal: Terminal, client: Gateway, folder: str, cat: bytes) -> None:
    client.upload(f"{folder}/who?.jpg", cat)
    assert terminal.run("get", "--original", f"{folder}/who?.jpg") == ["who?.jpg"]
    assert Path("who?.jpg").read_bytes() == cat


def test_a_whole_url_of_either_port_is_taken(terminal: Terminal, shared: gateways.Gateway, name: str) -> None:
    public = str(shared.public.base_url).rstrip("/")
    assert terminal.run("get", f"{public}/images/{name}/@w=20.webp?v=1") == ["cat.webp"]
    assert terminal.run("get", f"{terminal.api}/images/{name}?w=30&format=png") == ["cat.png"]
    assert (width("cat.webp"), width("cat.png")) == (20, 30)


class _Listening(BaseHTTPRequestHandler):
    heard: ClassVar[list[str | None]]

    def do_GET(self) -> None:
        self.heard.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"data")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str | None]]]:
    """Another server, and the Authorization header of each request."""

    class Handler(_Listening):
        heard: ClassVar[list[str | None]] = []

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Handler.heard
        server.shutdown()


def test_the_token_goes_to_no_other_server(
    terminal: Terminal, elsewhere: tuple[str, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_GATEWAY_TOKEN", "secret")
    url, heard = elsewhere
    assert terminal.run("get", f"{url}/v1/AUTH_test/images/a%20cat.jpg?temp_url_sig=x") == ["a cat.jpg"]
    assert heard == [None]


def test_a_file_that_is_there_is_overwritten_only_by_force(terminal: Terminal, name: str) -> None:
    Path("cat.webp").write_bytes(b"mine")
    asked = f"{name}/@w=20.webp"
    assert terminal.run("get", asked, status=1) == ["cat.webp is there already; --force overwrites it"]
    assert Path("cat.webp").read_bytes() == b"mine"
    assert terminal.run("get", asked, "--force") == ["cat.webp"]
    assert width("cat.webp") == 20
    assert [file.name for file in Path().iterdir()] == ["cat.webp"]


def test_several_images_go_into_a_folder_which_is_made(terminal: Terminal, name: str) -> None:
    both = (f"{name}/@w=20.webp", f"{name}/@w=20.png")
    assert terminal.run("get", *both, "-o", "new/inner/") == ["new/inner/cat.webp", "new/inner/cat.png"]
    assert terminal.run("get", name, "-o", "new") == ["new/cat.jpg"]
    assert "end it with a slash" in terminal.run("get", *both, "-o", "file.webp", status=2)[-1]


def test_devices_and_standard_output_take_the_bytes(terminal: Terminal, name: str) -> None:
    assert terminal.run("get", name, "-o", "/dev/null") == ["/dev/null"]
    command = [sys.executable, "-m", "service", "get", f"{name}/@w=20.png", "-o", "-", "--api", terminal.api]
    out = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert images.pixels(out).shape[1] == 20


def test_an_image_that_is_not_there_is_named(terminal: Terminal, folder: str) -> None:
    for command in ("get", "meta", "rm"):
        missing = f"{folder}/none.jpg"
        assert terminal.run(command, missing, status=1) == [f"{missing}: 404: there is no such image"]
    assert list(Path().iterdir()) == []
