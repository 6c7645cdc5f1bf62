"""A receiver of messages for tests: it keeps every request, and answers as configured."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import until


@dataclass(frozen=True)
class Received:
    """A request as it came. Names of headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What came so far. The next requests are answered with `statuses`, then all with `status`; 0 breaks the
    connection. `answer` is the body, `more` are headers. While it is `stuck` it does not answer."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"{}"
    more: dict[str, str] = field(default_factory=dict)
    stuck: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def take(self, count: int) -> list[Received]:
        """The first so many requests, which are then forgotten; it waits for them."""
        until(lambda: len(self.received) >= count)
        taken, self.received = self.received[:count], self.received[count:]
        return taken


@contextlib.contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _receive(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if receiver.stuck:
                receiver.ended.wait()
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.command, self.path, headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else receiver.status
            if status == 0:
                self.close_connection = True
                return
            with contextlib.suppress(OSError):  # the sender waits no longer
                self.send_response(status)
                for name, value in receiver.more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

        do_POST = do_PUT = do_GET = do_PURGE = do_BAN = _receive

        def log_message(self, *_words: Any) -> None:
            """Log nothing: no test reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # a connection that is kept open ends with the process

    with Server(("127.0.0.1", port), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            server.shutdown()
            thread.join()
