"""Run the command, and other programs that import the package, in processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["COMMAND", "ROOT", "STRICT", "begun", "completed"]

ROOT = Path(__file__).parent.parent
COMMAND = ("-m", "findingmodel")
STRICT = ("-W", "error", *COMMAND)
"""The command, with warnings as errors."""

_SECONDS = 100
"""Timeout of a process; shorter than that of a test, so that its output is reported."""


def completed(
    *arguments: object,
    program: Sequence[object] = COMMAND,
    stdout: int | IO[str] = PIPE,
    stderr: int | IO[str] = PIPE,
    **environment: str | None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and return its exit code and output.

    Args:
        arguments: the arguments of the program.
        program: the arguments of Python that name it; ``findingmodel`` by default.
        stdout: where its output goes.
        stderr: where its messages go.
        environment: additional variables; None removes one.
    """
    return subprocess.run(
        _words(program, arguments),
        env=_environment(environment),
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        check=False,
        timeout=_SECONDS,
    )


@contextmanager
def begun(
    *arguments: object,
    program: Sequence[object] = COMMAND,
    stdin: int | None = None,
    stdout: int = PIPE,
    stderr: int = PIPE,
    is_deaf: bool = False,
    **environment: str | None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program for the length of the block, and kill it at the end.

    Args:
        arguments: the arguments of the program.
        program: the arguments of Python that name it; ``findingmodel`` by default.
        stdin: where its input comes from.
        stdout: where its output goes.
        stderr: where its messages go.
        is_deaf: whether Ctrl-C is ignored, as in background processes of a shell.
        environment: additional variables; None removes one.
    """
    with _sigint(signal.SIG_IGN if is_deaf else signal.default_int_handler):
        process = subprocess.Popen(
            _words(program, arguments),
            env=_environment(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
        )
    with process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def _sigint(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Set the handler of Ctrl-C: a child inherits it, and tests in the background of a shell ignore it."""
    former = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _words(program: Sequence[object], arguments: Sequence[object]) -> list[str]:
    return [sys.executable, *map(str, program), *map(str, arguments)]


def _environment(changes: dict[str, str | None]) -> dict[str, str]:
    changed = os.environ | {"PYTHONPATH": str(ROOT)} | changes
    return {name: value for name, value in changed.items() if value is not None}
