"""Every error that findingmodel raises, and `Problem`, which is bad input as a value.

    FindingModelError
    ├── ConfigError                 a setting, an option or a database URL cannot be used        (exit code 2)
    ├── QueryError                  a query that cannot be understood                            (exit code 2)
    ├── DirectoryError              the directory to index is missing or is not a directory      (exit code 2)
    ├── DocumentError               a file is no valid finding model; carries its problems
    ├── NotFoundError               nothing in the index has this id, name, slug or synonym
    ├── UpdateRefusedError          an update would remove too much, or was strict and had failures
    └── StoreError                  the database failed                                          (exit code 3)
        ├── StoreUnavailableError   no server answered in time, or the file cannot be opened
        ├── StoreClosedError        used after close()
        ├── StoreSchemaError        written by a newer version, or by another program
        ├── LeaseHeldError          another update is running; names who holds the lease
        ├── NotWrittenError         some models of a batch were not written; says which, and why
        └── TransactionError        no transaction is to be had here, or one was given up

Each message says what was being done, to what, and why it failed. None ever holds a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ConfigError",
    "DirectoryError",
    "DocumentError",
    "FindingModelError",
    "LeaseHeldError",
    "NotFoundError",
    "NotWrittenError",
    "Problem",
    "QueryError",
    "StoreClosedError",
    "StoreError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "TransactionError",
    "UpdateRefusedError",
]


class Problem(NamedTuple):
    """One broken rule in one file.

    Attributes:
        pointer: where, as a JSON pointer (RFC 6901) into the file; "" is the whole file.
        code: which rule, a stable word such as ``duplicate-name``.
        message: why, and what to do, in one sentence for a person.
    """

    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message} [{self.code}]"


class FindingModelError(Exception):
    """The root of all errors of this package; its text is the sentence a user needs."""


class ConfigError(FindingModelError, ValueError):
    """A setting, an option or a database URL cannot be used."""


class QueryError(FindingModelError, ValueError):
    """A query that cannot be understood."""


class DirectoryError(FindingModelError, ValueError):
    """The directory to index is missing, is not a directory, or cannot be listed."""


class DocumentError(FindingModelError, ValueError):
    """A file is no valid finding model.

    Attributes:
        path: the file, as it was named by the caller.
        problems: every broken rule, in the order of the file.
    """

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: " + "; ".join(str(problem) for problem in self.problems))


class NotFoundError(FindingModelError, KeyError):
    """Nothing in the index has this id, name, slug or synonym."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class UpdateRefusedError(FindingModelError):
    """An update was refused before anything was written; the index is as it was."""


class StoreError(FindingModelError):
    """The database failed."""


class StoreUnavailableError(StoreError):
    """No server answered in time, or the database file cannot be opened or written."""


class StoreClosedError(StoreError):
    """A store or an Index was used after it was closed."""


class StoreSchemaError(StoreError):
    """The database was written by a newer version of findingmodel, or by another program."""


class LeaseHeldError(StoreError):
    """Another update is running; the message names who holds the lease."""


class NotWrittenError(StoreError):
    """Some models of a batch were not written; all the others were, and nothing was removed.

    Attributes:
        reasons: why, by the ids of those models.
    """

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(message)


class TransactionError(StoreError):
    """No transaction is to be had here, or the one that was begun was given up: nothing of it was written."""
