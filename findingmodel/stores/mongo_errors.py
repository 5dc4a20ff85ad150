"""What pymongo raises, in our words: one table, most specific first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from bson.errors import BSONError
from pymongo import errors as driver

from findingmodel.errors import StoreClosedError, StoreError, StoreSchemaError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["brief", "translated"]

_LONGEST_REASON = 200
_AUTHENTICATION_FAILED = 18
_UNAUTHORIZED = 13


class _Rule(NamedTuple):
    raised: type[Exception]
    ours: type[StoreError]
    reason: Callable[[Exception], str]


@contextmanager
def translated(doing: str, label: str) -> Iterator[None]:
    """Turn the driver's errors into ours, as ``cannot DOING LABEL: REASON``.

    Args:
        doing: what is being done, so that the sentence reads on with *label*: "read the manifest of".
        label: the database as a user may see it, without a password.

    Raises:
        StoreUnavailableError: no server answered in time, or the connection broke.
        StoreClosedError: the client was closed.
        StoreSchemaError: as it was raised within, with what was being done.
        StoreError: the server refused, or failed.
    """
    try:
        yield
    except StoreSchemaError as error:
        raise StoreSchemaError(f"cannot {doing} {label}: {error}") from None
    except (driver.PyMongoError, BSONError, OverflowError, UnicodeEncodeError) as error:
        rule = next(rule for rule in _RULES if isinstance(error, rule.raised))
        raise rule.ours(f"cannot {doing} {label}: {rule.reason(error)}") from error


def brief(error: Exception) -> str:
    """Return the first sentence of a driver's message, without server replies and the topology.

    >>> brief(Exception("db:1: Connection refused (configured timeouts: ...), Topology Description: <...>"))
    'db:1: Connection refused'
    """
    text = str(error)
    for mark in (", full error:", " (configured timeouts:", ", Timeout:", ", Topology Description:"):
        text = text.partition(mark)[0]
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."


def _always(reason: str) -> Callable[[Exception], str]:
    return lambda _: reason


def _after(reason: str) -> Callable[[Exception], str]:
    return lambda error: f"{reason} ({brief(error)})"


def _refused(error: Exception) -> str:
    code = error.code if isinstance(error, driver.OperationFailure) else None
    if code == _AUTHENTICATION_FAILED:
        return "the server did not accept the user name and password"
    if code == _UNAUTHORIZED:
        return f"the user has no right to do that ({brief(error)})"
    return f"the server refused ({brief(error)})"


def _not_written(error: Exception) -> str:
    """Say which documents were not written, and why the first was not."""
    details = error.details if isinstance(error, driver.BulkWriteError) else {}
    failures = (details or {}).get("writeErrors") or (details or {}).get("writeConcernErrors") or [{}]
    ids = [str(failure["op"].get("q", failure["op"]).get("_id")) for failure in failures if "op" in failure]
    named = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    reason = brief(Exception(failures[0].get("errmsg", "no reason given")))
    return f"{named or 'something'} was not written ({reason})"


_RULES = (
    _Rule(
        driver.WaitQueueTimeoutError,
        StoreUnavailableError,
        _always("no connection of the pool became free in time"),
    ),
    _Rule(driver.ServerSelectionTimeoutError, StoreUnavailableError, _after("no server answered in time")),
    _Rule(driver.NetworkTimeout, StoreUnavailableError, _always("the server did not answer in time")),
    _Rule(driver.ConnectionFailure, StoreUnavailableError, _after("the connection failed")),
    _Rule(driver.ConfigurationError, StoreUnavailableError, _after("the server cannot be used")),
    _Rule(driver.BulkWriteError, StoreError, _not_written),
    _Rule(driver.ExecutionTimeout, StoreUnavailableError, _always("the server gave up, it took too long")),
    _Rule(driver.OperationFailure, StoreError, _refused),
    _Rule(
        driver.DocumentTooLarge,
        StoreError,
        _always("a document is larger than the 16 MB that MongoDB allows"),
    ),
    _Rule(driver.InvalidOperation, StoreClosedError, _always("its client was closed")),
    _Rule(Exception, StoreError, brief),
)
