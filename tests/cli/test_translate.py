"""`translate`: the canonical names of other servers' URLs, one on each line."""

from __future__ import annotations

from pathlib import Path

import pytest

from service import cli
from service.cli.shell import API
from tests import images
from tests.gateways import Gateway

CONFIG = """
dialects:
  imgproxy: {prefix: /imgproxy, key: aa, salt: bb}
  thumbor: {prefix: /media/thumbor, keys: {first: a-key}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


def translated(
    file: Path, capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0
) -> tuple[list[str], list[str]]:
    assert cli.main(["translate", *arguments, "-c", str(file)]) == status
    said = capsys.readouterr()
    return said.out.splitlines(), said.err.splitlines()


def test_each_url_is_a_line_whatever_its_signature(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = translated(
        file,
        capsys,
        "https://old.example.org/media/thumbor/c2lnbmF0dXJl/300x200/smart/a/cat.jpg",
        "/imgproxy/x/rs:fit:300:200/plain/local:///a/cat.jpg@webp?utm_source=mail",
    )
    assert out == ["a/cat.jpg/@w=300,h=200,fit=cover,up=1,g=smart.source", "a/cat.jpg/@w=300,h=200.webp"]


def test_a_size_stands_for_the_original(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "/imgproxy/x/rs:fill:300:200/plain/local:///a/cat.jpg@webp"
    for size, leaf in (("4000x3000", "@w=300,h=200,fit=cover.webp"), ("400x150", "@w=300,h=150,fit=cover.webp")):
        assert translated(file, capsys, url, "--size", size)[0] == [f"a/cat.jpg/{leaf}"]
    _, said = translated(file, capsys, url, "--size", "4000", status=2)
    assert "must be WIDTHxHEIGHT" in said[-1]


def test_without_a_size_the_running_gateway_is_asked(
    file: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.api.put("/images/translate/wide.jpg", content=images.jpeg(images.photo(200, 100))).raise_for_status()
    monkeypatch.setenv(API, str(gateway.api.base_url).rstrip("/"))
    url = "/imgproxy/x/rs:fill:300:50/plain/local:///translate/wide.jpg@webp"
    assert translated(file, capsys, url)[0] == ["translate/wide.jpg/@w=200,h=50,fit=cover.webp"]
    _, said = translated(file, capsys, url.replace("wide", "missing"), status=1)
    assert "translate/missing.jpg" in said[0]


def test_what_cannot_be_translated_is_said_and_the_others_go_on(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, said = translated(
        file,
        capsys,
        "/imgproxy/x/sh:0.5/plain/local:///a.jpg",
        "/elsewhere/a.jpg",
        "/media/thumbor/unsafe/10x10/a.jpg",
        status=1,
    )
    assert out == ["a.jpg/@w=10,h=10,fit=cover,up=1.source"]
    assert ["sh:" in said[0], "must begin with /imgproxy/, /media/thumbor/" in said[1]] == [True, True]


def test_without_a_dialect_the_page_about_them_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("{}")
    assert "docs/dialects.md" in translated(file, capsys, "/thumbor/unsafe/a.jpg", status=1)[1][0]
