"""Files that break real indexes, each with the problem that must be reported."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from tests.builders import make_model, make_number, model_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["BROKEN", "ODD", "Case"]


class Case(NamedTuple):
    """A way to break the file of model 7, and the problem that results.

    Attributes:
        spoil: writes the broken file, whatever was there.
        pointer: where the problem is.
        code: the problem's code.
    """

    spoil: Callable[[Path], object]
    pointer: str
    code: str


def _bytes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _text(before: str, after: str) -> Callable[[Path], object]:
    """Write the file with *after* in place of *before*."""
    text = model_bytes(7).decode()
    assert before in text
    return _bytes(text.replace(before, after).encode())


def _model(**changes: object) -> Callable[[Path], object]:
    return _bytes(model_bytes(7, **changes))


def _large(path: Path) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(50_000_000)


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _link(target: str) -> Callable[[Path], object]:
    def spoil(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return spoil


BROKEN = {
    "not JSON": Case(_bytes(b'{"name": '), "", "not-json"),
    "not UTF-8": Case(_bytes(model_bytes(7).replace(b"rounded", b"r\xf6unded")), "", "not-utf8"),
    "empty": Case(_bytes(b""), "", "empty"),
    "a list": Case(_bytes(b"[]"), "", "not-object"),
    "50 MB": Case(_large, "", "too-large"),
    "nested 10,000 deep": Case(_bytes(b'{"a":' * 10_000 + b"1" + b"}" * 10_000), "", "too-deep"),
    "NaN": Case(_text("30.5", "NaN"), "/attributes/1/maximum", "not-finite"),
    "Infinity": Case(_text("30.5", "-Infinity"), "/attributes/1/maximum", "not-finite"),
    "half a surrogate pair": Case(_text("A rounded", r"A \ud800 rounded"), "/description", "lone-surrogate"),
    "NUL": Case(_text("A rounded", r"A \u0000 rounded"), "/description", "nul-character"),
    "a field missing": Case(_model(name=...), "/name", "missing"),
    "a field of the wrong type": Case(_model(tags="CT"), "/tags", "wrong-type"),
    "an id that is none": Case(_model(oifm_id="7"), "/oifm_id", "wrong-format"),
    "the id of another": Case(_model(oifm_id=make_model(3)["oifm_id"]), "/oifm_id", "duplicate-id"),
    "a name that differs in case": Case(_model(name="Pulmonary NODULE of type 3"), "/name", "duplicate-name"),
    "the attribute of another": Case(
        _model(attributes=[make_number(31)]), "/attributes/0/oifma_id", "duplicate-attribute-id"
    ),
    "a pipe": Case(_pipe, "", "not-a-file"),
    "a link out of the directory": Case(_link("/etc/hostname"), "", "link"),
    "a link that leads nowhere": Case(_link("nowhere.fm.json"), "", "link"),
}
"""What fails."""

ODD = {
    "a byte order mark": Case(_bytes(b"\xef\xbb\xbf" + model_bytes(7)), "", "bom"),
    "unknown fields with $ and .": Case(_model(**{"$set": {"a.b": 1}}), "/$set", "unknown-field"),
    "an integer beyond 64 bits": Case(
        _bytes(json.dumps(make_model(7) | {"huge": 2**200}).encode()), "/huge", "unknown-field"
    ),
}
"""What is indexed with a warning."""
