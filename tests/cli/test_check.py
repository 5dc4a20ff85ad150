"""``index check``: problems, warnings and canonical layout."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from findingmodel import Index
from tests.builders import make_model, make_person, model_bytes, write_model
from tests.cli.commands import answer, edit, run

if TYPE_CHECKING:
    from pathlib import Path


def test_check_writes_nothing_and_opens_no_index(defs: Path, tmp_path: Path) -> None:
    result = run("index", "check", defs)
    assert result.exit_code == 0
    assert "all valid" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["defs"]


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"FINDINGMODEL_MAX_FILE_BYTES": "2000"}, "too-large"),
        ({"FINDINGMODEL_MAX_NESTING": "10"}, "too-deep"),
    ],
)
def test_check_update_and_diff_apply_the_same_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str], code: str
) -> None:
    write_model(
        tmp_path / "defs", "a.fm.json", 1, extension=json.loads("[" * 20 + "]" * 20), text="x" * 2_000
    )
    assert run("index", "check", tmp_path / "defs").exit_code == 0
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    for command in ("check", "update", "diff"):
        result = run("index", command, tmp_path / "defs")
        assert (result.exit_code, code in result.output) == (1, True), result.output


def test_the_json_of_a_check_names_the_failed_files(defs: Path) -> None:
    broken = sorted(defs.iterdir())[0]
    edit(broken, name="")
    report = answer("index", "check", defs, code=1)
    assert report["files"] == len(list(defs.iterdir()))
    assert [failed["path"] for failed in report["failed"]] == [broken.name]


@pytest.mark.slow
def test_a_check_without_files_reports_that(tmp_path: Path) -> None:
    result = run("index", "check", tmp_path)
    assert (result.exit_code, result.stdout) == (
        1,
        "nothing checked: no *.fm.json file found; is this the right directory?\n",
    )
    assert answer("index", "check", tmp_path, code=1)["files"] == 0


def test_a_problem_of_the_whole_file_has_no_pointer(tmp_path: Path) -> None:
    (tmp_path / "a.fm.json").write_text("{")
    assert run("index", "check", tmp_path).stdout.splitlines()[1].startswith("a.fm.json: must be JSON")


@pytest.mark.slow
def test_a_check_warns_of_conflicting_contributors(tmp_path: Path) -> None:
    for number, url in enumerate(["https://example.org/old", "https://example.org/new"], start=1):
        write_model(tmp_path, f"m{number}.fm.json", number, contributors=[make_person(url=url)])
        os.utime(tmp_path / f"m{number}.fm.json", (number, number))
    warning_text = "m1.fm.json: url of contributor test-reader differs from m2.fm.json, which is newer\n"
    assert run("index", "check", tmp_path).stderr == "1 warning; -v shows it\n"
    assert run("index", "check", tmp_path, "-v").stderr == f"warning: {warning_text}"
    update = run("index", "update", tmp_path, "--db", "some.db")
    assert update.stderr == "1 warning; findingmodel index check -v shows it\n"
    assert answer("index", "check", tmp_path)["conflicts"] == [
        {"key": "test-reader", "kept": "m2.fm.json", "other": "m1.fm.json", "fields": ["url"]}
    ]


@pytest.mark.slow
def test_fix_format_rewrites_valid_files_in_canonical_layout_only(tmp_path: Path) -> None:
    directory = tmp_path / "models"
    write_model(directory, "a.fm.json", 1)
    (directory / "b.fm.json").write_bytes(model_bytes(2).replace(b"\n", b"\r\n"))
    (directory / "broken.fm.json").write_text("{ }")
    (directory / "c.fm.json").write_bytes(model_bytes(3) + b"\n")
    result = run("index", "check", directory, "--fix-format")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:3] == ["formatted a.fm.json", "formatted b.fm.json"]
    assert "1 failed, 2 formatted" in result.stdout
    assert (directory / "broken.fm.json").read_text() == "{ }"
    assert (directory / "b.fm.json").read_bytes() == model_bytes(2) + b"\n"
    again = answer("index", "check", directory, "--fix-format", code=1)
    assert again["formatted"] == []


@pytest.mark.slow
def test_fix_format_keeps_a_link_and_rewrites_its_target(tmp_path: Path) -> None:
    directory = tmp_path / "models"
    real = write_model(directory, "real.fm.json", 1)
    (directory / "link.fm.json").symlink_to("real.fm.json")
    run("index", "check", directory / "link.fm.json", "--fix-format")
    assert (directory / "link.fm.json").is_symlink()
    assert real.read_bytes() == model_bytes(1) + b"\n"


@pytest.mark.slow
def test_only_the_named_files_are_checked_and_rewritten(tmp_path: Path) -> None:
    one, other = (write_model(tmp_path, f"m{number}.fm.json", number) for number in (1, 2))
    result = run("index", "check", one, "--fix-format")
    assert result.stdout.splitlines()[1:] == [f"formatted {one}"]
    assert not other.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("arguments", [("index", "check"), ("index", "update", "--db", "x.db")])
def test_skipped_files_are_told_with_v(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    directory = write_model(tmp_path / "defs", "a.fm.json", 1).parent
    write_model(directory, "._a.fm.json", 2)
    assert "skipped" not in run(*arguments, directory).output
    told = run(*arguments, directory, "-v").stderr
    assert "skipped: ._a.fm.json is not named like a model file, NAME.fm.json" in told
    assert answer(*arguments, directory)["skipped"] == ["._a.fm.json"]
    result = run("index", "check", directory / "._a.fm.json")
    assert (result.exit_code, "[bad-name]" in result.stdout) == (1, True)


def test_fix_format_writes_what_older_files_leave_out(tmp_path: Path) -> None:
    """Then an update indexes the file without warnings."""
    model = make_model(1)
    for value in model["attributes"][0]["values"]:
        del value["value_code"]
    model["attributes"][0]["max_selected"] = "all"
    path = tmp_path / "a.fm.json"
    path.write_text(json.dumps(model))
    warned = answer("index", "update", tmp_path, "--db", "x.db")["warnings"]
    assert [problem["code"] for problem in warned[0]["problems"]] == ["no-value-codes", "all-selected"]
    with Index.sync("x.db") as index:
        before = index.get_full("OIFM_TEST_000001")
    assert answer("index", "check", tmp_path, "--fix-format")["formatted"] == ["a.fm.json"]
    assert path.read_bytes() == model_bytes(1).replace(b'"max_selected": 1', b'"max_selected": 3') + b"\n"
    assert answer("index", "update", tmp_path, "--db", "x.db")["warnings"] == []
    with Index.sync("x.db") as index:
        assert index.get_full("OIFM_TEST_000001") == before
