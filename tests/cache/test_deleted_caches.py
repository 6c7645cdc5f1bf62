"""The caches are deleted under a running gateway: it is slower for a moment, and nothing else."""

from __future__ import annotations

import functools
import itertools
import shutil
import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.gateways import Gateway, running_gateway
from tests.images import flat, png
from tests.waiting import until

WIDTHS = itertools.count(1)  # none is asked for twice, but to see that it was kept


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"engine": {"processes": 2}, "cache": {"persist": "always"}}
    with running_gateway(tmp_path_factory.mktemp("gateway"), options) as running:
        assert running.upload("photo.png", png()).status_code == 201
        yield running


def delete(gateway: Gateway, pattern: str) -> None:
    for path in gateway.root.glob(pattern):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)  # something may be put into it meanwhile
        else:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    "pattern",
    ["var/cache/derived", "var/cache/originals", "var/cache/work", "var/cache/*", "var/cache", "var/derived"],
)
def test_whatever_is_deleted_comes_back_and_everything_works_on(gateway: Gateway, pattern: str) -> None:
    before, kept = len(gateway.log), gateway.root / "var/derived"
    delete(gateway, pattern)
    for _ in range(3):  # both engine processes, and then some
        name = f"/images/photo.png/@w={next(WIDTHS)}.png"
        first, second = gateway.public.get(name), gateway.public.get(name)
        assert (first.status_code, first.headers.get("X-Cache")) == (200, "MISS"), first.text
        assert second.headers["X-Cache"] == "HIT-DISK", "it was kept"
    assert gateway.upload("flat.png", png(flat()), replace="true").status_code in (200, 201)
    assert gateway.api.get("/images/flat.png/@meta.json").json()["width"] == 64
    until(lambda: any(kept.glob("photo.png/@w=*.png")))
    assert gateway.api.delete("/images/photo.png/@").status_code == 204
    health = gateway.api.get("/health/ready")
    assert health.status_code == 200, health.text
    assert "ERROR" not in gateway.log[before:]


def test_no_image_fails_while_the_caches_are_deleted_again_and_again(gateway: Gateway) -> None:
    answers, end = Counter[str](), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=gateway.public.base_url, timeout=60, trust_env=False) as client:
            while not end.is_set():
                answer = client.get(f"/images/photo.png/@w={next(WIDTHS)}.png")
                answers[str(answer.status_code) if answer.status_code == 200 else answer.text] += 1

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for pattern in ("var/cache", "var/cache/*", "var/cache/work", "var/cache/originals"):
            enough = answers.total() + 20
            delete(gateway, pattern)
            until(functools.partial(lambda count: answers.total() > count, enough))
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert set(answers) == {"200"}, answers
