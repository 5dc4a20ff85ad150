"""``index check --lint``, ``model check`` and ``model rules``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from findingmodel.author.lint.rules import RULES
from tests.author.lint.samples import others, tidy_model, write_collection
from tests.cli.commands import answer, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """Three models; the first breaks a rule of each level, two of them fixable."""
    odd = tidy_model(
        name="pulmonary embolism with infarct", tags=["CT", "ct"], synonyms=["PE "], description="TODO: it"
    )
    return write_collection(tmp_path / "defs", odd, *others())


def test_violations_are_counted_and_listed_with_their_levels(defs: Path) -> None:
    result = run("index", "check", defs, "--lint")
    assert result.exit_code == 1
    first, *lines = result.stdout.splitlines()
    assert first.startswith("3 files checked, all valid, 1 error, 2 warnings, 1 to review, in ")
    assert [line.split(": ")[:3] for line in lines] == [
        ["1.fm.json", "/description", "error"],
        ["1.fm.json", "/synonyms/0", "warning"],
        ["1.fm.json", "/name", "review"],
        ["1.fm.json", "/tags/1", "warning"],
    ]
    assert result.stderr == "--fix corrects 2 violations of these\n"


def test_only_errors_fail(defs: Path) -> None:
    assert run("index", "check", defs, "--lint", "--ignore", "placeholder").exit_code == 0
    assert run("index", "check", defs, "--lint", "--select", "warning,review").exit_code == 0
    result = run("index", "check", defs, "--lint", "--min-level", "error")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 2)


def test_without_lint_the_rules_do_not_count(defs: Path) -> None:
    assert run("index", "check", defs).exit_code == 0


def test_fix_corrects_and_reports_what_is_left(defs: Path) -> None:
    dry = run("index", "check", defs, "--lint", "--fix", "--dry-run")
    assert "would correct 2 violations in 1.fm.json" in dry.stdout
    assert len(json.loads((defs / "1.fm.json").read_text())["tags"]) == 2
    report = answer("index", "check", defs, "--lint", "--fix", code=1)
    assert report["fixed"] == {"1.fm.json": 2}
    assert [one["code"] for one in report["violations"]] == ["placeholder", "name-with"]
    assert json.loads((defs / "1.fm.json").read_text())["tags"] == ["CT"]


def test_json_has_everything_of_a_check_and_the_violations(defs: Path) -> None:
    report = answer("index", "check", defs, "--lint", code=1)
    assert report.keys() > answer("index", "check", defs).keys()
    assert report["by_rule"] == {"placeholder": 1, "spaces": 1, "name-with": 1, "repeated-tag": 1}
    assert report["counts"] == {"error": 1, "warning": 2, "review": 1}
    assert report["violations"][0] == {
        "path": "1.fm.json",
        "pointer": "/description",
        "code": "placeholder",
        "level": "error",
        "message": "'TODO' is placeholder text: replace it",
        "fixable": False,
    }
    assert (
        json.loads(run("index", "check", defs, "--lint", "--format", "json").stdout).keys() == report.keys()
    )


def test_reports_for_programs(defs: Path) -> None:
    github = run("index", "check", defs, "--lint", "--format", "github")
    assert github.stdout.splitlines()[0] == (
        "::error file=defs/1.fm.json,line=4,col=18,title=placeholder::"
        "/description: 'TODO' is placeholder text: replace it"
    )
    sarif = json.loads(run("index", "check", defs, "--lint", "--format", "sarif").stdout)
    assert len(sarif["runs"][0]["results"]) == 4


def test_counts_by_rule(defs: Path) -> None:
    result = run("index", "check", defs, "--lint", "--by-rule")
    rows = [line.split("\t")[:3] for line in result.stdout.splitlines()]
    assert sorted(rows) == [
        ["name-with", "review", "1"],
        ["placeholder", "error", "1"],
        ["repeated-tag", "warning", "1"],
        ["spaces", "warning", "1"],
    ]
    fixed = run("index", "check", defs, "--lint", "--by-rule", "--fix")
    assert fixed.stderr == "corrected 2 violations in 1 file\n"
    assert len(fixed.stdout.splitlines()) == 2


def test_the_configuration_of_the_collection_counts_unless_another_is_named(defs: Path) -> None:
    (defs.parent / ".findingmodel.toml").write_text('[lint]\nselect = ["name-with"]\n')
    assert "0 error" not in run("index", "check", defs, "--lint").stdout
    assert [one["code"] for one in answer("index", "check", defs, "--lint")["violations"]] == ["name-with"]
    (defs.parent / "strict.toml").write_text('[lint]\nselect = ["spaces"]\nlevel = {spaces = "error"}')
    report = answer("index", "check", defs, "--lint", "--config", defs.parent / "strict.toml", code=1)
    assert [(one["code"], one["level"]) for one in report["violations"]] == [("spaces", "error")]


def test_model_check_is_for_files(defs: Path) -> None:
    report = answer("model", "check", defs / "1.fm.json", defs / "2.fm.json", code=1)
    assert report["files"] == 2
    assert {one["path"] for one in report["violations"]} == {str(defs / "1.fm.json")}
    assert run("model", "check", defs / "2.fm.json").stdout.startswith(
        "1 file checked, all valid, no rule broken, in "
    )
    assert run("model", "check", defs).exit_code == 2


def test_invalid_files_are_reported_once_and_fail(defs: Path) -> None:
    (defs / "4.fm.json").write_text('{"nam": "no"}')
    report = answer("index", "check", defs, "--lint", "--select", "error", code=1)
    assert [failed["path"] for failed in report["failed"]] == ["4.fm.json"]
    assert [one["code"] for one in report["violations"] if one["path"] == "4.fm.json"] == ["misspelt-field"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fix"], "--fix needs --lint."),
        (["--by-rule", "--select", "spaces"], "--select needs --lint."),
        (["--lint", "--dry-run"], "--dry-run needs --fix."),
        (["--lint", "--fix-format"], "Use --fix-format without --lint"),
        (["--lint", "--select", "spaces,tittle-case"], "--select: 'tittle-case' is not a rule or level"),
        (["--lint", "--min-level", "fatal"], "'fatal' is not one of"),
        (["--lint", "--json", "--format", "sarif"], "--json and --format sarif"),
    ],
)
def test_wrong_options_are_refused_with_one_sentence(defs: Path, arguments: list[str], message: str) -> None:
    result = run("index", "check", defs, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_rules_are_listed_and_explained() -> None:
    rows = [line.split("\t") for line in run("model", "rules").stdout.splitlines()]
    assert [row[0] for row in rows] == list(RULES)
    assert answer("model", "rules", "unit-not-ucum") == [
        {
            "code": "unit-not-ucum",
            "level": "warning",
            "fixable": True,
            "summary": RULES["unit-not-ucum"].summary,
            "example": {"pointer": "/attributes/2/unit", "bad": "cm^3", "good": "cm3"},
        }
    ]
    assert '  not "cm^3"\n  but "cm3"\n' in run("model", "rules", "unit-not-ucum").stdout
    result = run("model", "rules", "tittle-case")
    assert (result.exit_code, result.stderr.count("did you mean 'title-case'?")) == (2, 1)


def test_terminal_control_characters_in_files_are_not_printed(tmp_path: Path) -> None:
    directory = write_collection(tmp_path / "defs", tidy_model(name="lung \x1b[31m  clot\n::error::x"))
    for form in ("text", "github", "sarif", "json"):
        output = run("index", "check", directory, "--lint", "--format", form).output
        assert "\x1b" not in output
        assert "\n::error::x" not in output
