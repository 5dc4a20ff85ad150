"""The options that all commands share."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from findingmodel import Index
from tests.cli.commands import COUNT, SAMPLES, commands, run
from tests.cli.test_terminal import STYLE, on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    import click

pytestmark = pytest.mark.slow

PRINTS_NO_JSON = {"completion", "mcp"}
OPENS_NO_INDEX = {"index check", "model check", "model rules", "model show", "model markdown", "completion"}
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
    ["index", "check", str(SAMPLES), "--lint"],
    ["index", "check", str(SAMPLES), "--lint", "--by-rule"],
    ["index", "collision", "adenoma", "MS", "collapsed lung", "nothing"],
    ["model", "rules", "unit-not-ucum", "title-case"],
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
    if command[:2] != ["index", "check"] or "--by-rule" in command:  # the output of others has a duration
        assert quiet.stdout == loud.stdout


def test_options_may_precede_the_command(db: Path) -> None:
    assert run("-q", "index", "get", "nothing", "--db", db).stderr == ""
    assert run("index", "get", "nothing", "--db", db).stderr == "not found: nothing\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--db", "DB", "index", "stats", "--json"],
        ["--db=DB", "--json", "index", "stats"],
        ["index", "--json", "--db", "DB", "stats"],
        ["--json", "index", "--db=DB", "--branch", "main", "stats"],
        ["-q", "--db", "DB", "--json", "index", "stats"],
    ],
    ids=" ".join,
)
def test_options_of_a_command_may_precede_it(words: list[str], filled: Path) -> None:
    result = run(*(word.replace("DB", str(filled)) for word in words))
    assert json.loads(result.stdout)["models"] == COUNT


def test_an_option_before_a_command_that_has_none_such_is_bad_usage() -> None:
    result = run("--db", "x.db", "index", "check", SAMPLES)
    assert (result.exit_code, "No such option '--db'" in result.stderr) == (2, True)


def test_the_last_of_two_options_counts(filled: Path) -> None:
    assert run("--db", "x.db", "index", "list", "--limit", 1, "--db", filled).stdout.count("\n") == 1


def test_a_variable_that_is_no_setting_is_told(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINDINGMODEL_BD", str(filled))
    monkeypatch.setenv("FINDINGMODEL_COLOUR", "red")
    result = run("index", "stats", "--db", filled)
    assert result.stderr.splitlines() == [
        "warning: environment FINDINGMODEL_BD sets nothing; did you mean FINDINGMODEL_DB?",
        "warning: environment FINDINGMODEL_COLOUR sets nothing; findingmodel config lists the settings",
    ]
    assert "FINDINGMODEL_BD" in run("index", "check", SAMPLES).stderr
    assert run("index", "stats", "--db", filled, "-q").stderr == ""
    monkeypatch.delenv("FINDINGMODEL_COLOUR")
    with pytest.warns(
        UserWarning, match="FINDINGMODEL_BD sets nothing; did you mean FINDINGMODEL_DB?"
    ) as told:
        Index("sqlite://")
    assert told[0].filename == __file__
