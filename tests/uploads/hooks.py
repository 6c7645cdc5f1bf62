"""A service of moderation for tests: it keeps what it was posted, and answers as the test says."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass
class Moderator:
    """`answer` is status and body; without one it is silent. `posted` are headers and bodies, the latest last."""

    url: str = ""
    answer: tuple[int, bytes] | None = (204, b"")
    posted: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def says(self, **said: Any) -> None:
        self.answer = (200, json.dumps(said).encode())

    @property
    def last(self) -> dict[str, Any]:
        return dict(json.loads(self.posted[-1][1]))


@contextlib.contextmanager
def moderating() -> Iterator[Moderator]:
    moderator = Moderator()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            moderator.posted.append((headers, body))
            if moderator.answer is None:
                moderator.released.wait(60)
                return
            status, answer = moderator.answer
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", moderator.url)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    moderator.url = f"http://127.0.0.1:{server.server_port}/uploads?from=gateway"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield moderator
    finally:
        moderator.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
