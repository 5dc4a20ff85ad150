"""CircuitBreaker: stop asking a server that does not answer, and probe it with one attempt at a time.

Written by hand: no library at hand limits a half-open breaker to one probe and ignores cancelled attempts.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Verdict(Enum):
    """What an error reveals about the server."""

    FAILED = auto()  # it did not answer, or only in part
    ANSWERED = auto()  # it did, even if with an error
    SILENT = auto()  # nothing


class CircuitOpenError(Exception):
    """The breaker is open: the server was not asked, and will not be for some *seconds*.

    Attributes:
        failures: attempts in a row that failed.
        reason: the message of the last one.
    """

    def __init__(self, failures: int, reason: str, seconds: float) -> None:
        self.failures, self.reason, self.seconds = failures, reason, seconds
        super().__init__(f"{failures} attempts failed: {reason}")


class CircuitBreaker:
    """Counts the failures of one server, for any number of tasks and threads.

    It opens after *failures* failed attempts in a row; concurrent attempts that fail together count as one.
    While it is open, no attempt is let through. After *seconds* one is: its success closes the breaker, its
    failure restarts the time.

    Attributes:
        has_answered: whether the server ever answered.
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

    @contextmanager
    def attempt(self, judge: Callable[[Exception], Verdict]) -> Iterator[None]:
        """Let one attempt through and record its outcome; a cancelled attempt has none.

        Args:
            judge: classifies the error of the attempt.

        Raises:
            CircuitOpenError: the breaker is open.
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
                return  # this attempt was under way when another failed
            self._failures += 1
            self._failures_ever += 1
            self._reason = reason
            if self._failures >= self._most:
                self._opened_at = self._clock()

    def _succeed(self) -> None:
        with self._lock:
            self._failures, self._opened_at, self.has_answered = 0, None, True
