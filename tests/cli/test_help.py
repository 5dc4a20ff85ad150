"""Help, version, bad usage and `config`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from findingmodel._version import __version__
from findingmodel.cli.main import cli
from findingmodel.settings import Settings
from tests.cli.commands import answer, commands, run

if TYPE_CHECKING:
    from pathlib import Path

    import click


def test_help_shows_the_groups() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in ("index", "search", "config", "Exit codes"):
        assert name in result.stdout


def test_the_version_is_printed() -> None:
    assert run("--version").stdout == f"findingmodel {__version__}\n"


@pytest.mark.parametrize("command", [words for words, _ in commands(groups=True) if words], ids=" ".join)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert command[-1] in run(*command[:-1], "--help").stdout
    assert "Examples:" in result.stdout


FAMILIES = {
    **dict.fromkeys(("model check", "model rules"), "lint"),
    **dict.fromkeys(("index tags", "index contributors", "index branches"), "list"),
    "index history": "stats",
    "model draft": "draft",
    "model apply": "curate",
    **dict.fromkeys(("model schema", "model export", "model import"), "interchange"),
    **dict.fromkeys(("tags", "contributors"), "curate"),
    **dict.fromkeys(
        (
            f"model {name}"
            for name in (
                *("rename", "add-synonym", "add-attribute", "add-value"),
                *("change-from-prior", "merge", "deprecate"),
            )
        ),
        "edit",
    ),
}
"""Commands defined in the file of another command; the others have a file named after them or their group."""


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=str)
def test_every_command_is_in_the_file_of_its_family(words: tuple[str, ...], command: click.Command) -> None:
    own = words[1] if words[0] == "index" else words[0]
    family = FAMILIES.get(" ".join(words[:2]), FAMILIES.get(words[0], own))
    assert command.callback is not None
    assert command.callback.__module__ == f"findingmodel.cli.{family}"


@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        (
            "findingmodel ",
            1,
            {"index", "search", "report", "model", "tags", "contributors", "mcp", "config", "completion"},
        ),
        ("findingmodel index export ", 3, {"markdown", "ids", "jsonl", "csv", "fhir", "radelement"}),
        ("findingmodel index update --dr", 3, {"--dry-run"}),
        ("findingmodel index list --sort ", 4, {"name", "oifm_id", "filename"}),
    ],
)
def test_a_shell_can_complete_commands_and_options(words: str, number: int, expected: set[str]) -> None:
    asked = {"_FINDINGMODEL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
    result = CliRunner().invoke(cli, prog_name="findingmodel", env=asked)
    assert {line.removeprefix("plain,") for line in result.stdout.splitlines()} == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["index", "bogus"],
        ["index", "get"],
        ["search"],
        ["search", "x", "--limit", "0"],
        ["index", "list", "--sort", "colour"],
        ["index", "update", "missing"],
        ["index", "check", "missing"],
        ["search", "x", "--db", "mysql://me:hunter2@host/x"],
        ["search", "x", "--branch", "../up"],
        ["search", "x", "--db", "findings"],
        ["config", "--db", "findings"],
        ["mcp", "--port", "8750"],
        ["mcp", "--http", "--port", "70000"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_exit_2_and_a_message_on_stderr_alone(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert "hunter2" not in result.stderr


def test_a_file_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "x.fm.json").write_text("{}")
    result = run("index", "update", tmp_path / "x.fm.json")
    assert result.exit_code == 2
    assert "is a file" in result.stderr


def test_config_shows_value_and_source_of_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://me:hunter2@host/x")
    facts = answer("config", "--branch", "dev")
    assert facts["db"]["value"] == "mongodb://me:***@host/x"
    assert facts["db"]["source"] == "environment MONGODB_URI"
    assert (facts["branch"]["value"], facts["branch"]["source"]) == ("dev", "argument")
    assert (facts["concurrency"]["value"], facts["concurrency"]["source"]) == (2, "default")
    text = run("config").stdout
    assert "db\tmongodb://me:***@host/x\tenvironment MONGODB_URI\n" in text
    assert len(text.splitlines()) == len(Settings().describe()) == len(facts)
    assert "hunter2" not in text + json.dumps(facts)
