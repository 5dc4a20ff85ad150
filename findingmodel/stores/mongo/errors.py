"""The driver's errors: what they reveal about the server, whether to retry, and how to report them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from bson.errors import BSONError
from pymongo import errors as driver

from findingmodel.errors import (
    LeaseHeldError,
    NotWrittenError,
    StoreClosedError,
    StoreError,
    StoreSchemaError,
    StoreUnavailableError,
    TransactionError,
)
from findingmodel.stores.mongo.breaker import CircuitOpenError, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_LONGEST_REASON = 200
_AUTHENTICATION_FAILED = 18
_UNAUTHORIZED = 13
_REFUSED_LOGIN = "the server did not accept the user name and password"

_PASSING = frozenset((6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436))
"""Codes of a server that steps down, shuts down or lost its own connection: a retry may well succeed.

Source: https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
"""

_CONFLICTS = frozenset((24, 112, 225, 244, 246, 251))
"""Codes of a transaction that met another one, or that the server ended: LockTimeout, WriteConflict,
TransactionTooOld, TransactionAborted, SnapshotUnavailable and NoSuchTransaction. Some servers send no label.

Source: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
"""

_PASSING_BY = _PASSING | {24, 112}
"""Codes after which a retry outside of a transaction may well succeed."""

_NOT_ABOUT_CONTENT = frozenset((_UNAUTHORIZED, _AUTHENTICATION_FAILED, 14031, 16500))
"""Unauthorized, AuthenticationFailed, OutOfDiskSpace, and the code by which Cosmos DB asks to slow down."""

_UNSENDABLE = (BSONError, OverflowError, UnicodeEncodeError, driver.DocumentTooLarge)
"""What the driver cannot encode."""

_TRANSIENT = "TransientTransactionError"
_REPEATABLE = ("RetryableWriteError", "UnknownTransactionCommitResult")
"""Labels by which a server asks for a retry."""


class _Rule(NamedTuple):
    """How errors of one class are reported: as *ours*, with a reason in which {} is the driver's message."""

    raised: type[Exception]
    ours: type[StoreError]
    reason: str | Callable[[Any], str]
    applies: Callable[[Exception], bool] = lambda _: True


@contextmanager
def translated(doing: str, label: str, *, login_hint: str = "") -> Iterator[None]:
    """Turn the driver's errors into ours, as ``cannot DOING LABEL: REASON``.

    Args:
        doing: what is being done; *label* follows: "read the manifest of".
        label: the database for display, without a password.
        login_hint: what to try if the server does not accept the login.

    Raises:
        StoreUnavailableError: no server answered in time, the connection broke, or the breaker is open.
        StoreClosedError: the client was closed.
        StoreSchemaError, NotWrittenError, TransactionError, LeaseHeldError: as raised in the block, with
            *doing* and *label*.
        StoreError: the server refused, or failed.
    """
    try:
        yield
    except (StoreSchemaError, TransactionError, LeaseHeldError) as error:
        raise type(error)(f"cannot {doing} {label}: {error}") from None
    except NotWrittenError as error:
        raise NotWrittenError(f"cannot {doing} {label}: {error}", error.reasons) from None
    except CircuitOpenError as error:
        raise StoreUnavailableError(f"cannot {doing} {label}: {_not_asked(error)}") from None
    except (driver.PyMongoError, BSONError, OverflowError, UnicodeEncodeError) as error:
        rule = next(rule for rule in _RULES if isinstance(error, rule.raised) and rule.applies(error))
        reason = rule.reason(error) if callable(rule.reason) else rule.reason.replace("{}", brief(error))
        if reason == _REFUSED_LOGIN:
            reason += login_hint
        raise rule.ours(f"cannot {doing} {label}: {reason}") from error


def verdict_of(error: Exception) -> Verdict:
    """Return what *error* reveals about the server.

    A server that refuses has not failed, and a pool without a free connection is not the server's failure.
    """
    if isinstance(error, driver.NotPrimaryError):
        return Verdict.ANSWERED  # it steps down or shuts down; an election follows
    if isinstance(error, driver.ConnectionFailure):
        is_ours = isinstance(error, driver.WaitQueueTimeoutError) or _is_refused_login(error)
        return Verdict.SILENT if is_ours else Verdict.FAILED
    return Verdict.ANSWERED if isinstance(error, driver.OperationFailure) else Verdict.SILENT


def is_retryable(error: BaseException, *, has_answered: bool) -> bool:
    """Return whether a retry after *error* may succeed.

    Args:
        error: the error of one attempt.
        has_answered: whether the server ever answered. The driver has already waited for a server; only for
            a known one, which may be failing over, is it worth waiting longer.
    """
    if isinstance(error, driver.ServerSelectionTimeoutError):
        return has_answered and not _is_refused_login(error)
    if isinstance(error, driver.AutoReconnect):
        return True
    if not isinstance(error, driver.PyMongoError) or error.has_error_label(_TRANSIENT):
        return False  # the whole transaction would have to be repeated
    if isinstance(error, driver.OperationFailure) and any(code in _PASSING_BY for code in _codes(error)):
        return True
    return any(map(error.has_error_label, _REPEATABLE))


def is_passing(error: driver.OperationFailure) -> bool:
    """Return whether the server refused because it steps down, shuts down or lost a connection."""
    return any(code in _PASSING for code in _codes(error))


def is_conflict(error: driver.OperationFailure) -> bool:
    """Return whether the server rolled a transaction back, because of another one or by itself."""
    return error.has_error_label(_TRANSIENT) or any(code in _CONFLICTS for code in _codes(error))


