"""Traces reach into Swift: a call is a span with its requests, and no span has a credential of Swift."""

from __future__ import annotations

from pathlib import Path

from tests import images
from tests.collector import collecting
from tests.conftest import swift_options
from tests.gateways import running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client


def test_a_call_to_swift_is_traced_down_to_its_requests(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    with collecting() as collector:
        with running_gateway(tmp_path, {**options, "tracing": {"endpoint": collector.url}}) as gateway:
            picture = images.jpeg(images.photo(64, 48))
            client(swift.url).put_object(options["store"]["swift"]["container"], "cat.jpg", picture)
            answer = gateway.api.get("/images/cat.jpg/@w=20.jpg")
            address = gateway.api.get("/images/cat.jpg", params={"url": "true"}).json()["url"]
            top = collector.request(answer.headers["X-Request-Id"])
        calls = {span.name: span for span in collector.below(top) if span.kind == "CLIENT"}
        fetched = collector.below(calls["fetch originals"])
        assert [span.name for span in fetched if span.kind == "CLIENT"] == ["GET"]
        (request,) = (span for span in fetched if span.kind == "CLIENT")
        assert calls["fetch originals"].start <= request.start <= request.end <= calls["fetch originals"].end
        assert request.attributes["http.response.status_code"] == 200
        assert request.attributes["server.port"] == int(swift.url.rpartition(":")[2])
        assert {span.kind for span in collector.spans if not span.parent} == {"SERVER"}
        known = options["store"]["swift"]
        for secret in (known["key"], address.partition("?")[2], "temp_url_sig"):
            assert all(secret.encode() not in body for body in collector.bodies)
