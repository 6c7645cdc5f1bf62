"""A real Varnish in front of a gateway, with the configuration of deploy/."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.waiting import until

VCL = Path(__file__).parents[2] / "deploy/varnish/default.vcl"

TAGS = """
sub vcl_backend_response {
    if (!beresp.http.xkey) {
        set beresp.http.folder = regsub(bereq.url, "^/images/(.*/)?[^/@?]+(/@[^/]*)?$", "\\1");
        set beresp.http.xkey = regsub(bereq.url, "^/images/([^?@]*?)(/@.*)?$", "\\1") + " "
            + regsub(beresp.http.folder, "^$", "/");
        unset beresp.http.folder;
    }
}
sub vcl_deliver {
    set resp.http.hits = obj.hits;
}
"""
"""What a gateway sends by itself where the header is configured: the tags of the image and of its folder."""


@contextlib.contextmanager
def running_varnish(root: Path, port: int, backend: int) -> Iterator[httpx.Client]:
    """A client of a Varnish on this port of loopback, before the port `backend`; the header `hits` of an answer counts
    how often Varnish gave it by itself."""
    root.mkdir(parents=True, exist_ok=True)
    file = root / "test.vcl"
    file.write_text(VCL.read_text().replace('"8080"', f'"{backend}"') + TAGS)
    command = ["varnishd", "-F", "-j", "none", "-n", str(root / "work"), "-a", f"127.0.0.1:{port}", "-f", str(file)]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen([*command, "-T", "none", "-s", "malloc,16m"], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            until(lambda: _answers(client, process, root / "log"))
            yield client
    finally:
        process.terminate()
        process.wait(60)


def _answers(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with contextlib.suppress(httpx.TransportError):
        return client.request("PURGE", "/").status_code == 400
    return False
