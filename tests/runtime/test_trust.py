"""Whom the service's clients trust, with real TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.outbox.sending import Client, Request, SendFailed


@dataclass(frozen=True)
class Server:
    url: str
    certificate: Path


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A receiver of messages whose certificate no authority has signed."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken")
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with running:
        yield Server(f"https://127.0.0.1:{running.sockets[0].getsockname()[1]}/", certificate)


async def sent(url: str) -> bytes:
    client = Client()
    try:
        return await client.send(Request("GET", url), timeout=30)
    finally:
        await client.close()


async def test_a_receiver_that_the_system_trusts_is_sent_to(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    assert await sent(server.url) == b"taken"


async def test_a_receiver_that_it_does_not_trust_is_sent_nothing(server: Server) -> None:
    with pytest.raises(SendFailed, match="certificate verify failed"):
        await sent(server.url)


def test_the_service_reads_the_certificates_of_the_system_only_for_a_client() -> None:
    code = """
import os
from service.runtime.trust import import_aiohttp
before = dict(os.environ)
import_aiohttp()
import aiohttp
assert os.environ == before
stats = aiohttp.connector._SSL_CONTEXT_VERIFIED.cert_store_stats()
print(stats["x509"])
"""
    for given in ({}, {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}):
        environment = {**os.environ, **given}
        said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert said.stdout == "0\n"
