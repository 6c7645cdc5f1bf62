"""nginx reads the pattern of canonical names as Python does."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.canonical import canonical_path
from gateway.config import defaults
from gateway.rules import Rules
from gateway.samples import requests
from gateway.vectors import vectors
from service.runtime.paths import paths_of
from service.supervise import nginx_conf, nginx_program
from tests.waiting import listens, until

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    {map}
    server {{
        listen unix:{folder}/socket;
        keepalive_requests 100000;
        location / {{ return 200 "$canonical"; }}
    }}
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[socket.socket]:
    """A connection to an nginx with the rendered map, which reads a header, since any byte may stand in one."""
    folder = tmp_path_factory.mktemp("n")
    config = defaults(folder)
    rendered = nginx_conf.render(config, paths_of(config), Rules())["nginx.conf"]
    found = re.search(r"map \$request_uri \$canonical \{.*?\n    \}", rendered, re.DOTALL)
    assert found
    text = NGINX.format(map=found[0].replace("$request_uri", "$http_asked"), folder=folder)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(nginx_program.command(folder), stderr=subprocess.PIPE)
    path: Path = folder / "socket"
    try:
        until(lambda: listens(path) or process.poll() is not None)
        assert process.poll() is None, process.stderr and process.stderr.read()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            yield connection
    finally:
        process.terminate()
        process.communicate()


def read_by(nginx: socket.socket, asked: str) -> str | None:
    """The path that nginx finds in a request."""
    raw = asked.encode("utf-8", "surrogateescape")
    nginx.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nAsked: " + raw + b"\r\n\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += nginx.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length, answer
    while len(body) < int(length[1]):
        body += nginx.recv(65536)
    found = body.decode("utf-8", "surrogateescape")
    return found or None


def test_the_vectors_hold_in_nginx(nginx: socket.socket) -> None:
    for row in vectors()["canonical"]:
        assert (read_by(nginx, row["request"]) or "none") == row["is"], row


def test_requests_by_chance_are_read_alike(nginx: socket.socket) -> None:
    rules, matched = Rules(), 0
    for request in requests(rules, 2000, 0):
        asked = f"/images/{request.path}" + (f"?{request.query}" if request.query else "")
        if any(one in asked for one in "\0\r\n") or len(asked) > 4000 or asked != asked.strip(" "):
            continue  # what is no header cannot be asked so, nor can it be a request line
        found = read_by(nginx, asked)
        assert found == canonical_path(asked, rules), asked
        matched += found is not None
    assert matched > 50
