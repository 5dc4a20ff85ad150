"""Reports for other programs: annotations of GitHub Actions, and SARIF 2.1.0 for code scanning."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from findingmodel._version import __version__
from findingmodel.author.lint.rule import Level
from findingmodel.author.lint.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from findingmodel.author.lint.run import LintReport

_decode = json.JSONDecoder().raw_decode
_SPACE = " \t\r\n"
_GITHUB = {Level.ERROR: "error", Level.WARNING: "warning", Level.REVIEW: "notice"}
_SARIF = {Level.ERROR: "error", Level.WARNING: "warning", Level.REVIEW: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class _Located(NamedTuple):
    """A problem or a violation with its place in a file: path from the current directory, line, column."""

    path: str
    line: int
    column: int
    pointer: str
    level: Level
    code: str
    message: str


def github_annotations(report: LintReport) -> Iterator[str]:
    """Yield the commands that make GitHub Actions annotate the changed files, one for each line."""
    for found in _located(report):
        place = f"file={_property(found.path)},line={found.line},col={found.column}"
        title = f"title={_property(found.code)}"
        message = f"{found.pointer or '/'}: {found.message}"
        yield f"::{_GITHUB[found.level]} {place},{title}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(report: LintReport) -> dict[str, Any]:
    """Return the report as a SARIF log, ready for JSON."""
    results = [
        {
            "ruleId": found.code,
            "level": _SARIF[found.level],
            "message": {"text": found.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(found.path)},
                        "region": {"startLine": found.line, "startColumn": found.column},
                    },
                    "logicalLocations": [{"fullyQualifiedName": found.pointer or "/", "kind": "member"}],
                }
            ],
        }
        for found in _located(report)
    ]
    rules = [
        {
            "id": code,
            "shortDescription": {"text": rule.summary},
            "defaultConfiguration": {"level": _SARIF[rule.level]},
        }
        for code, rule in RULES.items()
    ]
    driver = {"name": "findingmodel", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _located(report: LintReport) -> Iterator[_Located]:
    for failed in report.check.failed:
        path = report.root / failed.path
        text = _text(path)
        for problem in failed.problems:
            place = locate(text, problem.pointer)
            yield _Located(_shown(path), *place, problem.pointer, Level.ERROR, problem.code, problem.message)
    for file in report.files:
        text = _text(file.file)
        for level, found in file.violations:
            place = locate(text, found.pointer)
            yield _Located(_shown(file.file), *place, found.pointer, level, found.code, found.message)


def _shown(path: Path) -> str:
    return os.path.relpath(path).replace(os.sep, "/")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def locate(text: str, pointer: str) -> tuple[int, int]:
    """Return the line and the column, from 1, of the place *pointer* in the JSON *text*.

    A place that does not exist has the position of the nearest one that contains it.

    >>> locate('{"name": "edema",\\n "tags": ["CT"]}', "/tags/0")
    (2, 11)
    """
    place = _after_space(text, 0)
    try:
        for token in pointer.split("/")[1:]:
            place = _member(text, place, token.replace("~1", "/").replace("~0", "~"))
    except (ValueError, LookupError):
        pass  # the position of what contains it is known
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)


def _after_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def _member(text: str, place: int, token: str) -> int:
    """Return where the member *token* of the object or list at *place* starts."""
    is_object = text[place] == "{"
    place = _after_space(text, place + 1)
    number = 0
    while text[place] not in "]}":
        name, place = _decode(text, place) if is_object else (str(number), place)
        if is_object:
            place = _after_space(text, _after_space(text, place) + 1)
        if name == token:
            return place
        _, place = _decode(text, place)
        place = _after_space(text, place)
        place = _after_space(text, place + 1) if text[place] == "," else place
        number += 1
    raise LookupError(token)
