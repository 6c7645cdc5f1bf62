"""The options of imgproxy and thumbor, and mistakes in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import ConfigError, load, rules_of
from gateway.settings import Config
from service.cli.check.dialects import presets
from service.dialects.dialect import Dialect
from service.dialects.imgproxy import Imgproxy
from service.dialects.table import dialects_of
from service.dialects.thumbor import Thumbor
from service.runtime.paths import paths_of

PAIR = {"key": "aa,bb", "salt": "cc,dd"}


def config(tmp_path: Path, dialects: dict[str, Any], access: str = "open") -> Config:
    keys = {"first": "a-key-of-at-least-sixteen-bytes"}
    document = {"public": {"access": access, "keys": keys}, "dialects": dialects}
    return load(yaml.safe_dump(document), file="config.yaml", base=tmp_path, environ={}, read_file=Path.read_text)


def made(tmp_path: Path, dialects: dict[str, Any], access: str = "open") -> list[Dialect]:
    found = config(tmp_path, dialects, access)
    return list(dialects_of(found, rules_of(found)))


def test_a_dialect_is_off_until_it_has_a_prefix(tmp_path: Path) -> None:
    assert made(tmp_path, {}) == []
    assert made(tmp_path, {"imgproxy": PAIR, "thumbor": {"unsafe": True}}) == []


def test_keys_and_salts_of_imgproxy_go_in_pairs(tmp_path: Path) -> None:
    (dialect,) = made(tmp_path, {"imgproxy": {"prefix": "/i", **PAIR, "signature_size": 16}})
    assert isinstance(dialect, Imgproxy)
    assert [(key.key, key.salt, key.size) for key in dialect.keys] == [(b"\xaa", b"\xcc", 16), (b"\xbb", b"\xdd", 16)]


@pytest.mark.parametrize(
    "pair", [{"key": "aa"}, {"salt": "aa"}, {"key": "aa,bb", "salt": "cc"}, {"key": "xy", "salt": "aa"}]
)
def test_a_pair_that_is_none_is_a_mistake(tmp_path: Path, pair: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="as many salts as keys"):
        config(tmp_path, {"imgproxy": {"prefix": "/i", **pair}})


def test_a_dialect_without_signatures_needs_open_access(tmp_path: Path) -> None:
    unsigned: tuple[dict[str, Any], ...] = (
        {"imgproxy": {"prefix": "/i"}},
        {"thumbor": {"prefix": "/t", "keys": {"first": "key"}, "unsafe": True}},
    )
    for dialects in unsigned:
        assert len(made(tmp_path, dialects)) == 1
        with pytest.raises(ConfigError, match=r"public\.access: open"):
            config(tmp_path, dialects, "signed")
    assert len(made(tmp_path, {"imgproxy": {"prefix": "/i", **PAIR}}, "signed")) == 1
    (dialect,) = made(tmp_path, {"thumbor": {"prefix": "/t", "keys": {"first": "key"}}}, "presets")
    assert isinstance(dialect, Thumbor)
    assert dialect.keys == ["key"]


def test_keys_are_not_shown(tmp_path: Path) -> None:
    dialects = {"imgproxy": {"prefix": "/i", **PAIR}, "thumbor": {"prefix": "/t", "keys": {"first": "a secret key"}}}
    for shown in (*made(tmp_path, dialects), config(tmp_path, dialects).dialects):
        assert "a secret key" not in repr(shown)
        assert repr(b"\xaa") not in repr(shown)
        assert "aa,bb" not in repr(shown)


def test_the_check_finds_presets_that_cannot_be_read(tmp_path: Path) -> None:
    written = {"fine": "rs:fit:300:200/q:80", "nested": "pr:fine:none", "sharp": "w:300/sh:0.5"}
    found = config(tmp_path, {"imgproxy": {"prefix": "/i", **PAIR, "presets": written}})
    findings = [str(finding) for finding in presets(found, paths_of(found))]
    assert [finding.partition(": ")[0] for finding in findings] == [
        "wrong dialects.imgproxy.presets.nested",
        "wrong dialects.imgproxy.presets.sharp",
    ]
    assert "pr:none" in findings[0]
    assert "sh:" in findings[1]
