"""Output on a terminal of 80 columns and 24 lines: tables, wrapped lines and progress bars."""

from __future__ import annotations

import contextlib
import os
import pty
import re
from typing import TYPE_CHECKING

import pytest

from tests.builders import make_number, write_model
from tests.cli.commands import SAMPLES, run
from tests.processes import begun, completed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

STYLE = re.compile(r"\x1b\[[0-9;]*m")
SIZE = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}


def on_terminal(*arguments: object, **environment: str) -> str:
    """Run a command on a pseudo-terminal and return its output."""
    ours, theirs = pty.openpty()
    terminal = {"NO_COLOR": None} | SIZE | environment
    with begun(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, **terminal) as process:
        os.close(theirs)
        written = b"".join(chunks(ours))
        process.wait()
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


def chunks(terminal: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # Linux raises it when the other end is closed
        while chunk := os.read(terminal, 65_536):
            yield chunk


def widest(written: str) -> int:
    return max(len(line) for line in STYLE.sub("", written).splitlines())


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "heading"),
    [
        (["index", "list"], ["id", "name", "file"]),
        (["search", "mass"], ["id", "name", "score", "found", "by"]),
        (["config"], ["setting", "value", "from"]),
    ],
    ids=["list", "search", "config"],
)
def test_tables_have_a_heading_and_fit(arguments: list[str], heading: list[str]) -> None:
    written = on_terminal(*arguments)
    assert STYLE.sub("", written).splitlines()[0].split() == heading
    assert widest(written) <= 80


@pytest.mark.usefixtures("db")
def test_an_entry_is_wrapped_without_losing_words() -> None:
    written = on_terminal("index", "get", "Breast mass")
    assert widest(written) < 80
    piped = completed("index", "get", "Breast mass", **SIZE)
    assert written.split() == piped.stdout.split()


def test_the_places_of_a_code_are_wrapped_too(tmp_path: Path) -> None:
    code = {"system": "RADLEX", "code": "RID5713"}
    name = " ".join(["angle"] * 12)
    write_model(tmp_path, "a.fm.json", attributes=[make_number(name=name, index_codes=[code])])
    assert run("index", "update", tmp_path, "--db", tmp_path / "x.db").exit_code == 0
    written = on_terminal("index", "get", "code:radlex:rid5713", "--db", tmp_path / "x.db")
    lines = written[written.index("code at") :].split()
    assert lines == ["code", "at", "attribute", "OIFMA_TEST_000011", *name.split()]
    assert widest(written) < 80


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("option", "environment"), [("--no-color", {}), ("-v", {"NO_COLOR": "1"})])
def test_styles_can_be_turned_off(option: str, environment: dict[str, str]) -> None:
    assert STYLE.search(on_terminal("search", "mass"))
    assert "\x1b" not in on_terminal("search", "mass", option, **environment)


def test_problems_fill_at_most_one_screen_without_verbose(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number:02}.fm.json").write_text("{")
    command = ("index", "check", tmp_path)
    written = on_terminal(*command)
    assert len(written.splitlines()) <= 24
    assert "more problems; -v or --json shows all" in written
    assert widest(written) < 80
    assert sum(line.endswith(".fm.json") for line in on_terminal(*command, "-v").splitlines()) == 60


def test_an_update_draws_a_bar_unless_quiet(tmp_path: Path) -> None:
    assert "indexing" in on_terminal("index", "update", SAMPLES, "--db", tmp_path / "x.db")
    assert "indexing" not in on_terminal("-q", "index", "update", SAMPLES, "--db", tmp_path / "y.db")


@pytest.mark.usefixtures("db")
def test_a_terminal_shows_similar_models_for_unknown_keys() -> None:
    lines = on_terminal("index", "get", "pneumothrax", "OIFMA_SMPL_000007", "xyzzy").splitlines()
    assert lines[0].startswith("not found: pneumothrax; nearest: Pneumothorax")
    assert lines[1:] == [
        "not found: OIFMA_SMPL_000007; it is an attribute of OIFM_SMPL_000002 (Pneumothorax)",
        "not found: xyzzy",
    ]
