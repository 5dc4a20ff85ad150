"""What a document shows is played: its commands and its code run, from top to bottom, as a reader runs them.

    ```console     a session: each line behind "$ " is run, and prints what is shown below it
    ```python      runs, with the other Python of the document; prints the ```text behind it, or nothing
    ```js          is for the shell of MongoDB, and not run
    ```sh          is not run, but the commands of findingmodel in it must exist, with their options
    ```json, ```toml, ```yaml   must be well-formed

A line ``<!-- not run: REASON -->`` before a block excuses it. Where a document names ``mongodb://localhost:27017``,
a server of the tests stands in for it. To write anew what a document shows:

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
_EXCUSE = re.compile(r"<!-- not run: .+ -->\s*\Z")
_DIRECTIVE = re.compile(r"\{[\w:-]+\}")


class Block(NamedTuple):
    """A fenced block of a document.

    Attributes:
        language: the first word behind the fence.
        text: its lines.
        first, last: where those lines begin and end in the document, counted from 0; *last* is behind them.
        is_excused: whether the document says that it is not run.
    """

    language: str
    text: str
    first: int
    last: int
    is_excused: bool


def documents() -> list[str]:
    """The documents for users and contributors, as paths below the root of the repository."""
    docs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "scripts/README.md", "samples/README.md"]
    return [*(name for name in top if (ROOT / name).exists()), *docs]


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document; what Sphinx is told to put there is none."""
    lines = text.splitlines(keepends=True)
    found = []
    for token in MarkdownIt().parse(text):
        language = token.info.partition(" ")[0]
        if token.type == "fence" and token.map and not _DIRECTIVE.fullmatch(language):
            first, last = token.map[0] + 1, token.map[1] - 1
            before = "".join(lines[: token.map[0]])
            found.append(Block(language, token.content, first, last, bool(_EXCUSE.search(before))))
    return found


def sessions(block: Block) -> Iterator[tuple[str, str]]:
    """Every command of a session with its output."""
    for part in block.text.removeprefix(PROMPT).split("\n" + PROMPT):
        command, _, output = part.partition("\n")
        yield command, output


class Player:
    """Plays blocks one after another, in the current directory.

    Args:
        server: the URI that stands in for `LOCAL_SERVER`.
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
        """Return the session as it goes now."""
        now = "".join(f"{PROMPT}{command}\n{self._command(command)}" for command, _ in sessions(block))
        return "".join(f"{line.rstrip()}\n" for line in now.splitlines())

    def python(self, block: Block) -> str:
        """Run the code, and return what it prints."""
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
    """Return *text* with what its blocks print now."""
    lines = text.splitlines(keepends=True)
    parts: list[tuple[Block, str]] = []
    printed = ""
    with Player(server) as player:
        for block in blocks(text):
            if block.is_excused:
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
                assert not printed, f"nothing shows what the code prints: {printed}"
    for block, now in reversed(parts):
        lines[block.first : block.last] = [now]
    return "".join(lines)


def newcomer(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make *home* a directory with the samples, and an environment without settings or data."""
    isolate(patch, home)
    patch.setenv("COLUMNS", COLUMNS)
    patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    patch.setattr(Screen, "is_terminal", True)
    shutil.copytree(ROOT / "samples", home / "samples")
    patch.chdir(home)
    return home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a newcomer sits who reads a document, and tries what it shows."""
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


def _write_anew(paths: list[str]) -> None:
    """Write what documents show anew; one that needs MongoDB is given a server."""
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
    _write_anew(sys.argv[1:])
