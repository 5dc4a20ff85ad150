"""Shell completion: values from the index, in the format of each shell, and no errors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from findingmodel.cli.completion import register_bash
from findingmodel.cli.main import cli
from findingmodel.cli.session import ask_database
from findingmodel.settings import Settings
from findingmodel.stores import branches_of
from tests.builders import write_model
from tests.cli.commands import SAMPLES, run

pytestmark = pytest.mark.slow


def completed(*words: str, shell: str = "bash") -> list[str]:
    """Return the completions of the last of *words* in the format of *shell*; stderr must be empty."""
    script = {"COMP_WORDS": "\n".join(["findingmodel", *words]), "COMP_CWORD": str(len(words))}
    if shell == "fish":
        script["COMP_CWORD"] = words[-1]
    register_bash()
    script["_FINDINGMODEL_COMPLETE"] = f"{shell}_complete"
    result = CliRunner(catch_exceptions=False).invoke(cli, prog_name="findingmodel", env=script)
    assert result.stderr == ""
    return result.stdout.strip("\n").split("\n") if result.stdout.strip() else []


@pytest.fixture
def samples_place(place: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index of the samples in each kind of database, selected by the environment."""
    monkeypatch.setenv("FINDINGMODEL_DB", place)
    assert run("index", "update", SAMPLES).exit_code == 0
    return place


@pytest.mark.usefixtures("samples_place")
def test_names_tags_branches_and_organizations_come_from_the_index() -> None:
    assert completed("index", "get", "pneumoth") == ["plain,pneumothorax"]
    assert completed("search", '"Pulmonary embo') == ["plain,pulmonary_embolism"]
    assert completed("index", "get", "pneumothorax", "oifm_smpl_00000") != []
    assert completed("search", "nodule", "--tag", "CHES") == ["plain,chest"]
    assert completed("model", "new", "x", "--source", "s") == ["plain,SMPL"]
    assert completed("index", "stats", "--branch", "") == ["plain,main"]
    assert completed("index", "stats", "--branch", "x") == []


def test_every_completion_is_a_valid_key_or_tag(db: Path) -> None:
    for line in completed("index", "get", ""):
        assert run("index", "get", line.removeprefix("plain,"), "--db", db).exit_code == 0
    for line in completed("search", "--tag", ""):
        tag = line.removeprefix("plain,").replace("\\\\", "")
        assert run("search", "--tag", tag, "finding", "--db", db).exit_code == 0


@pytest.mark.usefixtures("db")
def test_each_shell_gets_its_own_format() -> None:
    assert completed("index", "get", "pneumoth", shell="fish") == ["plain,pneumothorax\tPneumothorax"]
    assert completed("index", "get", "pneumoth", shell="zsh") == ["plain", "pneumothorax", "Pneumothorax"]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["inde"], ["plain,index"]),
        (["index", "wat"], ["plain,watch"]),
        (["index", "export", "mark"], ["plain,markdown"]),
        (["index", "update", "--dry"], ["plain,--dry-run"]),
        (["index", "list", "--sort", "file"], ["plain,filename"]),
        (["index", "list", "--db", "x"], ["file,x"]),
        (["index", "list", "--db", "mongodb://x"], []),
        (["completion", "z"], ["plain,zsh"]),
        (["nothing", "of", "the", "kind"], []),
    ],
)
def test_commands_options_and_choices(words: list[str], expected: list[str]) -> None:
    assert completed(*words) == expected


@pytest.mark.parametrize(
    "database", ["no/such.db", "letter.db", "what is this", "mongodb://127.0.0.1:1/x", "mongodb://me:pw"]
)
@pytest.mark.parametrize(
    "words", [["index", "get", "p"], ["search", "--tag", "C"], ["index", "stats", "--branch", ""]]
)
def test_an_unreadable_index_gives_no_completions_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str, words: list[str]
) -> None:
    (tmp_path / "letter.db").write_text("no database\n" * 99)
    monkeypatch.setenv("FINDINGMODEL_DB", database)
    assert completed(*words) == []


