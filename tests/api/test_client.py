"""The client, and the commands that use it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service import cli
from service.client import AsyncGateway, Conflict, Gateway, NotFound, Refused, Unreachable, calls
from service.observability import logs
from tests import gateways, images
from tests.cli.terminal import Terminal
from tests.waiting import PATIENCE


@pytest.fixture
def client(shared: gateways.Gateway) -> Gateway:
    return Gateway(str(shared.api.base_url))


def test_what_goes_in_comes_out(client: Gateway, folder: str, cat: bytes, tmp_path: Path) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(cat)
    for name, body in ((f"{folder}/a b#c?d%.jpg", file), (f"{folder}/ä.jpg", cat)):
        stored = client.upload(name, body)
        assert (stored.name, stored.bytes) == (name, len(cat))
        assert client.get(name, original="true") == cat
        assert images.pixels(client.get(f"{name}/@w=20.png")).shape == (15, 20, 3)
        assert images.pixels(client.get(name, w=10, format="png")).shape == (8, 10, 3)
        assert client.call(calls.original(name)).sha256 == stored.sha256
        assert client.call(calls.metadata(name))["width"] == 320
    assert [one.name for one in client.images(f"{folder}/")] == [f"{folder}/a b#c?d%.jpg", f"{folder}/ä.jpg"]


def test_errors_are_told_apart(client: Gateway, folder: str, cat: bytes) -> None:
    client.upload(f"{folder}/cat.jpg", cat)
    with pytest.raises(Conflict, match="409"):
        client.upload(f"{folder}/cat.jpg", cat)
    with pytest.raises(Conflict):
        client.call(calls.upload(f"{folder}/cat.jpg", cat, if_match="other"))
    with pytest.raises(NotFound):
        client.get(f"{folder}/none.jpg")
    with pytest.raises(Refused, match="w=wide"):
        client.get(f"{folder}/cat.jpg", w="wide")
    with pytest.raises(Refused) as refused:
        client.call(calls.temporary_url(f"{folder}/cat.jpg/@w=0.png"))
    assert refused.value.problem is not None
    assert refused.value.problem.status == 400
    with pytest.raises(Unreachable, match="image-gateway up"):
        Gateway("http://127.0.0.1:9").get("cat.jpg")


async def test_the_one_that_is_awaited_does_the_same(
    shared: gateways.Gateway, folder: str, cat: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(cat)
    async with AsyncGateway(str(shared.api.base_url)) as gateway:
        await gateway.upload(f"{folder}/cat.jpg", file)
        assert await gateway.get(f"{folder}/cat.jpg", original="true") == cat
        assert [one.name async for one in gateway.images(f"{folder}/")] == [f"{folder}/cat.jpg"]
        purged = await gateway.call(calls.purge([f"{folder}/cat.jpg"]))
        assert purged.images == 1
        await gateway.call(calls.delete(f"{folder}/cat.jpg"))
        with pytest.raises(NotFound):
            await gateway.get(f"{folder}/cat.jpg")


@pytest.mark.parametrize(
    ("status", "headers", "attempt", "wait"),
    [
        (200, {}, 1, None),
        (404, {}, 1, None),
        (503, {"Retry-After": "7"}, 1, 7.0),
        (503, {"Retry-After": "700"}, 1, 30.0),
        (429, {}, 1, 0.4),
        (503, {}, 3, 1.6),
        (503, {}, 4, None),
    ],
)
def test_it_comes_back_when_it_is_told_to(
    status: int, headers: dict[str, str], attempt: int, wait: float | None
) -> None:
    assert calls.pause(httpx.Response(status, headers=headers), attempt) == wait


@pytest.fixture
def terminal(shared: gateways.Gateway, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(logs, "configure", lambda _: None)  # the log is pytest's here
    return Terminal(shared, capsys)


def test_a_tree_goes_up_and_only_what_is_missing_goes_again(
    shared: gateways.Gateway, terminal: Terminal, folder: str, cat: bytes, dog: bytes, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for name, data in (("a.jpg", cat), ("inner/b.png", dog), (".hidden.jpg", cat), ("notes.txt", b"no image")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    told = terminal.run("upload", tree, "--prefix", f"{folder}/")
    assert told == ["2 stored, 0 there already, 0 failed, 2 passed over (no images)"]
    (tree / "notes.txt").unlink()
    (tree / ".hidden.jpg").unlink()
    assert terminal.run("upload", tree, "--prefix", folder) == ["0 stored, 2 there already, 0 failed"]
    (tree / "a.jpg").write_bytes(images.jpeg(images.photo(64, 48)))
    assert "--replace" in terminal.run("upload", tree, "--prefix", folder, status=1)[0]
    assert terminal.run("upload", tree, "--prefix", folder, "--replace") == ["1 stored, 1 there already, 0 failed"]
    (shared.root / f"var/store/{folder}/c.jpg").write_bytes(cat)  # came without a checksum
    (tree / "c.jpg").write_bytes(cat)
    assert terminal.run("upload", tree, "--prefix", folder) == ["0 stored, 3 there already, 0 failed"]
    assert terminal.run("ls", f"{folder}/") == [f"{folder}/{name}" for name in ("a.jpg", "c.jpg", "inner/b.png")]
    assert terminal.run("ls", f"{folder}/", "--folders") == [
        f"{folder}/{name}" for name in ("a.jpg", "c.jpg", "inner/")
    ]


def test_an_image_comes_down_and_goes_away(
    terminal: Terminal, client: Gateway, folder: str, cat: bytes, tmp_path: Path
) -> None:
    name = f"{folder}/cat.jpg"
    client.upload(name, cat)
    target = tmp_path / "small.webp"
    assert terminal.run("get", f"{name}/@w=20.webp", "-o", target) == [str(target)]
    assert images.pixels(target.read_bytes()).shape == (15, 20, 3)
    assert '"width": 320,' in "\n".join(terminal.run("meta", name))
    assert terminal.run("purge", name)[0].startswith("1 images: ")
    (url,) = terminal.run("url", f"{name}/@w=20.webp")
    assert images.pixels(httpx.get(url, trust_env=False, timeout=PATIENCE).content).shape == (15, 20, 3)
    assert terminal.run("rm", name) == []
    assert terminal.run("rm", name, status=1) == [f"{name}: 404: there is no such image"]


@pytest.mark.parametrize(
    "api", ["nonsense", "127.0.0.1:8081", "ftp://x", "http://", "http://[::1", "http://x:123456", "//x"]
)
def test_what_is_no_address_is_told_so(terminal: Terminal, capsys: pytest.CaptureFixture[str], api: str) -> None:
    with pytest.raises(Unreachable, match="no address of a gateway's API"):
        AsyncGateway(api)
    assert cli.main(["ls", "--api", api]) == 1
    told = capsys.readouterr().err
    assert told == f"{api.rstrip('/')} is no address of a gateway's API: it must be such as http://127.0.0.1:8081\n"


@pytest.mark.parametrize("token", ["secret\nsecret", "secret\x1b", "s\u00e9cret"])
def test_a_token_that_no_header_holds_is_refused_and_not_shown(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("IMAGE_GATEWAY_TOKEN", token)
    wanted = ["the token must be printable ASCII, on one line"]
    assert terminal.run("ls", status=1) == wanted
    assert terminal.run("upload", __file__, status=1) == wanted


@pytest.mark.parametrize("name", ["a/../b.jpg", "../b.jpg", "./b.jpg", "b.jpg/..", "b.jpg/./@w=1.png"])
def test_no_command_means_another_image_than_it_names(
    terminal: Terminal, client: Gateway, folder: str, cat: bytes, name: str
) -> None:
    why = "the name has a segment '.' or '..'"
    client.upload(f"{folder}/b.jpg", cat)
    given = f"{folder}/{name}"
    for command in ("rm", "meta"):
        assert terminal.run(command, given, status=1) == [f"{given}: {why}"]
    assert terminal.run("get", given, status=1) == [f"{given}: {why}"]
    with pytest.raises(Refused, match="segment"):
        client.upload(given, cat)
    assert client.get(f"{folder}/b.jpg", original="true") == cat


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["upload", "x.jpg", "--prefix", "../x"], "'--prefix': ../x: the name has a segment '.' or '..'"),
        (["upload", "x.jpg", "--prefix", "a//b"], "'--prefix': a//b: the name has an empty segment"),
        (["upload", "x.jpg", "--parallel", "0"], "'--parallel': 0 is not in the range 1<=x<=100."),
        (["upload", "x.jpg", "--parallel", "many"], "'--parallel': 'many' is not a valid integer range."),
        (["url", "x.jpg", "--lifetime", "0"], "'--lifetime': 0: must be a time such as 90s, 10m or 1h"),
        (["url", "x.jpg", "--lifetime", "1y"], "'--lifetime': 1y: must be a time such as 90s, 10m or 1h"),
        (["sign", "x.jpg", "--lifetime", "-5"], "'--lifetime': -5: must be a time such as 90s, 10m or 1h"),
    ],
)
def test_an_option_that_means_nothing_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert cli.main(arguments) == 2
    assert f"Error: Invalid value for {why}" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_plainly(
    terminal: Terminal, client: Gateway, folder: str, cat: bytes, tmp_path: Path
) -> None:
    client.upload(f"{folder}/cat.jpg", cat)
    for path in (tmp_path / "none", tmp_path / "none/cat.jpg"):
        assert terminal.run("upload", path, status=1) == [f"{path}: No such file or directory"]
    target = tmp_path / "none/cat.jpg"
    told = [f"{target}: No such file or directory"]
    assert terminal.run("get", f"{folder}/cat.jpg", "-o", target, status=1) == told


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "there is no such file; name the configuration with -c"),
        (b"\xff\xfe", "the configuration is not UTF-8"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told_plainly(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, data: bytes | None, why: str
) -> None:
    file = tmp_path / "config.yaml"
    if data is not None:
        file.write_bytes(data)
    for command in ("up", "check", "config"):
        assert cli.main([command, "-c", str(file)]) == 1
        assert capfd.readouterr().err == f"{file}: {why}\n"
    assert cli.main(["check", "-c", str(tmp_path)]) == 1
    assert capfd.readouterr().err == f"{tmp_path}: the configuration cannot be read: Is a directory\n"