def is_content_refused(error: Exception) -> bool:
    """Return whether *error* is about what was sent: a smaller or simpler command may be accepted."""
    if isinstance(error, _UNSENDABLE):
        return True
    if not isinstance(error, driver.OperationFailure) or isinstance(error, driver.ExecutionTimeout):
        return False
    return not (is_passing(error) or is_conflict(error) or error.code in _NOT_ABOUT_CONTENT)


def _codes(error: driver.OperationFailure) -> Iterator[int | None]:
    """Yield the code of *error*, and those of single documents of a bulk write."""
    yield error.code
    if isinstance(error, driver.BulkWriteError):
        yield from (failure.get("code") for failure in (error.details or {}).get("writeErrors") or ())


def not_written(error: driver.BulkWriteError) -> dict[str, str]:
    """Return by id why the server did not write some documents of a bulk write.

    Raises:
        AutoReconnect: the server was about to go away; the documents are not to blame.
        BulkWriteError: the error does not concern single documents, or is a conflict with a transaction.
    """
    if is_conflict(error):
        raise error
    failures: Sequence[Mapping[str, Any]] = (error.details or {}).get("writeErrors") or []
    if any(failure.get("code") in _PASSING for failure in failures):
        raise driver.AutoReconnect(_errmsg(failures[0])) from None
    reasons = {_id_of(failure): _errmsg(failure) for failure in failures if "op" in failure}
    if not reasons:
        raise error
    return reasons


def brief(error: Exception) -> str:
    """Return the first sentence of a driver's message, without server replies and topology.

    >>> brief(Exception("db:1: Connection refused (configured timeouts: ...), Topology Description: <...>"))
    'db:1: Connection refused'
    """
    text = str(error)
    for mark in (", full error:", " (configured timeouts:", ", Timeout:", ", Topology Description:"):
        text = text.partition(mark)[0]
    line = text.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."


def _refused(error: driver.OperationFailure) -> str:
    if error.code == _AUTHENTICATION_FAILED:
        return _REFUSED_LOGIN
    if error.code == _UNAUTHORIZED:
        return f"the user is not allowed to do that ({brief(error)})"
    return f"the server refused ({brief(error)})"


def _not_written(error: driver.BulkWriteError) -> str:
    """Return which documents were not written, and why the first was not."""
    details = error.details or {}
    failures = details.get("writeErrors") or details.get("writeConcernErrors") or [{}]
    return unwritten([_id_of(failure) for failure in failures if "op" in failure], _errmsg(failures[0]))


def unwritten(ids: Sequence[str], reason: str) -> str:
    """Return a sentence about documents that were not written: their *ids*, and the *reason* of the first.

    >>> unwritten(["A", "B"], "too large")
    'A, B was not written (too large)'
    """
    named = ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
    return f"{named or 'something'} was not written ({reason})"


def _id_of(failure: Mapping[str, Any]) -> str:
    operation = failure["op"]
    return str(operation.get("q", operation).get("_id"))


def _errmsg(failure: Mapping[str, Any]) -> str:
    return brief(Exception(failure.get("errmsg", "no reason given")))


def _not_asked(error: CircuitOpenError) -> str:
    reason = brief(Exception(error.reason))
    return (
        f"the server was not asked, because {error.failures} attempts in a row failed ({reason}); "
        f"it will be asked again in {error.seconds:.0f} s"
    )


def _is_refused_login(error: Exception) -> bool:
    """Return whether *error* follows from a refused login; the driver raises it for some time afterwards."""
    return f"'code': {_AUTHENTICATION_FAILED}," in str(error)


def _is_rolled_back(error: Exception) -> bool:
    return isinstance(error, driver.OperationFailure) and is_conflict(error)


_RULES = (
    _Rule(
        driver.WaitQueueTimeoutError,
        StoreUnavailableError,
        "no connection of the pool became free in time; raise mongodb_max_pool_size",
    ),
    _Rule(driver.ServerSelectionTimeoutError, StoreError, _REFUSED_LOGIN, _is_refused_login),
    _Rule(
        driver.ServerSelectionTimeoutError,
        StoreUnavailableError,
        "no server answered in time ({}); if it is far away, raise mongodb_server_selection_timeout_ms",
    ),
    _Rule(
        driver.NetworkTimeout,
        StoreUnavailableError,
        "the server did not answer in time; if it is slow, raise mongodb_socket_timeout_ms",
    ),
    _Rule(driver.ConnectionFailure, StoreUnavailableError, "the connection failed ({})"),
    _Rule(driver.ConfigurationError, StoreUnavailableError, "the server cannot be used ({})"),
    _Rule(
        driver.OperationFailure,
        TransactionError,
        "the transaction was rolled back and nothing of it was written, try again ({})",
        _is_rolled_back,
    ),
    _Rule(driver.BulkWriteError, StoreError, _not_written),
    _Rule(
        driver.ExecutionTimeout,
        StoreUnavailableError,
        "the operation took too long, and the server ended it; raise mongodb_socket_timeout_ms",
    ),
    _Rule(driver.OperationFailure, StoreError, _refused),
    _Rule(driver.DocumentTooLarge, StoreError, "a document is larger than the 16 MB that MongoDB allows"),
    _Rule(driver.InvalidOperation, StoreClosedError, "its client was closed"),
    _Rule(Exception, StoreError, "{}"),
)
"""The first rule that applies to an error decides."""
