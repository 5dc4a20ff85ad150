"""Run the commands and the code in a document, from top to bottom, and compare or refresh their output.

    ```console     a session: each line after "$ " is run, and prints the lines below it
    ```python      is run, together with the other Python of the document; prints the ```text after it
    ```js          is for the shell of MongoDB, and not run
    ```sh          is not run, but its findingmodel commands must exist, with their options
    ```json, ```toml, ```yaml   must be well-formed

A line ``<!-- not run: REASON -->`` before a block excludes it. A test server replaces
``mongodb://localhost:27017``. To refresh the output in a document:

    .venv/bin/python -m tests.docs.documents docs/tutorial.md
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

from findingmodel.cli.main import cli
from findingmodel.cli.screen import Screen
from tests.environment import isolate

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "LOCAL_SERVER",
    "ROOT",
    "Block",
    "Player",
    "blocks",
    "documents",
    "home",
    "newcomer",
    "play",
    "sessions",
]

ROOT = Path(__file__).parent.parent.parent
LOCAL_SERVER = "mongodb://localhost:27017"
COLUMNS = "110"
PROMPT = "$ "
_EXCLUSION = re.compile(r"<!-- not run: .+ -->\s*\Z")
_DIRECTIVE = re.compile(r"\{[\w:-]+\}")


class Block(NamedTuple):
    """A fenced block of a document.

    Attributes:
        language: the first word after the fence.
        text: its lines.
        first, last: the range of those lines in the document, from 0, without *last*.
        is_excluded: whether the document excludes it from running.
    """

    language: str
    text: str
    first: int
    last: int
    is_excluded: bool


def documents() -> list[str]:
    """Return the documents for users and contributors, as paths below the root of the repository."""
    docs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "scripts/README.md", "samples/README.md"]
    return [*(name for name in top if (ROOT / name).exists()), *docs]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a document, without directives of Sphinx."""
    lines = text.splitlines(keepends=True)
    found = []
    for token in MarkdownIt().parse(text):
        language = token.info.partition(" ")[0]
        if token.type == "fence" and token.map and not _DIRECTIVE.fullmatch(language):
            first, last = token.map[0] + 1, token.map[1] - 1
            before = "".join(lines[: token.map[0]])
            found.append(Block(language, token.content, first, last, bool(_EXCLUSION.search(before))))
    return found


def sessions(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a session with its output."""
    for part in block.text.removeprefix(PROMPT).split("\n" + PROMPT):
        command, _, output = part.partition("\n")
        yield command, output


class Player:
    """Run blocks one after another, in the current directory.

    Args:
        server: the URI that replaces `LOCAL_SERVER`.
    """

    def __init__(self, server: str = LOCAL_SERVER) -> None:
        self._server = server
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._runner = asyncio.Runner()

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def session(self, block: Block) -> str:
        """Return the session with its current output."""
        now = "".join(f"{PROMPT}{command}\n{self._command(command)}" for command, _ in sessions(block))
        return "".join(f"{line.rstrip()}\n" for line in now.splitlines())

    def python(self, block: Block) -> str:
        """Run the code and return its output."""
        printed = io.StringIO()
        code = compile(self._here(block.text), "<document>", "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                self._runner.run(eval(code, self._names))
            else:
                exec(code, self._names)
        return self._there(printed.getvalue())

    def _command(self, line: str) -> str:
        words = shlex.split(self._here(line))
        if words[0] == "export":
            os.environ.update([words[1].split("=", 1)])
            return ""
        if words[0] == "cd":
            os.chdir(words[1])
            return ""
        if words[0] == "findingmodel" and not {"|", ">", ">>", "&&", ";"} & set(words):
            return self._there(CliRunner(catch_exceptions=False).invoke(cli, words[1:]).output)
        return self._there(_shell(self._here(line)))

    def _here(self, text: str) -> str:
        return text.replace(LOCAL_SERVER, self._server)

    def _there(self, text: str) -> str:
        return text.replace(self._server, LOCAL_SERVER)


def play(text: str, server: str = LOCAL_SERVER) -> str:
    """Return *text* with the current output of its blocks."""
    lines = text.splitlines(keepends=True)
    parts: list[tuple[Block, str]] = []
    printed = ""
    with Player(server) as player:
        for block in blocks(text):
            if block.is_excluded:
                continue
            if block.language == "console":
                parts.append((block, player.session(block)))
            elif block.language == "python":
                printed = player.python(block)
            elif block.language == "text" and printed:
                parts.append((block, printed))
                printed = ""
            else:
                _check_form(block)
            if block.language != "python":
                assert not printed, f"the document does not show the output: {printed}"
    for block, now in reversed(parts):
        lines[block.first : block.last] = [now]
    return "".join(lines)


def newcomer(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Prepare *home* with the samples, and an environment without settings or data."""
    isolate(patch, home)
    patch.setenv("COLUMNS", COLUMNS)
    patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    patch.setattr(Screen, "is_terminal", True)
    shutil.copytree(ROOT / "samples", home / "samples")
    patch.chdir(home)
    return home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory and environment of a new user."""
    return newcomer(tmp_path, monkeypatch)


def _shell(line: str) -> str:
    done = subprocess.run(
        ["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def _check_form(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "yaml":
        yaml.safe_load(block.text)


def _refresh(paths: list[str]) -> None:
    """Refresh the output in documents; start a server for those that need MongoDB."""
    from tests.servers import running

    for path in map(Path, paths):
        whole, text = path.resolve(), path.read_text(encoding="utf-8")
        with (
            tempfile.TemporaryDirectory() as home,
            pytest.MonkeyPatch.context() as patch,
            running("secantus") if LOCAL_SERVER in text else contextlib.nullcontext() as server,
        ):
            newcomer(Path(home), patch)
            whole.write_text(play(text, server.uri if server else LOCAL_SERVER), encoding="utf-8")


if __name__ == "__main__":
    _refresh(sys.argv[1:])
