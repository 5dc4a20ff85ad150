"""The documents say what is so: what they show is run, and what there is they name."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from findingmodel._version import __version__
from findingmodel.cli import cli
from findingmodel.cli.groups import LazyGroup
from findingmodel.cli.screen import Screen
from findingmodel.config import Settings
from tests.builders import make_model, model_bytes
from tests.servers import EXTERNAL_URI

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ["README.md", "CHANGELOG.md", "scripts/README.md", "samples/README.md"]
COLUMNS = "110"
PROMPT = "$ "


class Block(NamedTuple):
    """A fenced block of a document: its language and its lines."""

    language: str
    text: str


def blocks(document: str = README) -> list[Block]:
    return [
        Block(*found) for found in re.findall(r"^```(\w*)\n(.*?)^```$", document, re.DOTALL | re.MULTILINE)
    ]


def sessions() -> Iterator[tuple[str, str]]:
    """Every command that README shows with its output, and that output."""
    for block in blocks():
        if block.language == "console":
            for part in block.text.removeprefix(PROMPT).split("\n" + PROMPT):
                command, _, output = part.partition("\n")
                yield command, output


def shell_lines() -> list[str]:
    return [line for block in blocks() if block.language == "sh" for line in block.text.splitlines()]


def comparable(output: str) -> str:
    """*output* without what differs each time (durations) or with every improvement (scores)."""
    output = re.sub(r"\b\d+ ms\b|\b\d+\.\d s\b", "N ms", output)
    return "\n".join(re.sub(r"\b\d\.\d\d\b", "N.NN", line).rstrip() for line in output.splitlines())


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the samples, and an environment without settings or data."""
    for view in Settings().describe():
        for name in view.variables:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", COLUMNS)
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> str:
    """Run a line of the documents that begins with ``findingmodel``; return all that it writes."""
    program, *arguments = shlex.split(command)
    assert program == "findingmodel"
    result = CliRunner(catch_exceptions=False).invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("newcomer")
def test_the_commands_of_the_readme_print_what_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "is_terminal", True)
    shown = list(sessions())
    printed = [(command, run(command)) for command, _ in shown]
    assert [(c, comparable(o)) for c, o in printed] == [(c, comparable(o)) for c, o in shown]
    assert len(shown) >= 4


def test_the_python_code_of_the_readme_prints_what_it_says(newcomer: Path) -> None:
    code, expected = (
        next(block.text for block in blocks() if block.language == language)
        for language in ("python", "text")
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=newcomer, capture_output=True, text=True, check=False
    )
    assert (done.stderr, done.stdout) == ("", expected)


def test_there_is_one_block_of_python_and_one_of_what_it_prints() -> None:
    assert [block.language for block in blocks() if block.language in ("python", "text")] == [
        "python",
        "text",
    ]


def test_every_block_has_a_language_that_is_tested() -> None:
    assert {block.language for name in DOCUMENTS for block in blocks((ROOT / name).read_text())} <= {
        "console",
        "python",
        "sh",
        "text",
    }


