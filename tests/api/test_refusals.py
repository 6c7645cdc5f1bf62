"""A refusal for a token is a line of the audit and a number of the metrics, without the token."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator

import pytest

from tests.gateways import Gateway, running_gateway

SECRET = "a-token-that-nobody-may-read-in-a-log"
MOST = 20  # lines of one kind in a second
FLOOD = 400
LONGEST = 450  # characters of such a line, whatever is asked for


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with one token, which may read."""
    token = {"name": "reader", "sha256": hashlib.sha256(SECRET.encode()).hexdigest(), "scopes": ["read"]}
    with running_gateway(tmp_path_factory.mktemp("refusals"), {"api": {"tokens": [token]}}) as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def told(gateway: Gateway, word: str) -> list[str]:
    """The audit's lines of refusals that have this word, without time and level."""
    lines = (line.partition(" audit.refused: ")[2] for line in gateway.log.splitlines())
    return [line for line in lines if word in line]


def refusals(gateway: Gateway) -> dict[str, int]:
    text = gateway.api.get("/metrics", headers=bearer(SECRET)).text
    found = re.findall(r'^image_gateway_token_refusals_total\{reason="(\w+)"\} (\d+)', text, re.M)
    return {reason: int(count) for reason, count in found}


def test_each_refusal_has_a_line_that_tells_who_what_and_why_and_no_token(guarded: Gateway) -> None:
    before = refusals(guarded)
    assert set(before) == {"absent", "unknown", "scope"}
    ids = {"X-Request-Id": "the-id"}
    assert guarded.api.get("/images/first.png?token=x", headers=ids).status_code == 401
    assert guarded.api.put("/images/first.png", headers={**ids, **bearer("guessed")}).status_code == 401
    assert guarded.api.delete("/images/first.png", headers={**ids, **bearer(SECRET)}).status_code == 403
    assert guarded.api.get("/images/first.png?url=true", headers={**ids, **bearer(SECRET)}).status_code == 403
    head = 'from="127.0.0.1" what="refused" name='
    assert told(guarded, "first.png") == [
        f'who="anonymous" {head}"GET /images/first.png" result="401 unauthorised" [the-id]',
        f'who="anonymous" {head}"PUT /images/first.png" result="401 unauthorised" [the-id]',
        f'who="reader" {head}"DELETE /images/first.png" result="403 forbidden" [the-id]',
        f'who="reader" {head}"GET /images/first.png" result="403 forbidden" [the-id]',
    ]
    after = refusals(guarded)
    assert {reason: after[reason] - before[reason] for reason in after} == {"absent": 1, "unknown": 1, "scope": 2}
    assert SECRET not in guarded.log
    assert "guessed" not in guarded.log


def test_a_flood_of_bad_tokens_is_counted_and_does_not_fill_the_log(guarded: Gateway) -> None:
    before, said, began = refusals(guarded)["unknown"], len(guarded.log), time.monotonic()
    for number in range(FLOOD):
        assert guarded.api.get(f"/images/flood-{'x' * 500}", headers=bearer(f"guess-{number}")).status_code == 401
    assert guarded.api.delete("/images/flood-known", headers=bearer(SECRET)).status_code == 403
    assert refusals(guarded)["unknown"] - before == FLOOD
    lines = told(guarded, "flood-")
    assert any("flood-known" in line for line in lines), "a flood of strangers hides a known client"
    assert len(lines) <= MOST * (time.monotonic() - began + 2)
    assert len(guarded.log) - said <= len(lines) * LONGEST


def test_how_many_lines_were_left_out_is_told(guarded: Gateway) -> None:
    def cut() -> bool:
        guarded.api.get("/images/again", headers=bearer("guess"))
        return any(re.search(r"\(and \d+ more such lines in \d+ s\)", line) for line in told(guarded, "again"))

    for _ in range(100_000):  # within a second or two: with the first line of the next second
        if cut():
            return
    raise AssertionError("nobody tells what was left out")


def test_who_may_do_what_is_asked_leaves_no_line(guarded: Gateway) -> None:
    assert guarded.api.get("/images?prefix=quiet", headers=bearer(SECRET)).status_code == 200
    assert guarded.api.get("/images/quiet.png", headers=bearer(SECRET)).status_code == 404
    assert guarded.api.get("/health/live").status_code == 200
    assert told(guarded, "quiet") == []
