"""The options that all commands share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import SAMPLES, commands, run
from tests.cli.test_terminal import STYLE, on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    import click

pytestmark = pytest.mark.slow

PRINTS_NO_JSON = {"completion", "mcp"}
OPENS_NO_INDEX = {"index check", "model show", "model markdown", "completion"}
OPENS_NO_INDEX |= {"model schema", "model export"}


@pytest.mark.parametrize(
    ("path", "command"), [(" ".join(words), command) for words, command in commands()], ids=str
)
def test_every_command_has_the_common_options(path: str, command: click.Command) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"-v", "--verbose", "-q", "--quiet", "--no-color"} <= options
    assert ("--json" in options) == (path not in PRINTS_NO_JSON)
    assert ({"--db", "--branch"} <= options) == (path not in OPENS_NO_INDEX)


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TABLES = [
    ["index", "list"],
    ["index", "tags"],
    ["index", "contributors"],
    ["index", "duplicates", "--min-score", "0.1"],
    ["index", "diff", str(SAMPLES)],
    ["index", "history"],
    ["index", "get", "MS"],
    ["index", "coverage"],
    ["index", "list", "--tag", "chest"],
    ["index", "check", str(SAMPLES)],
    ["model", "show", str(SAMPLES / "chest/pneumothorax.fm.json")],
    ["search", "mass"],
    ["config"],
]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("command", TABLES, ids=" ".join)
def test_no_color_prints_no_colours(command: list[str]) -> None:
    for plain in (on_terminal(*command, "--no-color"), on_terminal(*command, NO_COLOR="1")):
        assert plain.strip()
        assert not [
            style for style in STYLE.findall(plain) if not set(style[2:-1].split(";")) <= {"0", "1", "2"}
        ]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("command", TABLES, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(command: list[str]) -> None:
    written = CONTROL.sub("", on_terminal(*command))
    assert max(map(len, written.splitlines())) <= 80


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("command", TABLES, ids=" ".join)
def test_quiet_leaves_results_and_no_messages(command: list[str]) -> None:
    loud, quiet = run(*command), run(*command, "-q")
    assert quiet.stderr == ""
    if command[:2] != ["index", "check"]:  # its output has a duration
        assert quiet.stdout == loud.stdout


def test_options_may_precede_the_command(db: Path) -> None:
    assert run("-q", "index", "get", "nothing", "--db", db).stderr == ""
    assert run("index", "get", "nothing", "--db", db).stderr == "not found: nothing\n"
