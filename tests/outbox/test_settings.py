"""Mistakes in the options of events and CDNs, and their secrets, which are never shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway.config import ConfigError, load
from gateway.settings import Config
from tests.gateways import free_ports
from tests.outbox.boxes import SECRET

HOOK = "https://example.org/hook"


def read(text: str) -> Config:
    def no_file(path: Path) -> str:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    return load(text, file="config.yaml", base=Path("/base"), environ={"HOOK_SECRET": SECRET}, read_file=no_file)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (f"events: [{{url: '{HOOK}'}}]", "events.0.secret: is missing"),
        (f"events: [{{url: '{HOOK}', secret: short}}]", "events.0.secret: must be whsec_ and 24 to 64 bytes in base64"),
        (
            f"events: [{{url: '{HOOK}', secret: {{env: NONE}}}}]",
            "events.0.secret: the environment variable NONE is not",
        ),
        (
            f"events: [{{url: here, secret: '{SECRET}'}}]",
            "events.0.url: must be a URL such as https://example.org/hook",
        ),
        (f"events: [{{url: 'https://u:p@h/', secret: '{SECRET}'}}]", "events.0.url: must be a URL such as"),
        (
            f"events: [{{url: '{HOOK}', secret: '{SECRET}', kinds: [moved]}}]",
            "events.0.kinds.0: must be created, replaced, deleted or purged",
        ),
        (f"events: [{{url: '{HOOK}', secret: '{SECRET}', kinds: []}}]", "events.0.kinds: must not be empty"),
        (
            f"events: [{{url: '{HOOK}', secret: '{SECRET}', kind: [created]}}]",
            "events.0.kind: unknown key; did you mean",
        ),
        (
            f"events: [{{url: '{HOOK}', secret: '{SECRET}'}}, {{url: '{HOOK}', secret: '{SECRET}'}}]",
            "events.1.url: is there twice",
        ),
        ("cdn: {kind: akamai}", "cdn.kind: must be none, fastly, cloudflare, varnish or http"),
        ("cdn: {kind: fastly}", "cdn.service: is missing; kind: fastly needs it"),
        ("cdn: {kind: fastly, service: a}", "cdn.token: is missing; kind: fastly needs it"),
        ("cdn: {kind: cloudflare, token: a}", "cdn.zone: is missing; kind: cloudflare needs it"),
        ("cdn: {kind: varnish}", "cdn.urls: is missing; kind: varnish needs it"),
        ("cdn: {kind: http, urls: [nowhere]}", "cdn.urls.0: must be a URL such as"),
        ("presets: {small: {recipe: w=50, eager: perhaps}}", "presets.small.eager: must be true or false"),
        ("presets: {small: {eager: true}}", "presets.small.recipe: is missing"),
        ("presets: {small: {recipe: width=50}}", "presets.small: width: no such operation; did you mean w?"),
        ("presets: {small: {recipe: w=50, eagre: true}}", "presets.small.eagre: unknown key; did you mean eager?"),
        ("presets: {small: 5}", "presets.small: must be a text"),
        ("limits: {store_bytes: much}", "limits.store_bytes: must be a size in bytes"),
        ("outbox: {take_over: 0s}", "outbox.take_over: must be at least 1s"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert mistake in str(error.value)
    assert SECRET not in str(error.value)


def test_a_secret_may_come_from_the_environment() -> None:
    config = read(f"events: [{{url: '{HOOK}', secret: {{env: HOOK_SECRET}}}}]")
    assert config.events[0].secret.get_secret_value() == SECRET


def test_no_command_shows_a_secret(tmp_path: Path) -> None:
    closed = f"http://127.0.0.1:{free_ports(1)[0]}"
    document = {
        "events": [{"url": HOOK, "secret": SECRET}],
        "cdn": {"kind": "fastly", "service": "abc", "token": "the-fastly-token", "urls": [f"{closed}/api"]},
        "presets": {"thumb": {"recipe": "w=40", "eager": True}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(document))
    variable = {"IMAGE_GATEWAY_EVENTS": f"[{{url: '{closed}/hook', secret: {SECRET}}}]"}
    shown = ""
    for command in ("config", "check"):
        ended = subprocess.run(
            [sys.executable, "-m", "service", command, "-c", str(tmp_path / "config.yaml")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variable},
        )
        shown += ended.stdout + ended.stderr
    assert f"{closed}/hook" in shown
    assert shown.count("Connection refused; until something listens there, messages wait in the outbox") == 2
    assert "eager: true" in shown
    assert "IMAGE_GATEWAY_EVENTS: sets events: (a secret, not shown)" in shown
    assert SECRET not in shown
    assert "the-fastly-token" not in shown
