"""The circuit breaker, on a clock of its own."""

import pytest

from service.store.errors import Unavailable
from service.store.swift.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(threshold=3, pause=2.0, clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.failed()


def test_a_few_failures_in_a_row_open_it_and_it_says_for_how_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    assert (breaker.state, breaker.opened) == ("open", 1)
    clock.now += 0.5
    with pytest.raises(Unavailable) as refusal:
        breaker.enter()
    assert refusal.value.retry_after == 1.5


def test_failures_between_successes_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(10):
        fail(breaker, 2)
        breaker.enter()
        breaker.succeeded()
    assert breaker.state == "closed"


def test_after_the_pause_one_probe_goes_through_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 2.0
    breaker.look()
    breaker.enter()
    with pytest.raises(Unavailable):
        breaker.enter()
    breaker.succeeded()
    breaker.enter()
    assert breaker.state == "closed"


def test_a_failed_probe_opens_it_for_another_pause(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 2.0
    fail(breaker, 1)
    with pytest.raises(Unavailable):
        breaker.enter()
    clock.now += 2.0
    breaker.enter()
    assert breaker.opened == 1


def test_a_probe_that_never_reports_does_not_block_the_next_one(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 2.0
    breaker.enter()
    clock.now += 2.0
    breaker.enter()
    breaker.succeeded()
    assert breaker.state == "closed"
