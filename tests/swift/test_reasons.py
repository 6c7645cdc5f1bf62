"""An unreachable Swift is reported with its URL and the system's own reason."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.store.errors import StoreError, Unavailable
from service.store.swift.reason import plain_url
from service.store.swift.store import SwiftStore
from tests.gateways import free_ports
from tests.swift.stores import settings_for
from tests.waiting import PATIENCE


async def told(url: str, **changes: object) -> str:
    """What a start says of a Swift at this URL."""
    store = SwiftStore(settings_for(url, **{"retries": 0, "timeout": PATIENCE, **changes}))
    try:
        with pytest.raises(Unavailable) as caught:
            await store.start()
    finally:
        await store.close()
    return str(caught.value)


@contextlib.asynccontextmanager
async def server_with(key: Path, certificate: Path) -> AsyncIterator[str]:
    """The URL of a server that shows this certificate and says nothing."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def with_own_certificate(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a server whose certificate is signed by no authority."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    async with server_with(key, certificate) as url:
        yield url


KEYSTONE = {"project_name": "images", "auth_version": "3"}


@pytest.mark.parametrize("changes", [{}, KEYSTONE], ids=["v1", "keystone"])
async def test_a_port_where_nothing_listens(changes: dict[str, str]) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    text = await told(url, **changes)
    assert text.startswith(f"Swift at {url}/auth/v1.0") and text.endswith(" does not answer: Connection refused")


@pytest.mark.parametrize("changes", [{}, KEYSTONE], ids=["v1", "keystone"])
async def test_a_host_that_is_not_there(changes: dict[str, str]) -> None:
    assert "Swift at http://swift.invalid/auth/v1.0" in (text := await told("http://swift.invalid", **changes))
    assert " does not answer: no such host: " in text


@pytest.mark.parametrize("changes", [{}, KEYSTONE], ids=["v1", "keystone"])
async def test_a_certificate_that_is_not_trusted(with_own_certificate: str, changes: dict[str, str]) -> None:
    text = await told(with_own_certificate, **changes)
    assert f"Swift at {with_own_certificate}/auth/v1.0" in text
    assert " does not answer: its certificate is not trusted: self-signed certificate" in text


async def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert (await told(url, timeout=1)).startswith(
            (f"Swift at {url}/auth/v1.0 does not answer: ", "Swift takes too long")
        )


def test_no_secret_is_told_with_the_url() -> None:
    assert plain_url("https://me:secret@swift.example.org:8080/v1/AUTH_a?sig=1") == (
        "https://swift.example.org:8080/v1/AUTH_a"
    )


async def test_a_file_of_certificates_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    empty, absent = tmp_path / "empty.pem", tmp_path / "absent.pem"
    empty.touch()
    for file, why in ((absent, "No such file or directory"), (empty, "it holds no certificate in PEM")):
        with pytest.raises(StoreError, match=rf"cacert \(OS_CACERT\) is {file}, which cannot be used: {why}") as caught:
            await SwiftStore(settings_for("https://127.0.0.1:1", cacert=str(file))).start()
        assert not isinstance(caught.value, Unavailable)


async def test_which_certificate_is_not_trusted_and_whose_are(with_own_certificate: str, tmp_path: Path) -> None:
    shown = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "certificate", "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    text = await told(with_own_certificate)
    assert f"subject commonName=localhost, SHA-256 {shown.strip().rpartition('=')[2]}" in text
    assert text.endswith("trusted are the system's")


async def test_a_certificate_that_has_expired_is_told_by_its_subject(tmp_path: Path) -> None:
    key, request, certificate = (str(tmp_path / name) for name in ("key", "request", "certificate"))
    asking = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=swift", "-keyout", key, "-out", request]
    signing = ["openssl", "x509", "-req", "-days", "-1", "-in", request, "-signkey", key, "-out", certificate]
    for command in ([*asking, "-addext", "subjectAltName=IP:127.0.0.1"], [*signing, "-copy_extensions", "copy"]):
        subprocess.run(command, check=True, capture_output=True)
    async with server_with(Path(key), Path(certificate)) as url:
        text = await told(url, cacert=certificate)
    assert " its certificate is not trusted: certificate has expired; it is subject commonName=swift, SHA-256 " in text
    assert text.endswith(f"; trusted are {certificate}'s")
