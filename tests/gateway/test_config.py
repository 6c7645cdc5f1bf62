"""The configuration: units, secrets, every mistake at once with its line, and a file that says all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigError, defaults, load, rules_of
from gateway.config_text import json_schema, print_config
from gateway.settings import Config
from gateway.units import print_count, print_seconds, print_size

HOME = Path(__file__).resolve().parents[2]
BASE = Path("/srv/gateway")


def read(text: str, environ: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> Config:
    def read_file(path: Path) -> str:
        if path.name in (files or {}):
            return (files or {})[path.name]
        raise FileNotFoundError(2, "No such file or directory", str(path))

    return load(text, file="config.yaml", base=BASE, environ=environ or {}, read_file=read_file)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(one) for one in caught.value.mistakes]


def test_an_empty_file_is_the_defaults() -> None:
    for text in ("", "# nothing\n", "public:\n", "---\n"):
        assert read(text) == defaults(BASE)


def test_the_printed_defaults_load_to_exactly_the_defaults() -> None:
    assert read(print_config(defaults(BASE))) == defaults(BASE)


def test_the_projects_own_files_are_what_the_program_prints() -> None:
    assert (HOME / "config.yaml").read_text() == print_config(defaults(BASE))
    assert (HOME / "docs/config.schema.json").read_text() == json_schema()


def test_every_option_is_printed_with_a_comment() -> None:
    for line in print_config(defaults(BASE)).splitlines():
        if line and not line.startswith("#") and "thumbnail:" not in line:
            assert " # " in line, line


def test_a_printed_configuration_keeps_what_was_set_and_hides_secrets() -> None:
    config = read("public: {keys: {first: sixteen-bytes-long}}\ncache: {derived: 3GiB}\nlimits: {time: 90s}\n")
    printed = print_config(config)
    assert "sixteen" not in printed
    assert "sixteen" not in repr(config)
    assert yaml.safe_load(printed)["cache"]["derived"] == "3GiB"
    assert yaml.safe_load(printed)["limits"]["time"] == "90s"


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("public: {listen: '[::1]:80'}", True),
        ("cache: {derived: 10GiB, memory: 1000}", True),
        ("public: {keys: {a: {env: KEY}}}", True),
        ("public: {lisen: x}", False),
        ("cache: {derived: 10Gb}", False),
        ("store: {kind: s3}", False),
        ("limits: {width: wide}", False),
    ],
)
def test_the_json_schema_agrees(text: str, valid: bool) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(json_schema()))
    assert validator.is_valid(yaml.safe_load(text)) == valid
    validator.validate(yaml.safe_load((HOME / "config.yaml").read_text()))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("publik: {}", "config.yaml:1: publik: unknown key; did you mean public?"),
        ("public:\n  acces: open", "config.yaml:2: public.acces: unknown key; did you mean access?"),
        ("public:\n\n  listen: nowhere", "config.yaml:3: public.listen: must be HOST:PORT"),
        ("cache: {derived: 10Gb}", "config.yaml:1: cache.derived: must be a size in bytes such as 512KiB"),
        ("cache: {derived: -1}", "config.yaml:1: cache.derived: must be a size in bytes"),
        ("limits: {time: 0s}", "config.yaml:1: limits.time: must be more than 0"),
        ("cache: {journal: 10m}", "config.yaml:1: cache.journal: must be at most 5m"),
        ("limits: {pixels: many}", "config.yaml:1: limits.pixels: must be a number such as 500, 10k or 100M"),
        ("limits: {width: 1.5}", "config.yaml:1: limits.width: must be a whole number"),
        ("limits: {width: wide}", "config.yaml:1: limits.width: must be a whole number"),
        ("limits: {rate: .nan}", "config.yaml:1: limits.rate: must be"),
        ("limits: [1]", "config.yaml:1: limits: must be a mapping of options"),
        ("public: {metadata: 1}", "config.yaml:1: public.metadata: must be true or false"),
        ("public: {url: example.org}", "config.yaml:1: public.url: must be a URL without a query, such as https://"),
        ("engine: {memory: 1MiB}", "config.yaml:1: engine.memory: must be at least 128MiB"),
        ("tracing: {timeout: 0}", "config.yaml:1: tracing.timeout: must be more than 0s"),
        ("presets: [w=1]", "config.yaml:1: presets: must be a mapping, such as {a: b}"),
        ("api: {tokens: [{name: a}]}", "config.yaml:1: api.tokens.0.sha256: is missing"),
        (
            f"api: {{tokens: [{{name: a b, sha256: {'0' * 64}}}]}}",
            "config.yaml:1: api.tokens.0.name: must be 1 to 64 le",
        ),
        ("api: {tokens: [{name: a, sha256: x}]}", "config.yaml:1: api.tokens.0.sha256: must be 64 digits of hex in sm"),
        ("store: {swift: {container: a/b}}", "config.yaml:1: store.swift.container: must be the name of a container"),
        ("formats: {quality: {png: 80}}", "config.yaml:1: formats.quality.png: must be jpg, webp, avif or jxl"),
        ("formats: {effort: {avif: 10}}", "config.yaml:1: formats.effort.avif: must be at most 9"),
        ("formats: {effort: {jpg: -1}}", "config.yaml:1: formats.effort.jpg: must be at least 0"),
        ("formats: {effort: {bmp: 1}}", "config.yaml:1: formats.effort.bmp: unknown key"),
        ("engine: {processes: 0}", "config.yaml:1: engine.processes: must be auto, or a whole number from 1 to 256"),
        ("cache: {sweep_share: 1}", "config.yaml:1: cache.sweep_share: must be a text"),
        ("cache: {sweep_share: 1/0}", "config.yaml:1: cache.sweep_share: must be the number of this node and how many"),
        ("cache: {sweep_share: 4/3}", "config.yaml:1: cache.sweep_share: 4/3 must be the number of this node and how"),
        ("cache: {persist: maybe}", "config.yaml:1: cache.persist: must be auto, always, url or never"),
        ("formats: {quality: {jpg: 101}}", "config.yaml:1: formats.quality.jpg: must be at most 100"),
        ("formats: {accept: []}", "config.yaml:1: formats.accept: must not be empty"),
        ("formats: {default: png, out: [jpg]}", "config.yaml:1: formats.default: must be source, auto, or one of"),
        ("presets: {Big: w=1}", "config.yaml:1: presets: 'Big' must be lower-case letters"),
        ("presets: {full: w=1}", "config.yaml:1: presets: 'full' must be"),
        ("presets:\n  t: w=99999", "config.yaml:2: presets.t: w=99999: must be a whole number from 1 to 4096"),
        ("presets:\n  t: nope", "config.yaml:2: presets.t: nope: must be key=value"),
        ("presets:\n  t: 'w=1,,h=1'", "config.yaml:2: presets.t: an empty item: must be key=value"),
        ("public: {access: signed}", "config.yaml:1: public.keys: access: signed needs at least one key"),
        ("public: {keys: {a: short}}", "config.yaml:1: public.keys: the key 'a' must have at least 16 bytes"),
        ("public: {keys: {a.b: sixteen-bytes-long}}", "config.yaml:1: public.keys: the id 'a.b' must be letters"),
        ("public: {ignored_query: [ref, '*']}", "config.yaml:1: public.ignored_query.1: must be a query key such as"),
        ("public: {ignored_query: [a*b]}", "config.yaml:1: public.ignored_query.0: must be a query key such as"),
        ("public: {ignored_query: ['xs*']}", "config.yaml:1: public.ignored_query.0: xs* would drop xsize, which has"),
        ("public: {ignored_query: [sig]}", "config.yaml:1: public.ignored_query.0: sig would drop sig, which has"),
        ("public: {ignored_query: ['orig*']}", "config.yaml:1: public.ignored_query.0: orig* would drop original"),
        ("presets: {t: 'width=1'}", "config.yaml:1: presets.t: width: no such operation; did you mean w?"),
        ("public: {cors: 'a; b'}", "config.yaml:1: public.cors: must be *, one origin"),
        (
            "public: {trusted_proxies: [10.1.0.0/8]}",
            "config.yaml:1: public.trusted_proxies.0: 10.1.0.0/8 has bits beyond",
        ),
        (
            "api:\n  trusted_proxies:\n  - ::1\n  - lb",
            "config.yaml:4: api.trusted_proxies.1: must be an address or a net",
        ),
        (
            "public: {trusted_proxies: [0.0.0.0/0]}",
            "config.yaml:1: public.trusted_proxies.0: must not be every address",
        ),
        ("public: {trusted_proxies: ['fe80::1%lo']}", "config.yaml:1: public.trusted_proxies.0: must be an address or"),
        (
            "public: {trusted_proxies: 10.0.0.7}",
            "config.yaml:1: public.trusted_proxies: must be a list, such as [a, b]",
        ),
        ("api: {listen: '0.0.0.0:80'}", "config.yaml:1: api.listen: without tokens the API listens on loopback only"),
        ("api: {listen: '127.0.0.1:8080'}", "config.yaml:1: api.listen: the API and the public port need addresses"),
        ("metadata: {fields: [colour]}", "config.yaml:1: metadata.fields: 'colour' must be one of format,"),
        ("public: {keys: {a: {env: NOPE}}}", "config.yaml:1: public.keys.a: the environment variable NOPE is not set"),
        ("store: {swift: {key: {file: nope}}}", "config.yaml:1: store.swift.key: the file nope cannot be read"),
        ("store: {swift: {key: [x]}}", "config.yaml:1: store.swift.key: must be a string, {file: PATH} or {env: NAME}"),
        ("a: [", "config.yaml:1: not YAML:"),
        ("- a", "config.yaml:1: must be a mapping of sections"),
        ("public:\n  cors: a\n  cors: b", "config.yaml:2: public.cors: given twice, here and on line 3"),
        (f"runtime: {{root: /{'x' * 120}}}", "config.yaml:1: runtime.root: too long for a socket (107 bytes at most)"),
        ("cache: {root: 'a\"b'}", "config.yaml:1: cache.root: must not hold"),
    ],
)
def test_a_mistake_names_file_line_key_and_what_is_right(text: str, wanted: str) -> None:
    assert any(one.startswith(wanted) for one in mistakes(text)), mistakes(text)


def test_a_format_that_is_none_is_one_mistake() -> None:
    wanted = "must be jpg, png, webp, avif, jxl, gif, tif, bmp, source or auto"
    assert mistakes("formats: {default: svg}") == [f"config.yaml:1: formats.default: {wanted}"]


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("{env: NOPE}", "the environment variable NOPE is not set"),
        ("{file: /nope}", "the file /nope cannot be read: No such file or directory"),
        ("[x]", "must be a string, {file: PATH} or {env: NAME}"),
    ],
)
@pytest.mark.parametrize("option", ["public: {keys", "tracing: {headers"])
def test_a_secret_that_cannot_be_read_is_one_mistake(option: str, secret: str, why: str) -> None:
    place = option.replace(": {", ".")
    assert mistakes(f"{option}: {{a: {secret}}}}}") == [f"config.yaml:1: {place}.a: {why}"]


def test_no_mistake_is_told_in_the_words_of_the_library_that_found_it() -> None:
    told = mistakes(
        "public: {url: 1, cors: [a], trusted_proxies: a, max_age: [], listen: 1}\n"
        "api: {tokens: {}, allow_anonymous_network: yep}\n"
        "formats: {accept: jpg, out: [svg], quality: {jpg: high}, tolerate_truncated: 2}\n"
        "limits: {frames: 0, width: 70000, rate: -1}\n"
        "store: {kind: s3, swift: {retries: 11, connections: x, timeout: 0s}}\n"
        "engine: {recycle: 0, memory: 1}\n"
    )
    assert len(told) >= 20
    for one in told:
        assert not re.search("valid|input|should|string|integer|list_type|literal|greater|less than or|dict", one), one


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    told = mistakes("limits: {time: x}\npublic:\n  acces: open\ncache: {root: 3}\n")
    assert [one.split(": ")[1] for one in told] == ["limits.time", "public.acces", "cache.root"]


def test_secrets_come_from_the_file_the_environment_or_a_file() -> None:
    text = "public:\n  keys: {a: written-out-in-full, b: {env: KEY_B}, c: {file: secrets/c}}\n"
    config = read(text, {"KEY_B": "from-the-environment"}, {"c": "from-a-file-of-its-own\n"})
    assert dict(rules_of(config).keys) == {
        "a": "written-out-in-full",
        "b": "from-the-environment",
        "c": "from-a-file-of-its-own",
    }


@pytest.mark.parametrize(
    ("public", "url"),
    [
        ("{}", "http://127.0.0.1:8080"),
        ("{listen: '127.0.0.1:9000'}", "http://127.0.0.1:9000"),
        ("{listen: '10.0.0.7:80'}", "http://10.0.0.7:80"),
        ("{listen: 'images.internal:9000'}", "http://images.internal:9000"),
        ("{listen: '[fd00::7]:9000'}", "http://[fd00::7]:9000"),
        ("{listen: '0.0.0.0:9000'}", "http://127.0.0.1:9000"),
        ("{listen: '[::]:9000'}", "http://[::1]:9000"),
        ("{listen: '[0:0::0]:9000'}", "http://[::1]:9000"),
        ("{listen: '0.0.0.0:9000', url: ''}", "http://127.0.0.1:9000"),
        ("{listen: '0.0.0.0:9000', url: 'https://images.example.org'}", "https://images.example.org"),
    ],
)
def test_links_begin_with_the_url_or_else_with_where_nginx_listens(public: str, url: str) -> None:
    assert read(f"public: {public}").public.base_url == url


def test_a_quality_that_is_not_named_keeps_its_default() -> None:
    assert dict(rules_of(read("formats: {quality: {webp: 70}}")).quality) == {
        "jpg": 80,
        "webp": 70,
        "avif": 50,
        "jxl": 75,
    }


def test_formats_that_cannot_be_written_are_not_offered() -> None:
    rules = rules_of(defaults(BASE), {"jpg", "png"})
    assert list(rules.out) == ["jpg", "png"]
    assert list(rules.negotiate) == []


@given(st.integers(0, 2**50))
def test_sizes_and_counts_are_written_as_they_are_read(value: int) -> None:
    config = read(f"cache: {{derived: {print_size(value)}}}\nlimits: {{pixels: {print_count(value + 1)}}}")
    assert (config.cache.derived, config.limits.pixels) == (value, value + 1)


@given(st.integers(0, 10**9))
def test_times_are_written_as_they_are_read(milliseconds: int) -> None:
    config = read(f"public: {{max_age: {print_seconds(milliseconds / 1000)}}}")
    assert config.public.max_age == pytest.approx(milliseconds / 1000)
