"""Metrics count the URLs of a dialect under its name, whether nginx or the service answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import images
from tests.gateways import Gateway, running_gateway
from tests.waiting import until

PATH = "/iiif/3/counted%2Fcat.png"


def counts(gateway: Gateway, port: str) -> dict[tuple[str, str], float]:
    """Answers of the kind `iiif` by status and HIT, MISS or neither."""
    families = text_string_to_metric_families(gateway.api.get("/metrics").text)
    samples = (one for family in families for one in family.samples if one.name == "image_gateway_requests_total")
    ours = (one for one in samples if (one.labels["kind"], one.labels["port"]) == ("iiif", port))
    found: dict[tuple[str, str], float] = {}
    for one in ours:
        key = one.labels["status"], one.labels["cache"].partition("-")[0]
        found[key] = found.get(key, 0) + one.value
    return found


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One of its own: hits are counted up to some seconds late, and none of other tests may be among these."""
    with running_gateway(tmp_path_factory.mktemp("counted"), {"dialects": {"iiif": {"prefix": "/iiif/3"}}}) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway) -> None:
    assert gateway.upload("counted/cat.png", images.png(images.photo(64, 48))).status_code == 201


@pytest.mark.parametrize(("port", "width"), [("public", 10), ("api", 11)])
def test_every_answer_is_counted_once(gateway: Gateway, port: str, width: int) -> None:
    expected = {("200", "MISS"): 1, ("200", "HIT"): 3, ("400", ""): 1, ("404", ""): 1}
    client, before = getattr(gateway, port), counts(gateway, port)
    for _ in range(4):
        assert client.get(f"{PATH}/full/{width},/0/default.png").status_code == 200
    assert client.get(f"{PATH}/full/nothing/0/default.png").status_code == 400
    assert client.get("/iiif/3/counted%2Fnone.png/info.json").status_code == 404

    def rise() -> dict[tuple[str, str], float]:
        now = counts(gateway, port)
        return {key: now[key] - before.get(key, 0) for key in now if now[key] != before.get(key, 0)}

    until(lambda: sum(rise().values()) >= sum(expected.values()))
    assert rise() == expected
