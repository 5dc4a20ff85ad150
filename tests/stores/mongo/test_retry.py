"""Retries: which errors, how often and for how long. No server is needed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from pymongo import errors

from findingmodel.errors import StoreError, StoreUnavailableError
from findingmodel.settings import Settings
from findingmodel.stores.mongo.breaker import CircuitBreaker, Verdict
from findingmodel.stores.mongo.errors import is_retryable, verdict_of
from findingmodel.stores.mongo.retry import Calls, RetryPolicy, breaker_of

RETRY = RetryPolicy(attempts=4, seconds=10, breaker_failures=100)
LOST = errors.AutoReconnect("db:1: connection closed")
NOBODY = errors.ServerSelectionTimeoutError("db:1: refused")


class Server:
    """Raises the given errors, then answers; records the pauses between calls."""

    def __init__(self, *failures: BaseException, retry: RetryPolicy = RETRY) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.pauses: list[float] = []
        self.breaker = CircuitBreaker(retry.breaker_failures, retry.breaker_seconds)
        self._calls = Calls("mongodb://db/x", retry, self.breaker, sleep=self._pause)

    async def ask(self, **options: Any) -> str:
        return await self._calls.call("search", self._answer, **options)

    async def _answer(self) -> str:
        self.calls += 1
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_a_call_that_succeeds_is_made_once() -> None:
    server = Server()
    assert await server.ask() == "answer"
    assert (server.calls, server.pauses) == (1, [])


async def test_a_lost_connection_is_tried_again_after_growing_pauses() -> None:
    server = Server(LOST, LOST, LOST)
    assert await server.ask() == "answer"
    assert server.calls == 4
    assert len(server.pauses) == 3
    assert all(0 <= pause <= most for pause, most in zip(server.pauses, (0.2, 0.4, 0.8), strict=True))


async def test_pauses_are_random_and_bounded() -> None:
    server = Server(*30 * [LOST], retry=RetryPolicy(attempts=31, seconds=1_000, breaker_failures=100))
    await server.ask()
    assert len(set(server.pauses)) == 30
    assert max(server.pauses) <= 2


async def test_after_the_last_attempt_there_is_no_pause() -> None:
    server = Server(*9 * [LOST])
    with pytest.raises(StoreUnavailableError, match=r"^cannot search mongodb://db/x: the connection failed"):
        await server.ask()
    assert (server.calls, len(server.pauses)) == (4, 3)


async def test_no_attempt_begins_when_the_time_is_over() -> None:
    server = Server(*9 * [LOST], retry=RETRY._replace(seconds=0))
    with pytest.raises(StoreUnavailableError):
        await server.ask()
    assert (server.calls, server.pauses) == (1, [])


async def test_the_time_limit_holds_for_any_number_of_attempts() -> None:
    server = Server(*1_000 * [LOST], retry=RetryPolicy(1_000, 0.5, 10_000))
    server._calls._sleep = asyncio.sleep
    begun = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        await server.ask()
    assert time.monotonic() - begun < 2
    assert 1 < server.calls < 1_000


async def test_an_operation_may_ask_for_a_single_attempt() -> None:
    server = Server(LOST)
    with pytest.raises(StoreUnavailableError):
        await server.ask(once=True)
    assert server.calls == 1


async def test_only_the_driver_waits_for_a_server_that_never_answered() -> None:
    server = Server(NOBODY, NOBODY)
    with pytest.raises(StoreUnavailableError, match="no server answered in time"):
        await server.ask()
    assert server.calls == 1
    server.failures.clear()
    await server.ask()
    server.failures = [LOST, NOBODY]  # it answered before, so it may be failing over
    assert await server.ask() == "answer"
    assert server.calls == 5


@pytest.mark.parametrize(
    "error",
    [
        errors.WaitQueueTimeoutError("pool"),
        errors.OperationFailure("no", 13),
        errors.ExecutionTimeout("late", 50),
        errors.BulkWriteError({"writeErrors": [{"errmsg": "no", "op": {"q": {"_id": "A"}}}]}),
        errors.ConfigurationError("DNS"),
        errors.InvalidOperation("closed"),
        OverflowError("8-byte ints"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_that_a_retry_cannot_fix_is_raised_at_once(error: Exception) -> None:
    server = Server(error, retry=RETRY._replace(breaker_failures=1))
    with pytest.raises(StoreError):
        await server.ask()
    assert server.calls == 1
    assert await server.ask() == "answer"  # it does not count against the server either


@pytest.mark.parametrize("error", [KeyError("ours"), asyncio.CancelledError()])
async def test_a_programming_error_and_a_cancellation_are_passed_on(error: BaseException) -> None:
    server = Server(error, retry=RETRY._replace(breaker_failures=1))
    with pytest.raises(type(error)):
        await server.ask()
    assert server.calls == 1
    assert await server.ask() == "answer"


async def test_a_cancellation_during_a_pause_takes_effect_at_once() -> None:
    server = Server(*9 * [LOST])
    pausing = asyncio.Event()

    async def pause(_: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    server._calls._sleep = pause
    asking = asyncio.create_task(server.ask())
    await pausing.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert server.calls == 1


async def test_a_breaker_that_opens_ends_the_attempts() -> None:
    server = Server(*9 * [LOST], retry=RETRY._replace(breaker_failures=2))
    with pytest.raises(StoreUnavailableError) as raised:
        await server.ask()
    assert server.calls == 2
    assert str(raised.value) == (
        "cannot search mongodb://db/x: the server was not asked, because 2 attempts in a row failed "
        "(db:1: connection closed); it will be asked again in 10 s"
    )
    assert raised.value.__cause__ is None


async def test_calls_do_not_count_each_others_attempts() -> None:
    server = Server(*20 * [LOST])
    answers = await asyncio.gather(*(server.ask() for _ in range(10)))
    assert answers == 10 * ["answer"]


@pytest.mark.parametrize("code", [6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])
async def test_an_error_of_a_failover_is_tried_again(code: int) -> None:
    server = Server(errors.OperationFailure("failing over", code))
    assert await server.ask() == "answer"
    assert server.calls == 2


@pytest.mark.parametrize(
    "error", [errors.NotPrimaryError("not primary"), errors.OperationFailure("not primary", 10107)]
)
async def test_an_election_of_15_seconds_is_survived(error: Exception) -> None:
    """The server answers all the time, and says that it is not the primary."""

    class Electing(Server):
        async def _answer(self) -> str:
            self.failures = [error] if sum(self.pauses) < 15 else []
            return await super()._answer()

    server = Electing(retry=RetryPolicy())
    assert await server.ask() == "answer"
    assert sum(server.pauses) >= 15


def test_error_labels_ask_for_a_retry() -> None:
    for label in ("RetryableWriteError", "UnknownTransactionCommitResult"):
        error = errors.OperationFailure("x", 91, {"errorLabels": [label]})
        assert is_retryable(error, has_answered=True)
    error = errors.OperationFailure("x", 112, {"errorLabels": ["TransientTransactionError"]})
    assert not is_retryable(error, has_answered=True)


def test_only_failures_of_the_server_count() -> None:
    assert {verdict_of(error) for error in (LOST, NOBODY, errors.NetworkTimeout())} == {Verdict.FAILED}
    assert {verdict_of(error) for error in (errors.WaitQueueTimeoutError(), KeyError())} == {Verdict.SILENT}
    assert verdict_of(errors.OperationFailure("no")) is Verdict.ANSWERED


def test_there_is_one_breaker_for_each_server() -> None:
    assert breaker_of("mongodb://a", RETRY) is breaker_of("mongodb://a", RETRY._replace(attempts=9))
    assert breaker_of("mongodb://a", RETRY) is not breaker_of("mongodb://b", RETRY)


def test_the_retry_policy_is_a_part_of_the_settings() -> None:
    settings = Settings(
        mongodb_retry_attempts=2,
        mongodb_retry_seconds=3,
        mongodb_breaker_failures=4,
        mongodb_breaker_seconds=5,
    )
    assert RetryPolicy.of(settings) == RetryPolicy(2, 3, 4, 5)
    assert RetryPolicy.of(Settings()) == RetryPolicy()
