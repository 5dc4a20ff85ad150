"""The circuit breaker: when it opens, what it lets through, what it does not count. The clock is fake."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from findingmodel.stores.mongo.breaker import CircuitBreaker, CircuitOpenError, Verdict


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class DownError(Exception):
    """The server failed."""


class RefusedError(Exception):
    """The server answered with an error."""


def verdict(error: Exception) -> Verdict:
    meanings = {DownError: Verdict.FAILED, RefusedError: Verdict.ANSWERED}
    return meanings.get(type(error), Verdict.SILENT)


def ask(breaker: CircuitBreaker, error: BaseException | None = None) -> None:
    quietly = contextlib.suppress(DownError, RefusedError, KeyError, asyncio.CancelledError)
    with quietly, breaker.attempt(verdict):
        if error is not None:
            raise error


def is_open(breaker: CircuitBreaker) -> bool:
    try:
        with breaker.attempt(verdict):
            raise KeyError  # noqa: TRY301  # which reveals nothing about the server
    except CircuitOpenError:
        return True
    except KeyError:
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(3, 10, clock=clock)


@pytest.fixture
def open_breaker(breaker: CircuitBreaker) -> CircuitBreaker:
    for _ in range(3):
        ask(breaker, DownError("db:1: refused"))
    return breaker


def test_it_opens_after_a_number_of_failures_in_a_row(breaker: CircuitBreaker) -> None:
    ask(breaker, DownError())
    ask(breaker, DownError())
    assert not is_open(breaker)
    ask(breaker, DownError())
    assert is_open(breaker)


@pytest.mark.parametrize("error", [None, RefusedError()])
def test_any_answer_resets_the_count_even_a_refusal(breaker: CircuitBreaker, error: Exception | None) -> None:
    for _ in range(5):
        ask(breaker, DownError())
        ask(breaker, DownError())
        ask(breaker, error)
    assert not is_open(breaker)


@pytest.mark.parametrize("error", [KeyError("a mistake of ours"), asyncio.CancelledError()])
def test_an_error_that_reveals_nothing_is_not_counted(breaker: CircuitBreaker, error: BaseException) -> None:
    for _ in range(10):
        ask(breaker, error)
    assert not is_open(breaker)
    assert not breaker.has_answered


def test_an_error_that_reveals_nothing_does_not_reset_the_count(breaker: CircuitBreaker) -> None:
    for error in (DownError(), KeyError(), DownError(), asyncio.CancelledError(), DownError()):
        ask(breaker, error)
    assert is_open(breaker)


def test_while_it_is_open_it_reports_failures_and_reason(open_breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 4
    with pytest.raises(CircuitOpenError) as raised, open_breaker.attempt(verdict):
        pytest.fail("nobody is let through")
    assert (raised.value.failures, raised.value.reason, raised.value.seconds) == (3, "db:1: refused", 6.0)


def test_after_a_while_a_single_attempt_is_let_through(open_breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 10
    with open_breaker.attempt(verdict):
        assert is_open(open_breaker)
        clock.now += 100
        assert is_open(open_breaker)
    assert not is_open(open_breaker)


def test_one_of_many_threads_is_let_through(open_breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 10
    let_in, all_asked, answers = threading.Event(), threading.Event(), []

    def probe() -> None:
        try:
            with open_breaker.attempt(verdict):
                let_in.set()
                assert all_asked.wait(10)
                answers.append("asked")
        except CircuitOpenError:
            answers.append("turned away")
            if answers.count("turned away") == 7:
                all_asked.set()

    threads = [threading.Thread(target=probe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_in.is_set()
    assert sorted(answers) == ["asked"] + 7 * ["turned away"]


def test_if_that_attempt_fails_the_time_restarts(open_breaker: CircuitBreaker, clock: Clock) -> None:
    clock.now += 10
    ask(open_breaker, DownError())
    clock.now += 9.9
    assert is_open(open_breaker)
    clock.now += 0.2
    assert not is_open(open_breaker)


@pytest.mark.parametrize("error", [KeyError(), asyncio.CancelledError()])
def test_if_that_attempt_reveals_nothing_the_next_is_let_through(
    open_breaker: CircuitBreaker, clock: Clock, error: BaseException
) -> None:
    clock.now += 10
    ask(open_breaker, error)
    with open_breaker.attempt(verdict):
        pass
    assert not is_open(open_breaker)
    ask(open_breaker, DownError())
    assert not is_open(open_breaker)  # the count was reset


async def test_concurrent_failures_count_as_one(breaker: CircuitBreaker) -> None:
    all_begun = asyncio.Barrier(50)

    async def fail() -> None:
        with contextlib.suppress(DownError), breaker.attempt(verdict):
            await all_begun.wait()
            raise DownError

    await asyncio.gather(*(fail() for _ in range(50)))
    assert not is_open(breaker)
    ask(breaker, DownError())
    ask(breaker, DownError())
    assert is_open(breaker)


def test_a_late_success_closes_it(breaker: CircuitBreaker) -> None:
    with breaker.attempt(verdict):
        for _ in range(3):
            ask(breaker, DownError())
        assert is_open(breaker)
    assert not is_open(breaker)


def test_a_late_failure_does_not_keep_it_open_longer(breaker: CircuitBreaker, clock: Clock) -> None:
    with contextlib.suppress(DownError), breaker.attempt(verdict):
        for _ in range(3):
            ask(breaker, DownError())
        clock.now += 9
        raise DownError
    clock.now += 1
    assert not is_open(breaker)
