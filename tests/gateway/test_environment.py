"""Options from the environment: a variable for each, before the file, and mistakes that name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway import environment
from gateway.config import ConfigError, defaults, load
from gateway.config_text import print_config
from gateway.settings import Config

SHA256 = "0" * 64


def read(environ: Mapping[str, str], text: str = "") -> Config:
    return load(text, file="config.yaml", base=Path("/srv"), environ=environ, read_file=Path.read_text)


def mistakes(environ: Mapping[str, str], text: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(environ, text)
    return [str(one) for one in caught.value.mistakes]


def value(config: Config, keys: tuple[str, ...]) -> Any:
    found: Any = config
    for key in keys:
        found = getattr(found, key)
    return found


def test_every_option_of_the_file_has_a_variable() -> None:
    options = [line for line in print_config(defaults(Path("/srv"))).splitlines() if ": " in line and " # " in line]
    sections = [line for line in options if line.split(" # ")[0].rstrip().endswith(":")]
    assert len(environment.variables()) == len(options) - len(sections) + 1  # presets is an option that looks like one


def test_every_variable_sets_its_option_to_what_the_file_would_say() -> None:
    for variable, keys in environment.variables().items():
        line = default_of(keys)
        if line == "null":  # a secret that is not set
            continue
        assert value(read({variable: line}), keys) == value(defaults(Path("/srv")), keys), variable


def default_of(keys: tuple[str, ...]) -> str:
    """The default of an option as config.yaml writes it; of presets, which take several lines there, on one line."""
    if keys == ("presets",):
        return "{thumbnail: 'w=50,h=50,sharpen=0.5'}"
    printed = print_config(defaults(Path("/srv"))).splitlines()
    position = -1
    for depth, key in enumerate(keys):
        start = f"{'  ' * depth}{key}:"
        position = next(n for n in range(position + 1, len(printed)) if printed[n].startswith(start))
    return printed[position].split(":", 1)[1].split(" # ")[0].strip()


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("STORE__KIND", "swift", "swift"),
        ("CACHE__DERIVED", "3GiB", 3 * 2**30),
        ("CACHE__DERIVED", "1000", 1000),
        ("LIMITS__TIME", "90s", 90.0),
        ("PUBLIC__METADATA", "true", True),
        ("PUBLIC__CORS", "*", "*"),
        ("PUBLIC__CORS", "", ""),
        ("PUBLIC__TRUSTED_PROXIES", "[10.0.0.0/8]", ["10.0.0.0/8"]),
        ("PRESETS", "{tiny: 'w=20'}", {"tiny": "w=20"}),
        ("STORE__SWIFT__AUTH_VERSION", "1", "1"),
        ("STORE__SWIFT__PROJECT_ID", "0123", "0123"),
        ("STORE__SWIFT__USER", "'test:tester'", "test:tester"),
        ("STORE__SWIFT__CREATE", "true", True),
        ("STORE__DIRECTORY__ROOT", "/pictures", Path("/pictures")),
    ],
)
def test_a_value_is_what_would_stand_in_the_file(variable: str, text: str, wanted: Any) -> None:
    name = f"IMAGE_GATEWAY_{variable}"
    assert value(read({name: text}), environment.variables()[name]) == wanted


@pytest.mark.parametrize("secret", ["plain", "a: b #c", "{half", "*", "12345", "'", "it's"])
def test_a_secret_is_taken_as_it_is(secret: str) -> None:
    key = read({"IMAGE_GATEWAY_STORE__SWIFT__KEY": secret}).store.swift.key
    assert key is not None and key.get_secret_value() == secret


def test_a_secret_may_name_another_variable() -> None:
    key = read({"IMAGE_GATEWAY_STORE__SWIFT__KEY": "{env: OTHER}", "OTHER": "hidden"}).store.swift.key
    assert key is not None and key.get_secret_value() == "hidden"


def test_the_environment_goes_before_the_file_option_by_option() -> None:
    config = read({"IMAGE_GATEWAY_CACHE__DERIVED": "3GiB"}, "cache: {derived: 1GiB, originals: 1GiB}")
    assert (config.cache.derived, config.cache.originals) == (3 * 2**30, 2**30)


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("STORE__KIND", "s3", "store.kind: must be directory or swift"),
        ("LIMITS__WIDTH", "wide", "limits.width: must be a whole number"),
        ("CACHE__DERIVED", "10Gb", "cache.derived: must be a size in bytes such as 512KiB"),
        ("PUBLIC__TRUSTED_PROXIES", "[10.1.0.0/8]", "public.trusted_proxies.0: 10.1.0.0/8 has bits beyond"),
        ("PUBLIC__TRUSTED_PROXIES", "[10", "public.trusted_proxies: must be a list"),
        ("API__TOKENS", "[{name: a}]", "api.tokens.0.sha256: is missing"),
        ("API__LISTEN", "0.0.0.0:8081", "api.listen: without tokens the API listens on loopback only"),
        ("STORE__SWIFT__KEY", "{env: ABSENT}", "store.swift.key: the environment variable ABSENT is not set"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, text: str, wanted: str) -> None:
    (mistake,) = mistakes({f"IMAGE_GATEWAY_{variable}": text}, "store: {kind: directory}")
    assert mistake.startswith(f"IMAGE_GATEWAY_{variable}: {wanted}")


@pytest.mark.parametrize(
    ("variable", "wanted"),
    [
        ("IMAGE_GATEWAY_STORE__KIMD", "no option; did you mean IMAGE_GATEWAY_STORE__KIND?"),
        ("IMAGE_GATEWAY_store__kind", "no option; did you mean IMAGE_GATEWAY_STORE__KIND?"),
        ("IMAGE_GATEWAY_STORE__SWIFT", "no option, but a section; its options have variables of their own, such as"),
        ("IMAGE_GATEWAY_PRESETS__TINY", "no option; IMAGE_GATEWAY_PRESETS sets the whole of it"),
        ("IMAGE_GATEWAY_X__Y", "no option; `image-gateway config` prints all"),
    ],
)
def test_a_variable_that_is_no_options_is_a_mistake(variable: str, wanted: str) -> None:
    (mistake,) = mistakes({variable: "x"})
    assert mistake.startswith(f"{variable}: {wanted}")


def test_other_variables_may_begin_alike() -> None:
    """What the commands read, and what Kubernetes sets for services that are called image-gateway."""
    others = ("TOKEN", "API", "SOCKETS", "SERVICE_HOST", "API_PORT", "PORT_80_TCP", "PUBLIC")
    assert read({f"IMAGE_GATEWAY_{name}": "tcp://10.0.0.1:80" for name in others}) == defaults(Path("/srv"))


def test_an_api_on_auto_leaves_loopback_once_there_is_a_token() -> None:
    token = f"[{{name: a, sha256: {SHA256!r}}}]"
    assert read({}, "api: {listen: 'auto:8081'}").api.listen == "127.0.0.1:8081"
    with_token = read({"IMAGE_GATEWAY_API__TOKENS": token}, "api: {listen: 'auto:8081'}")
    assert with_token.api.listen == "0.0.0.0:8081"
