"""Documents are correct and complete: their examples run, and they name every command, setting and script."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pymongo
import pytest
from click.testing import CliRunner

import findingmodel
from findingmodel._version import __version__
from findingmodel.cli.main import cli
from findingmodel.settings import Settings
from tests.builders import make_model, model_bytes
from tests.cli.commands import commands
from tests.docs.documents import LOCAL_SERVER, ROOT, blocks, documents, home, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

__all__ = ["home"]  # pytest finds fixtures by name

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = documents()
PLAYED_ELSEWHERE = {"docs/howto/agents.md": "test_howto.py", "docs/howto/notebook.md": "test_howto.py"}
LANGUAGES = {"console", "js", "json", "python", "sh", "text", "toml", "yaml"}


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def shell_lines(text: str = README) -> list[str]:
    return [line for block in blocks(text) if block.language == "sh" for line in block.text.splitlines()]


def comparable(text: str) -> list[str]:
    """Return the lines of *text* without times, new ids, generations and scores."""
    text = re.sub(
        r"\b(OIFMA?_[A-Z]{3,4})_(?!0000)\d{6}\b", r"\1_NNNNNN", text
    )  # ids of samples start with 0000
    text = re.sub(r"(?m)^(generation +)\d+$", r"\1N", text)  # starts at random
    text = re.sub(r"\b\d+ ms\b|\b\d+\.\d s\b", "N ms", text)
    text = re.sub(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?", "TIME", text)
    return [re.sub(r"\b\d\.\d{2,9}\b", "N.NN", line).rstrip() for line in text.splitlines()]


def run(command: str) -> str:
    """Run a line that starts with ``findingmodel``; return its output."""
    result = CliRunner(catch_exceptions=False).invoke(cli, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    return result.output


def played() -> list[str]:
    """Return the documents that are run here; the others have their own test."""
    here = Path(__file__).parent
    return [name for name in DOCUMENTS if not (here / PLAYED_ELSEWHERE.get(name, "-")).exists()]


def needs_server(document: str) -> bool:
    played = [
        block for block in blocks(text_of(document)) if block.language != "sh" and not block.is_excluded
    ]
    return any(LOCAL_SERVER in block.text for block in played)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("document", [name for name in played() if not needs_server(name)])
def test_what_a_document_shows_is_what_happens(document: str) -> None:
    shown = text_of(document)
    assert comparable(play(shown)) == comparable(shown)


@pytest.mark.mongo
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("document", [name for name in played() if needs_server(name)])
def test_what_a_document_shows_is_what_happens_with_mongodb(document: str, secantus: Server) -> None:
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        client.drop_database("findingmodels")
    shown = text_of(document)
    assert comparable(play(shown, secantus.uri)) == comparable(shown)


def test_the_readme_shows_the_command_line_and_python() -> None:
    assert {"console", "python", "text"} <= {block.language for block in blocks(README)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_has_a_language_that_is_tested(document: str) -> None:
    assert {block.language for block in blocks(text_of(document)) if not block.is_excluded} <= LANGUAGES


@pytest.mark.parametrize("document", DOCUMENTS)
def test_shell_commands_of_a_document_are_commands(document: str) -> None:
    for words in our_commands(text_of(document)):
        command, rest = resolve(words)
        if not isinstance(command, click.Group):
            command.make_context(command.name, rest, resilient_parsing="--help" in rest)


def our_commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every findingmodel command in the shell lines of a document."""
    for line in shell_lines(text):
        for part in re.split(r"&&|[|;]", line):
            words = shlex.split(part, comments=True)
            if words[:1] == ["xargs"]:
                words = [*words[2:], "."]  # after its option; its input becomes arguments
            if words and words[0].endswith("findingmodel"):
                yield ["." if word == "defs" else word for word in words[1:]]  # a directory that exists


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that *words* name, and the remaining words."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        with click.Context(command) as context:
            _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    return command, words


def test_the_first_command_of_the_readme_is_tested_by_ci() -> None:
    first = next(line for line in shell_lines() if "venv" in line)
    assert "-c constraints.txt ." in first
    assert first.endswith('findingmodel search "collapsed lung"')
    assert "step scripts/test\n" in (ROOT / ".ci/run").read_text()
    assert "scripts/test" in shell_lines()


def test_scripts_in_the_readme_are_executable() -> None:
    named = {found for found in re.findall(r"\bscripts/\w+(?!\S*\.md)", README) if found != "scripts/README"}
    assert named
    for name in named:
        assert (ROOT / name).stat().st_mode & 0o100, f"{name} is not executable"


