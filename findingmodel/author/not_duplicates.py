"""Pairs of models that look alike and are not duplicates: a text file that a collection keeps under git.

Each line has two ids, and after ``#`` a comment:

    OIFM_TEST_000001 OIFM_TEST_000002  # solitary nodule, multiple nodules
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from findingmodel.errors import ConfigError
from findingmodel.model.rules import FINDING_ID_PATTERN
from findingmodel.runtime.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.records import EntryRow

Pair = frozenset[str]

_HEAD = "# Models that look alike and are not duplicates: two ids on each line.\n"


def read_pairs(path: Path) -> frozenset[Pair]:
    """Return the pairs of ids in the file *path*; none if it does not exist.

    Raises:
        ConfigError: the file cannot be read, or a line is not two ids and a comment.
    """
    return frozenset(_pairs(path, _text(path)))


def add_pair(path: Path, first: EntryRow, second: EntryRow) -> bool:
    """Add two models to the file *path*, and create it if it does not exist; return False if it has them.

    The file is replaced at once, so that no other line is ever lost.

    Raises:
        ConfigError: they are the same model, the file cannot be read, or a line is not valid.
        OSError: the file cannot be written.
    """
    one, other = sorted((first, second), key=lambda entry: entry["oifm_id"])
    pair = frozenset((one["oifm_id"], other["oifm_id"]))
    if len(pair) < 2:
        raise ConfigError(f"{one['oifm_id']} is one model: name two models that are not duplicates")
    text = _text(path)
    if pair in _pairs(path, text):
        return False
    names = ", ".join(" ".join(entry["name"].split()) for entry in (one, other))
    line = f"{one['oifm_id']} {other['oifm_id']}  # {names}\n"
    before = text or _HEAD
    replace_file(path, f"{before}{'' if before.endswith(chr(10)) else chr(10)}{line}".encode())
    return True


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _pairs(path: Path, text: str) -> set[Pair]:
    pairs: set[Pair] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        ids = line.partition("#")[0].split()
        if not ids:
            continue
        if len(ids) != 2 or not all(re.fullmatch(FINDING_ID_PATTERN, one) for one in ids):
            raise ConfigError(
                f"{path}, line {number}: write two ids such as OIFM_ABCD_123456, then # comment"
            )
        pairs.add(frozenset(ids))
    return pairs
