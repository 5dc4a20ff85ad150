"""Text for people: nothing that a name holds may steer a terminal or pass for something else."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["counted", "one_line", "safe_json", "to_json", "visible"]

# Control characters (C0, DEL, C1), marks that reorder or hide text, line separators and lone surrogates.
# These patterns are compiled by `re` when something may be unsafe: that takes a hundredth of most commands.
_UNSAFE = (
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_UNSAFE_IN_JSON = r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def visible(text: str) -> str:
    """Return *text* with every character that would act rather than show written as an escape.

    >>> print(visible("red \\x1b[31m alert"))
    red \\x1b[31m alert
    """
    if text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """Return *text* with runs of white space made one space, and the rest `visible`."""
    return visible(" ".join(text.split()))


def to_json(value: Any) -> str:
    """Return *value* as one JSON document that is safe to print."""
    return safe_json(json.dumps(value, ensure_ascii=False, indent=2))


def safe_json(document: str) -> str:
    """Return the JSON text *document* with the same meaning, and nothing in it that a terminal would obey.

    >>> print(safe_json('["caf\\u00e9 \\x9b31m"]'))
    ["café \\u009b31m"]
    """
    if document.isascii() and "\x7f" not in document:
        return document
    return re.sub(_UNSAFE_IN_JSON, lambda match: f"\\u{ord(match[0]):04x}", document)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "file"), counted(2382, "file"), counted(2, "entry")
    ('1 file', '2,382 files', '2 entries')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else plural}"
