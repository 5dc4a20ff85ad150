"""Breaker: leave a server alone that does not answer, and find out by one question whether it does again."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CircuitBreaker", "CircuitOpenError", "Verdict"]


class Verdict(Enum):
    """What an error says of the server.

    Attributes:
        FAILED: it did not answer, or not to the end.
        ANSWERED: it did, though with a refusal.
        SILENT: nothing.
    """

    FAILED = auto()
    ANSWERED = auto()
    SILENT = auto()


class CircuitOpenError(Exception):
    """The server was not asked.

    Attributes:
        failures: so many attempts in a row had failed.
        reason: what the last of them said.
        seconds: after this time it will be asked again.
    """

    def __init__(self, failures: int, reason: str, seconds: float) -> None:
        self.failures, self.reason, self.seconds = failures, reason, seconds
        super().__init__(f"{failures} attempts failed: {reason}")


class CircuitBreaker:
    """Counts the failures of one server; for any number of tasks and threads.

    It opens when *failures* attempts in a row have failed; attempts that were under way together count as
    one, because they failed together. While it is open nobody is let through. After *seconds* one attempt is:
    if that succeeds the breaker closes, if it fails the time begins anew.

    Args:
        failures: how many in a row.
        seconds: how long it stays open.
        clock: seconds that never go back.
    """

    def __init__(self, failures: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0  # in a row
        self._failures_ever = 0
        self._reason = ""
        self._opened_at: float | None = None
        self._probe: object = None
        self.has_answered = False
        """Whether the server ever answered."""

    @contextmanager
    def attempt(self, judge: Callable[[Exception], Verdict]) -> Iterator[None]:
        """Let one attempt through, and learn from how it ends; a cancelled one teaches nothing.

        Args:
            judge: tells what an error says of the server.

        Raises:
            BreakerOpenError: the breaker is open.
        """
        mark = object()
        failures_before = self._admit(mark)
        try:
            yield
        except Exception as error:
            verdict = judge(error)
            if verdict is Verdict.FAILED:
                self._fail(failures_before, str(error))
            elif verdict is Verdict.ANSWERED:
                self._succeed()
            raise
        else:
            self._succeed()
        finally:
            with self._lock:
                if self._probe is mark:
                    self._probe = None

    def _admit(self, mark: object) -> int:
        with self._lock:
            if self._opened_at is not None:
                left = self._opened_at + self._seconds - self._clock()
                if left > 0 or self._probe is not None:
                    raise CircuitOpenError(self._failures, self._reason, max(left, 0.0))
                self._probe = mark
            return self._failures_ever

    def _fail(self, failures_before: int, reason: str) -> None:
        with self._lock:
            if failures_before != self._failures_ever:
                return  # it was under way when another failed
            self._failures += 1
            self._failures_ever += 1
            self._reason = reason
            if self._failures >= self._most:
                self._opened_at = self._clock()

    def _succeed(self) -> None:
        with self._lock:
            self._failures, self._opened_at, self.has_answered = 0, None, True
