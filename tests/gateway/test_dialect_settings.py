"""The options of dialects: prefixes that cannot be are mistakes, and dialects without signatures need open access."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import ConfigError, load
from gateway.dialect_settings import RESERVED
from gateway.settings import Config
from service.api.schema.operations import FRONT, OPERATIONS


@pytest.fixture
def read() -> Callable[[str], Config]:
    def no_file(path: Path) -> str:
        raise FileNotFoundError(path)

    return lambda text: load(text, file="config.yaml", base=Path("/"), environ={}, read_file=no_file)


def test_no_dialect_is_on_by_default(read: Callable[[str], Config]) -> None:
    assert list(read("").dialects.prefixes()) == []


def test_a_dialect_is_on_where_it_has_a_prefix(read: Callable[[str], Config]) -> None:
    config = read("dialects: {iiif: {prefix: /iiif/3, prefix_2: /iiif/2}}")
    assert [prefix for _, prefix in config.dialects.prefixes()] == ["/iiif/3", "/iiif/2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dialects: {iiif: {prefix: iiif}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: /iiif/}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: '/a b'}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: '/a;b'}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: /a/../b}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: /@derived}}", "must be a path such as /iiif/3"),
        ("dialects: {iiif: {prefix: /images/iiif}}", "/images is a path of the gateway itself"),
        ("dialects: {iiif: {prefix: /iiif, prefix_2: /iiif/2}}", "must not begin alike"),
        ("dialects: {iiif: {prefix: /iiif, prefix_2: /iiif}}", "must not begin alike"),
        ("dialects: {iiif: {prefix: /iiif/3}}\npublic: {access: presets}", "needs public.access: open"),
        ("dialects: {iiif: {prefix: /iiif/3, sizes: some}}", "any"),
        ("dialects: {memory: 1KiB}", "memory"),
    ],
)
def test_a_mistake_is_named(read: Callable[[str], Config], text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert says in str(error.value)


def test_all_paths_of_both_ports_are_reserved() -> None:
    assert {operation.path.split("/")[1] for operation in (*OPERATIONS, *FRONT)} - {""} <= set(RESERVED)
