"""The errors that findingmodel raises, and `Problem`, which describes a broken rule in a file.

    FindingModelError
    ├── ConfigError                 a setting, an option or a database URL cannot be used        (exit code 2)
    ├── QueryError                  a query is not valid                                         (exit code 2)
    ├── DirectoryError              the directory to index is missing or is not a directory      (exit code 2)
    ├── DocumentError               a file is not a valid finding model; has its problems
    │   └── MissingFileError        the file, or its directory, does not exist
    ├── EditError                   an edit of a file does not apply to it; nothing was written
    ├── NotFoundError               nothing in the index has this id, name, slug or synonym
    ├── EventLoopError              an Index is used in two event loops at the same time
    ├── UpdateRefusedError          an update would remove too much, or was strict and had failures
    └── StoreError                  the database failed                                          (exit code 3)
        ├── StoreUnavailableError   no server answered in time, or the file cannot be opened
        ├── StoreClosedError        a store or an Index was used after close()
        ├── StoreSchemaError        the database was written by a newer version or another program
        ├── LeaseHeldError          another update is running; names the process that holds the lease
        ├── NotWrittenError         some models of a batch were not written; has the reasons
        └── TransactionError        transactions are not supported here, or one was rolled back

Messages name the operation, its object and the reason of the failure. They never contain passwords.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ConfigError",
    "DirectoryError",
    "DocumentError",
    "EditError",
    "EventLoopError",
    "FindingModelError",
    "LeaseHeldError",
    "MissingFileError",
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
    """A broken rule in a file.

    Attributes:
        pointer: the place, as a JSON pointer (RFC 6901); "" is the whole file.
        code: the rule, as a stable word such as ``duplicate-name``.
        message: what is wrong and how to correct it, in one sentence.
    """

    pointer: str
    code: str
    message: str

    def __str__(self) -> str:
        place = f"{self.pointer}: " if self.pointer else ""  # of the whole file, the path says enough
        return f"{place}{self.message} [{self.code}]"


class FindingModelError(Exception):
    """Base class of the errors of this package; its text is a sentence for users."""


class ConfigError(FindingModelError, ValueError):
    """A setting, an option or a database URL cannot be used."""


class QueryError(FindingModelError, ValueError):
    """A query is not valid."""


class DirectoryError(FindingModelError, ValueError):
    """The directory to index is missing, is not a directory, or cannot be listed."""


class DocumentError(FindingModelError, ValueError):
    """A file is not a valid finding model.

    Attributes:
        path: the file, as the caller named it.
        problems: all broken rules, in the order of the file.
    """

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        super().__init__(f"{path}: " + "; ".join(str(problem) for problem in self.problems))


class MissingFileError(DocumentError, FileNotFoundError):
    """The file of a finding model, or its directory, does not exist."""


class EditError(FindingModelError, ValueError):
    """An edit does not apply to a file, or would make it clash with another; nothing was written."""


class NotFoundError(FindingModelError, KeyError):
    """Nothing in the index has this id, name, slug or synonym."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class EventLoopError(FindingModelError, RuntimeError):
    """An Index was used in an event loop while another event loop, which has used it, is running."""


class UpdateRefusedError(FindingModelError):
    """An update was refused before anything was written; the index is unchanged."""


class StoreError(FindingModelError):
    """The database failed."""


class StoreUnavailableError(StoreError):
    """No server answered in time, or the database file cannot be opened or written."""


class StoreClosedError(StoreError):
    """A store or an Index was used after it was closed."""


class StoreSchemaError(StoreError):
    """The database was written by a newer version of findingmodel, or by another program."""


class LeaseHeldError(StoreError):
    """Another update is running; the message names the process that holds the lease."""


class NotWrittenError(StoreError):
    """Some models of a batch were not written; the others were, and nothing was removed.

    Attributes:
        reasons: why each was not written, by id.
    """

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(message)


class TransactionError(StoreError):
    """Transactions are not supported here, or one was rolled back and nothing of it was written."""