def test_the_database_on_the_command_line_is_used(db: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    write_model(models, "a.fm.json", 1)
    other = tmp_path / "other.db"
    run("index", "update", models, "--db", other, "--branch", "draft")
    assert completed("index", "get", "--db", str(other), "pulmonary") == []
    words = ["index", "get", "--db", str(other), "--branch", "draft", "pulmonary"]
    assert completed(*words) == ["plain,pulmonary_nodule_of_type_1"]
    assert completed("index", "stats", "--db", str(other), "--branch", "") == ["plain,draft"]


def test_branches_are_listed_for_each_kind_of_database(samples_place: str, tmp_path: Path) -> None:
    write_model(tmp_path / "models", "a.fm.json", 1)
    run("index", "update", tmp_path / "models", "--db", samples_place, "--branch", "draft")
    assert ask_database(Settings.load(db=samples_place), branches_of) == ["draft", "main"]


# in bash itself


def in_bash(script: str) -> list[str]:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", f'eval "$(findingmodel completion bash)"\n{script}'],
        env=os.environ | {"PATH": binaries},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


OFFER = '_findingmodel_completion findingmodel; printf "%s\\n" "${COMPREPLY[@]}"'


@pytest.mark.usefixtures("db")
def test_bash_completes_a_name() -> None:
    assert in_bash(f"COMP_WORDS=(findingmodel index get pneumoth); COMP_CWORD=3; {OFFER}") == ["pneumothorax"]


def test_a_tag_of_several_words_is_one_argument_in_bash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINDINGMODEL_DB", str(tmp_path / "x.db"))
    write_model(tmp_path / "models", "a.fm.json", 1, tags=["soft tissue ($HOME; 'x')"])
    run("index", "update", tmp_path / "models")
    (offered,) = in_bash(f"COMP_WORDS=(findingmodel search --tag so); COMP_CWORD=3; {OFFER}")
    assert in_bash(f'printf "%s\\n" {offered}') == ["soft tissue ($HOME; 'x')"]


ACTS = ["so$(touch pwned)", "so`touch pwned`", "so'; touch pwned; '", 'so"; touch pwned; "', "so\\"]
STEERS = ["so\x1b[2J", "so\nplain,soot", "so\u202e", "so\rx"]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of a model whose texts contain shell syntax and terminal control characters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINDINGMODEL_DB", str(tmp_path / "x.db"))
    names = {"name": "sooty \x1b[2J\nplain lung", "synonyms": ACTS + STEERS}
    write_model(tmp_path / "models", "a.fm.json", 1, tags=["soft", *ACTS, *STEERS], **names)
    run("index", "update", tmp_path / "models")


@pytest.mark.usefixtures("hostile")
def test_no_tag_is_executed(tmp_path: Path) -> None:
    offered = in_bash(f"COMP_WORDS=(findingmodel search --tag so); COMP_CWORD=3; {OFFER}")
    printed = {in_bash(f'printf "%s\\n" {tag}')[0] for tag in offered}
    assert {"soft", *ACTS[:-1]} <= printed
    for quote in ("'", '"'):
        quoted = completed("search", "--tag", f"{quote}so")
        assert "plain,soft" in quoted
        in_bash("\n".join(f"printf '' {quote}{line.removeprefix('plain,')}{quote}" for line in quoted))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("words", [["search", "--tag", "so"], ["index", "get", "so"], ["index", "get", ""]])
def test_no_name_contains_control_characters_or_line_breaks(shell: str, words: list[str]) -> None:
    offered = "\n".join(completed(*words, shell=shell))
    assert offered
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", offered) is None
    assert "soot\n" not in f"{offered}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_calls_this_program(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_FINDINGMODEL_COMPLETE={shell}_complete" in result.stdout
    assert result.stderr == ""


def test_fish_keeps_the_text_after_a_comma() -> None:
    assert '(string split --max 1 "," $completion)' in run("completion", "fish").stdout


def test_completion_of_another_shell_is_bad_usage() -> None:
    assert run("completion", "tcsh").exit_code == 2
    result = run("completion")
    assert result.exit_code == 2
    assert "bash" in result.stderr
    assert "\\t" not in result.stderr
