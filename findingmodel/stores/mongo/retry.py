"""How a MongoDB server is called: past its breaker, again where that may help, with errors in our words."""

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
from findingmodel.stores.mongo.errors import brief, is_worth_another_attempt, translated, verdict_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenacity import RetryCallState

    from findingmodel.settings import Settings

    Sleep = Callable[[float], Awaitable[None]]

__all__ = ["Calls", "RetryPolicy", "breaker_of"]

T = TypeVar("T")

_FIRST_PAUSE_SECONDS = 0.2  # on average half of it; the double before each further attempt
_LONGEST_PAUSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class RetryPolicy(NamedTuple):
    """How long a server that fails is put up with.

    Attributes:
        attempts: most attempts at one operation.
        seconds: no attempt begins later than this after the first; each may take as long as the timeouts of
            `PoolSettings` let it.
        breaker_failures: after so many failures in a row a server is not asked for a while.
        breaker_seconds: how long that is.
    """

    attempts: int = RETRY_ATTEMPTS
    seconds: float = RETRY_SECONDS
    breaker_failures: int = BREAKER_FAILURES
    breaker_seconds: float = BREAKER_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> RetryPolicy:
        """Return the part of *settings* that is about this."""
        return cls(
            settings.mongodb_retry_attempts,
            settings.mongodb_retry_seconds,
            settings.mongodb_breaker_failures,
            settings.mongodb_breaker_seconds,
        )


_breakers: dict[tuple[str, int, float], CircuitBreaker] = {}
_lock = threading.Lock()


def breaker_of(uri: str, patience: RetryPolicy) -> CircuitBreaker:
    """Return the one breaker of this process for the server that *uri* names."""
    key = (uri, patience.breaker_failures, patience.breaker_seconds)
    with _lock:
        return _breakers.setdefault(key, CircuitBreaker(patience.breaker_failures, patience.breaker_seconds))


class Calls:
    """How one store calls its server.

    Args:
        label: the database as a user may see it.
        patience: how long a server that fails is put up with.
        breaker: of the server.
        sleep: how to pause.
    """

    def __init__(
        self, label: str, patience: RetryPolicy, breaker: CircuitBreaker, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._label = label
        self._patience = patience
        self._breaker = breaker
        self._sleep = sleep

    async def call(self, doing: str, function: Callable[[], Awaitable[T]], *, once: bool = False) -> T:
        """Return what *function* returns, called again while the connection fails.

        Twice must be as good as once. That is so for all that a store does: it writes whole documents by id.
        One step of the generation may then count as two, which does no harm, for what matters to readers
        is that it moves; an update that could not make its step would leave them with what they remember.

        Args:
            doing: for the message of an error, as in `translated`.
            function: what to do.
            once: whether there is to be one attempt only, because it goes on from where others have led.

        Raises:
            StoreError: as `translated` says it.
        """
        with translated(doing, self._label):
            if once:
                return await self._attempt(function)
            result: T = await self._retrying(doing)(self._attempt, function)
            return result

    async def _attempt(self, function: Callable[[], Awaitable[T]]) -> T:
        with self._breaker.attempt(verdict_of):
            return await function()

    def _retrying(self, doing: str) -> AsyncRetrying:
        """Return what makes the attempts; it is for one call, for it counts them."""
        return AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._patience.attempts) | stop_before_delay(self._patience.seconds),
            wait=wait_random_exponential(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS),
            retry=retry_if_exception(self._may_help),
            before_sleep=partial(self._tell, doing),
            reraise=True,
        )

    def _may_help(self, error: BaseException) -> bool:
        return is_worth_another_attempt(error, has_answered=self._breaker.has_answered)

    def _tell(self, doing: str, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        _log.info(
            "attempt %d to %s %s failed (%s); the next follows in %.1f s",
            state.attempt_number,
            doing,
            self._label,
            brief(Exception(error)),
            state.upcoming_sleep,
        )
