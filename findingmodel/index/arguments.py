"""What callers of an Index pass: checks that name the argument, what it must be, and what it is.

Annotations do not hold at run time. Without these checks a wrong value fails far from its cause, or not at
all: ``tags="chest"`` would ask for the tags c, h, e, s and t.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from findingmodel.errors import ConfigError, DirectoryError, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN_LENGTH = 60


def check_text(name: str, value: Any) -> str:
    """Return *value*, the argument *name*, if it is text.

    Raises:
        QueryError: it is not.

    >>> check_text("query", None)
    Traceback (most recent call last):
    findingmodel.errors.QueryError: query must be text, not None
    """
    if not isinstance(value, str):
        raise QueryError(f"{name} must be text, not {_shown(value)}")
    return value


def check_texts(name: str, values: Any) -> list[str]:
    """Return the items of *values*, the argument *name*, if it is a list of texts or the like; None is empty.

    Raises:
        QueryError: it is not.
    """
    if isinstance(values, str):
        raise QueryError(f"{name} must be a list of texts: for one write [{_shown(values)}]")
    items = check_items(name, () if values is None else values)
    for place, item in enumerate(items):
        check_text(f"{name}[{place}]", item)
    return items


def check_items(name: str, values: Iterable[Any] | Any) -> list[Any]:
    """Return the items of *values*, the argument *name*, if it has items that can be keys of a dict.

    Raises:
        QueryError: it has not.
    """
    try:
        return list(dict.fromkeys(values))
    except TypeError:
        raise QueryError(f"{name} must be a list of texts, not {_shown(values)}") from None


def check_page(limit: Any, offset: Any = 0) -> None:
    """Check that *limit* and *offset* select a page.

    Raises:
        QueryError: *limit* is not a whole number from 1 on, or *offset* not one from 0 on.
    """
    for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise QueryError(f"{name} must be a whole number, not {_shown(value)}")
        if value < least:
            raise QueryError(f"{name} must be at least {least}, not {value}")


def check_seconds(name: str, value: Any) -> float:
    """Return *value*, the argument *name*, if it is a number of seconds.

    Raises:
        ConfigError: it is not, or is negative.
    """
    if not isinstance(value, int | float) or not value >= 0:  # NaN is not
        raise ConfigError(f"{name} must be a number of seconds, not {_shown(value)}")
    return value


def check_path(name: str, value: Any) -> Path:
    """Return *value*, the argument *name*, as a path.

    Raises:
        DirectoryError: it is none.
    """
    if not isinstance(value, str | os.PathLike) or "\0" in str(value):
        raise DirectoryError(f"{name} must be a path, not {_shown(value)}")
    return Path(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