# every command, setting and script is described


COMMANDS = [" ".join(("findingmodel", *words)) for words, _ in commands()]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command(command: str) -> None:
    assert re.search(rf"^\| `{command}\b", README, re.MULTILINE)


def test_the_readme_names_only_commands_and_options_that_exist() -> None:
    named = re.findall(r"`(findingmodel(?: [a-z]+(?:-[a-z]+)*)+)", README)
    assert {resolve(name.split()[1:])[0].name for name in named}
    options = set(re.findall(r"`(--[a-z-]+)", README)) - {"--help"}
    known = {
        option
        for name in COMMANDS
        for parameter in resolve(name.split()[1:])[0].params
        for option in parameter.opts
    }
    assert options <= known


def test_every_variable_that_a_document_names_exists() -> None:
    known = {name for view in Settings().describe() for name in view.variables}
    known |= {"_FINDINGMODEL_COMPLETE"}
    for path in (ROOT / "tests").rglob("*.py"):
        known |= set(re.findall(r"\bFINDINGMODEL_TEST_[A-Z_]+", path.read_text(encoding="utf-8")))
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"\b_?(?:FINDINGMODEL|MONGODB)_[A-Z_]+", (ROOT / document).read_text())
    }
    assert named <= known


@pytest.mark.usefixtures("home")
def test_config_describes_every_setting_as_the_readme_promises() -> None:
    facts = json.loads(run("findingmodel config --json"))
    for name in Settings.__dataclass_fields__.keys() - {"sources", "ignored"}:
        assert {"value", "source", "help", "variables", "allowed"} <= facts[name].keys()
        assert facts[name]["help"]
        assert facts[name]["variables"]


def test_every_script_is_described_and_every_script_described_exists() -> None:
    described = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "scripts/README.md").read_text(), re.MULTILINE)
    there = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()} - {"README.md"}
    assert sorted(described) == sorted(there)


def test_every_public_name_is_in_the_reference() -> None:
    words = {word for name in DOCUMENTS if "reference" in name for word in re.findall(r"\w+", text_of(name))}
    assert set(findingmodel.__all__) - words == {"__version__"}


def test_the_changelog_has_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(__version__)}\b", changelog, re.MULTILINE)


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "scripts/README.md"])
def test_files_that_a_document_names_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.]+/)+[\w.]+|[A-Z]+|constraints\.txt|docker-compose\.yml)`", text)
    made_later = {".venv/bin/findingmodel", "findingmodel/cli/size.py", "tests/stores/test_scratch.py"}
    places = {"DIR", "KEY"}  # placeholders
    assert [name for name in {*named} - made_later - places if not (ROOT / name).exists()] == []


# codes of bad files in the README

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
ODD = {
    "unknown-field": model_bytes(6, unheard_of=1),
    "bom": b"\xef\xbb\xbf" + model_bytes(7),
    "repeated-key": model_bytes(20).replace(b'"unit": "mm"', b'"unit": "cm", "unit": "mm"'),
    "no-value-codes": re.sub(rb'"value_code": "[^"]*",', b"", model_bytes(21)),
    "all-selected": model_bytes(22).replace(b'"max_selected": 1', b'"max_selected": "all"'),
    "short-code": model_bytes(23).replace(b"RID50149", b"R1"),
}


def test_bad_files_fail_with_the_codes_that_the_readme_names(home: Path) -> None:
    directory = home / "defs"
    directory.mkdir()
    (directory / "a.fm.json").write_text(json.dumps(GOOD))
    for code, data in {**BAD, **ODD}.items():
        (directory / f"{code}.fm.json").write_bytes(data)
    (home / "elsewhere.fm.json").write_bytes(model_bytes(8))
    (directory / "link.fm.json").symlink_to(home / "elsewhere.fm.json")
    report = json.loads(CliRunner().invoke(cli, ["index", "check", str(directory), "--json"]).stdout)
    assert reported(report["failed"]) == {f"{code}.fm.json": {code} for code in [*BAD, "link"]}
    assert reported(report["warnings"]) == {f"{code}.fm.json": {code} for code in ODD}
    named = re.findall(r"`([a-z]+-?[a-z0-9]+(?:-[a-z]+)*)`", README.partition("## When something")[2])
    rest = {"unreadable", "moved"}  # root can read every file
    assert set(named) == {*BAD, *ODD, "link", *rest}


def reported(files: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {file["path"]: {problem["code"] for problem in file["problems"]} for file in files}
