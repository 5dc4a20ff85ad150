"""The command, and other programs that import the package, as processes of their own."""

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
"""The command, of which any warning is an error."""

_SECONDS = 100
"""What a process may take; less than a test may, so that its output is told."""


def completed(
    *arguments: object,
    program: Sequence[object] = COMMAND,
    stdout: int | IO[str] = PIPE,
    **environment: str | None,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return how it ended.

    Args:
        arguments: of the program.
        program: how Python is told which it is; ``findingmodel`` by default.
        stdout: where its output goes.
        environment: variables beside those of the tests; None removes one.
    """
    return subprocess.run(
        _words(program, arguments),
        env=_environment(environment),
        stdout=stdout,
        stderr=PIPE,
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
    """Begin a program, and lend the process; it is killed with the block.

    Args:
        arguments: of the program.
        program: how Python is told which it is; ``findingmodel`` by default.
        stdin: where its input comes from.
        stdout: where its output goes.
        stderr: where its messages go.
        is_deaf: whether Ctrl-C is ignored, as a shell has it for what it runs in the background.
        environment: variables beside those of the tests; None removes one.
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
    """Handle Ctrl-C so: a child is deaf to it if its parent is, as tests in the background of a shell are."""
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