def test_shell_commands_of_the_readme_are_commands() -> None:
    ours = [
        words[1:]
        for line in shell_lines()
        for part in line.split("&&")
        if (words := shlex.split(part)) and words[0].endswith("findingmodel")
    ]
    for words in ours:
        command, rest = resolve(words)
        command.make_context(command.name, rest)  # raises for options and arguments that it does not have
    assert len(ours) >= 3


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that *words* name, and the words after its name."""
    command: click.Command = cli
    while isinstance(command, LazyGroup):
        with click.Context(command) as context:
            _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    return command, words


def test_the_first_command_of_the_readme_is_made_of_what_ci_runs() -> None:
    first = next(line for line in shell_lines() if "venv" in line)
    assert "-c constraints.txt ." in first
    assert first.endswith('findingmodel search "collapsed lung"')
    assert "step scripts/test\n" in (ROOT / ".ci/run").read_text()
    assert "scripts/test" in shell_lines()


def test_scripts_that_the_readme_runs_can_be_run() -> None:
    named = {found for found in re.findall(r"\bscripts/\w+(?!\S*\.md)", README) if found != "scripts/README"}
    assert named
    for name in named:
        assert (ROOT / name).stat().st_mode & 0o100, f"{name} is not executable"


# what there is, is described


def commands(group: click.Command = cli, path: str = "findingmodel") -> Iterator[str]:
    """Every command there is, with its groups."""
    if not isinstance(group, LazyGroup):
        yield path
        return
    with click.Context(group) as context:
        for name in group.list_commands(context):
            yield from commands(group.resolve_command(context, [name])[1] or group, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands()))
def test_the_readme_names_every_command(command: str) -> None:
    assert re.search(rf"^\| `{command}\b", README, re.MULTILINE)


def test_the_readme_names_only_commands_and_options_that_exist() -> None:
    named = re.findall(r"`(findingmodel [a-z ]+[a-z])", README)
    assert {resolve(name.split()[1:])[0].name for name in named}
    options = set(re.findall(r"`(--[a-z-]+)", README)) - {"--help"}
    known = {
        option
        for name in commands()
        for parameter in resolve(name.split()[1:])[0].params
        for option in parameter.opts
    }
    assert options <= known


def test_every_variable_that_a_document_names_exists() -> None:
    known = {name for view in Settings().describe() for name in view.variables}
    known |= {EXTERNAL_URI, "_FINDINGMODEL_COMPLETE"}
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"\b_?(?:FINDINGMODEL|MONGODB)_[A-Z_]+", (ROOT / document).read_text())
    }
    assert named <= known


@pytest.mark.usefixtures("newcomer")
def test_config_describes_every_setting_as_the_readme_promises() -> None:
    facts = json.loads(run("findingmodel config --json"))
    for name in Settings.__dataclass_fields__.keys() - {"sources"}:
        assert {"value", "source", "help", "variables", "allowed"} <= facts[name].keys()
        assert facts[name]["help"]
        assert facts[name]["variables"]


def test_every_script_is_described_and_every_script_described_exists() -> None:
    described = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "scripts/README.md").read_text(), re.MULTILINE)
    there = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()} - {"README.md"}
    assert sorted(described) == sorted(there)


def test_the_changelog_has_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(__version__)}\b", changelog, re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md", "scripts/README.md"])
def test_files_that_a_document_names_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.]+/)+[\w.]+|[A-Z]+|constraints\.txt|docker-compose\.yml)`", text)
    made_later = {".venv/bin/findingmodel"}
    places = {"DIR", "KEY"}  # what a reader puts in
    assert [name for name in {*named} - made_later - places if not (ROOT / name).exists()] == []


# what the README says of bad files

GOOD = make_model(90)
BAD = {
    "not-json": b"{",
    "not-utf8": b'{"name": "\xff"}',
    "empty": b"",
    "not-object": b"[]",
    "missing": model_bytes(1, name=...),
    "wrong-type": model_bytes(2, name=7),
    "wrong-format": model_bytes(3, oifm_id="OIFM_1"),
    "not-finite": model_bytes(4, unheard_of=float("nan")),
    "lone-surrogate": rb'{"name": "\ud800"}',
    "nul-character": model_bytes(5, name="a\0b"),
    "too-deep": b"[" * 10_000,
    "too-large": b" " * 20_000_001,
    "duplicate-id": model_bytes(91, oifm_id=GOOD["oifm_id"]),
    "duplicate-name": model_bytes(92, name=GOOD["name"]),
    "duplicate-attribute-id": model_bytes(93, attributes=GOOD["attributes"]),
}
ODD = {"unknown-field": model_bytes(6, unheard_of=1), "bom": b"\xef\xbb\xbf" + model_bytes(7)}


def test_bad_files_fail_with_the_codes_that_the_readme_names(newcomer: Path) -> None:
    directory = newcomer / "defs"
    directory.mkdir()
    (directory / "a.fm.json").write_text(json.dumps(GOOD))
    for code, data in {**BAD, **ODD}.items():
        (directory / f"{code}.fm.json").write_bytes(data)
    (newcomer / "elsewhere.fm.json").write_bytes(model_bytes(8))
    (directory / "link.fm.json").symlink_to(newcomer / "elsewhere.fm.json")
    report = json.loads(CliRunner().invoke(cli, ["index", "check", str(directory), "--json"]).stdout)
    assert reported(report["failed"]) == {f"{code}.fm.json": {code} for code in [*BAD, "link"]}
    assert reported(report["warnings"]) == {f"{code}.fm.json": {code} for code in ODD}
    named = re.findall(r"`([a-z]+-?[a-z0-9]+(?:-[a-z]+)*)`", README.partition("## When something")[2])
    rest = {"unreadable", "moved"}  # root may read everything, so no file here is unreadable
    assert set(named) == {*BAD, *ODD, "link", *rest}


def reported(files: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {file["path"]: {problem["code"] for problem in file["problems"]} for file in files}
