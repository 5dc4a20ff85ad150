"""The one file that ``model show`` and ``model markdown`` read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from findingmodel.cli.reports import show_failed
from findingmodel.errors import Problem

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.model.finding import FindingModelFull

__all__ = ["file_argument", "parsed_model", "read_file"]

_STREAM = "-"
_MAX_BYTES = 20_000_000

file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)


def read_file(file: str) -> bytes:
    """Return the bytes of *file*, or of standard input; no more than show that it is too large."""
    if file == _STREAM:
        return sys.stdin.buffer.read(_MAX_BYTES + 1)
    with open(file, "rb") as opened:  # noqa: PTH123  # as click checked it
        return opened.read(_MAX_BYTES + 1)


def parsed_model(screen: Screen, file: str, data: bytes) -> FindingModelFull | None:
    """Return the model, or tell why there is none."""
    from findingmodel.model.parse import parse_model
    from findingmodel.sync.report import FileReport

    if len(data) > _MAX_BYTES:
        problem = Problem("", "too-large", f"the file has more than {_MAX_BYTES:,} bytes")
        show_failed(screen, [FileReport(file, (problem,))])
        return None
    parsed = parse_model(data)
    if parsed.model is None:
        show_failed(screen, [FileReport(file, parsed.problems)])
    for warning in parsed.warnings:
        screen.detail(f"warning: {file}: {warning}")
    return parsed.model
