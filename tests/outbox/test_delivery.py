"""When a message is sent again."""

from __future__ import annotations

import pytest

from service.outbox.delivery import FIRST, LONGEST, pause
from service.outbox.sending import Client, Request, SendFailed
from tests.outbox.receivers import receiving


def test_pauses_double_up_to_a_bound_and_differ() -> None:
    for attempts in (1, 2, 3, 8):
        found = {pause(attempts) for _ in range(50)}
        whole = FIRST * 2 ** (attempts - 1)
        assert whole / 2 <= min(found) < max(found) <= whole
    assert LONGEST / 2 <= pause(100_000) <= LONGEST


@pytest.mark.parametrize(
    ("status", "header", "wanted"), [(429, "7", 7.0), (503, "120", 120.0), (500, "7", 0.0), (429, "soon", 0.0)]
)
async def test_a_receiver_may_ask_for_a_pause(status: int, header: str, wanted: float) -> None:
    client = Client()
    with receiving() as receiver:
        receiver.status, receiver.more = status, {"Retry-After": header}
        with pytest.raises(SendFailed) as failed:
            await client.send(Request("POST", receiver.url), 60.0)
        await client.close()
    assert failed.value.retry_after == wanted


async def test_the_environments_proxy_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    with receiving() as receiver, receiving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        receiver.answer = b"x" * 200_000
        assert len(await client.send(Request("POST", f"{receiver.url}/a%2Cb?c=%20"), 60.0)) <= 64 * 1024
        await client.close()
    assert [one.path for one in receiver.received] == ["/a%2Cb?c=%20"]
    assert proxy.received == []
