"""Mistakes in the options of pages and CDNs: the message says what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import ConfigError, load, rules_of
from gateway.config_text import print_config
from gateway.settings import Config


def read(text: str) -> Config:
    return load(text, file="config.yaml", base=Path("/srv"), environ={}, read_file=lambda _: "")


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("public: {cache_tags: {header: 'Cache Tag'}}", "public.cache_tags.header", "must be the name of a header"),
        ("public: {cache_tags: {header: ETag}}", "public.cache_tags.header", "has another meaning"),
        ("public: {cache_tags: {longest: 20}}", "public.cache_tags.longest", "65"),
        ("public: {fallback: {image: 'a//b.png'}}", "public.fallback.image", "empty segment"),
        ("public: {fallback: {image: a.png, for: [401]}}", "public.fallback.for", "404, 413, 415, 422, 504"),
        ("public: {fallback: {image: a.png, for: []}}", "public.fallback.for", "404, 413, 415, 422, 504"),
        ("public: {fallback: {image: a.png, foR: [404]}}", "public.fallback.foR", "did you mean for?"),
        ("public: {url: 'https://x/$y', canonical_link: true}", "public.url", "which nginx cannot quote"),
        ("public: {stale_if_error: soon}", "public.stale_if_error", "a time such as"),
        ("ladder: {widths: [320, 160]}", "ladder.widths", "must ascend"),
        ("ladder: {widths: []}", "ladder.widths", ""),
        ("ladder: {widths: [0, 160]}", "ladder.widths.0", ""),
        ("ladder: {snap: down}", "ladder.snap", "must be off, up or refuse"),
        ("ladder: {snap: up}\nlimits: {width: 2000}", "ladder.widths", "must be at most 2000, which is limits.width"),
        ("ladder: {snap: up}\ndialects: {iiif: {prefix: /iiif/3}}", "ladder.snap", "must be off beside dialects.iiif"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_remedy(text: str, place: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as told:
        read(text)
    (line,) = str(told.value).splitlines()
    assert f" {place}: " in line
    assert remedy in line


def test_off_is_off_with_and_without_quotes() -> None:
    for text in ("ladder: {snap: off}", "ladder: {snap: 'off'}", "{}"):
        assert rules_of(read(text)).ladder == ()
    assert rules_of(read("ladder: {snap: up}")).ladder == (160, 320, 480, 640, 960, 1280, 1920, 2560)


def test_what_is_configured_is_printed_as_it_is_read() -> None:
    text = "public: {fallback: {image: a.png, for: [404, 422]}, s_maxage: 1d}\nladder: {widths: [5, 9], snap: refuse}"
    config = read(text)
    assert config.public.fallback.statuses == (404, 422)
    assert read(print_config(config)) == config
    assert read("{}").public.fallback.statuses == ()
