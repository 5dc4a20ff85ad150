"""Calls to a MongoDB server: through its circuit breaker, with retries, and with errors translated."""

from __future__ import annotations

import asyncio
import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from findingmodel.limits import BREAKER_FAILURES, BREAKER_SECONDS, RETRY_ATTEMPTS, RETRY_SECONDS
from findingmodel.stores.mongo.breaker import CircuitBreaker
from findingmodel.stores.mongo.errors import brief, is_retryable, translated, verdict_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenacity import RetryCallState

    from findingmodel.settings import Settings

    Sleep = Callable[[float], Awaitable[None]]

T = TypeVar("T")

_FIRST_PAUSE_SECONDS = 0.2  # on average half of it; the double before each further attempt
_LONGEST_PAUSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class RetryPolicy(NamedTuple):
    """Limits of retries and of the circuit breaker."""

    attempts: int = RETRY_ATTEMPTS  # at one operation
    seconds: float = RETRY_SECONDS  # from the start of the first attempt to that of the last
    breaker_failures: int = BREAKER_FAILURES  # attempts in a row whose failure opens the breaker
    breaker_seconds: float = BREAKER_SECONDS  # for which the breaker stays open

    @classmethod
    def of(cls, settings: Settings) -> RetryPolicy:
        """Return the retry settings within *settings*."""
        return cls(
            settings.mongodb_retry_attempts,
            settings.mongodb_retry_seconds,
            settings.mongodb_breaker_failures,
            settings.mongodb_breaker_seconds,
        )


_breakers: dict[tuple[str, int, float], CircuitBreaker] = {}
_lock = threading.Lock()


def breaker_of(uri: str, policy: RetryPolicy) -> CircuitBreaker:
    """Return the circuit breaker that this process shares for the server that *uri* names."""
    key = (uri, policy.breaker_failures, policy.breaker_seconds)
    with _lock:
        return _breakers.setdefault(key, CircuitBreaker(policy.breaker_failures, policy.breaker_seconds))


class Calls:
    """The calls of one store to its server.

    Args:
        label: the database for display.
        policy: limits of retries.
        breaker: the circuit breaker of the server.
        login_hint: what to try if the server does not accept the login.
        sleep: pauses between attempts.
    """

    def __init__(
        self,
        label: str,
        policy: RetryPolicy,
        breaker: CircuitBreaker,
        *,
        login_hint: str = "",
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._label = label
        self._login_hint = login_hint
        self._policy = policy
        self._breaker = breaker
        self._sleep = sleep

    async def call(self, doing: str, function: Callable[[], Awaitable[T]], *, once: bool = False) -> T:
        """Return what *function* returns; retry it while the connection fails.

        All operations of a store are idempotent: they write whole documents by id. Only a step of the
        generation may count twice after a retry, which is harmless: readers need it to change, no more.

        Args:
            doing: for error messages, as in `translated`.
            function: the operation.
            once: do not retry, because the operation continues from the state of earlier calls.

        Raises:
            StoreError: as in `translated`.
        """
        with translated(doing, self._label, login_hint=self._login_hint):
            if once:
                return await self._attempt(function)
            result: T = await self._retrying(doing)(self._attempt, function)
            return result

    async def _attempt(self, function: Callable[[], Awaitable[T]]) -> T:
        with self._breaker.attempt(verdict_of):
            return await function()

    def _retrying(self, doing: str) -> AsyncRetrying:
        """Return the retry loop of one call."""
        return AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._policy.attempts) | stop_before_delay(self._policy.seconds),
            wait=wait_random_exponential(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS),
            retry=retry_if_exception(
                lambda error: is_retryable(error, has_answered=self._breaker.has_answered)
            ),
            before_sleep=partial(self._log_retry, doing),
            reraise=True,
        )

    def _log_retry(self, doing: str, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        _log.info(
            "attempt %d to %s %s failed (%s); the next follows in %.1f s",
            state.attempt_number,
            doing,
            self._label,
            brief(Exception(error)),
            state.upcoming_sleep,
        )
