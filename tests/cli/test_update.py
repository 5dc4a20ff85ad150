"""``index update``: output as text and as JSON, and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import answer, edit, run

if TYPE_CHECKING:
    from pathlib import Path


def test_an_update_prints_its_counts(defs: Path, tmp_path: Path) -> None:
    count = len(list(defs.iterdir()))
    result = run("index", "update", defs, "--db", tmp_path / "x.db")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"added {count}, updated 0, removed 0, unchanged 0 in ")
    again = run("index", "update", defs, "--db", tmp_path / "x.db")
    assert again.stdout.startswith(f"added 0, updated 0, removed 0, unchanged {count} in ")
    assert len(again.stdout.splitlines()) == 1


def test_the_json_of_an_update_has_all_counts(defs: Path, tmp_path: Path) -> None:
    count = len(list(defs.iterdir()))
    report = answer("index", "update", defs, "--db", tmp_path / "x.db")
    assert report["added"] == count
    assert (report["updated"], report["removed"], report["unchanged"], report["moved"]) == (0, 0, 0, 0)
    assert (report["failed"], report["refused"], report["dry_run"]) == ([], None, False)
    assert report["seconds"] > 0
    assert str(tmp_path / "x.db") in report["db"]


@pytest.mark.parametrize("url", ["{}/new/x.db", "sqlite:///{}/new/x.db"])
def test_a_dry_run_prints_what_it_would_do_and_creates_no_database(
    defs: Path, tmp_path: Path, url: str
) -> None:
    result = run("index", "update", defs, "--dry-run", "--db", url.format(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.startswith("would add ")
    assert not (tmp_path / "new").exists()
    assert answer("index", "update", defs, "--dry-run", "--db", url.format(tmp_path))["dry_run"] is True


def test_a_failed_file_is_one_line_and_exit_1(defs: Path, tmp_path: Path) -> None:
    broken = sorted(defs.iterdir())[0]
    edit(broken, oifm_id="nonsense")
    result = run("index", "update", defs, "--db", tmp_path / "x.db")
    assert result.exit_code == 1
    summary, line = result.stdout.splitlines()
    assert "failed 1" in summary
    assert line.startswith(f"{broken.name}: /oifm_id: ")
    assert line.endswith("]")


def test_failed_files_are_listed_with_pointer_code_and_message(defs: Path, tmp_path: Path) -> None:
    broken = sorted(defs.iterdir())[0]
    edit(broken, oifm_id="nonsense")
    report = answer("index", "update", defs, "--db", tmp_path / "x.db", code=1)
    (failed,) = report["failed"]
    assert failed["path"] == broken.name
    assert failed["problems"][0]["pointer"] == "/oifm_id"
    assert {"pointer", "code", "message"} == set(failed["problems"][0])


def test_a_pipe_gets_every_failed_file(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.fm.json").write_text("{")
    for command in (["index", "update", tmp_path, "--db", tmp_path / "x.db"], ["index", "check", tmp_path]):
        result = run(*command)
        assert result.exit_code == 1
        assert sum(".fm.json: " in line for line in result.stdout.splitlines()) == 40


def test_a_strict_update_with_a_failure_is_refused_and_writes_nothing(defs: Path, tmp_path: Path) -> None:
    edit(sorted(defs.iterdir())[0], oifm_id="nonsense")
    result = run("index", "update", defs, "--strict", "--db", tmp_path / "x.db")
    assert result.exit_code == 1
    assert result.stderr.startswith("Refused: ")
    assert answer("index", "stats", "--db", tmp_path / "x.db")["models"] == 0


def test_an_update_that_would_empty_the_index_is_refused_unless_forced(defs: Path, tmp_path: Path) -> None:
    database, empty = tmp_path / "x.db", tmp_path / "empty"
    empty.mkdir()
    run("index", "update", defs, "--db", database)
    count = answer("index", "stats", "--db", database)["models"]
    report = answer("index", "update", empty, "--db", database, code=1)
    assert report["refused"]["would_remove"] == count
    assert "--force" in run("index", "update", empty, "--db", database).stderr
    assert answer("index", "update", empty, "--db", database, "--force")["removed"] == count


def test_no_remove_keeps_models_whose_file_is_gone(defs: Path, tmp_path: Path) -> None:
    run("index", "update", defs, "--db", tmp_path / "x.db")
    sorted(defs.iterdir())[0].unlink()
    assert answer("index", "update", defs, "--db", tmp_path / "x.db", "--no-remove")["removed"] == 0
    assert answer("index", "update", defs, "--db", tmp_path / "x.db")["removed"] == 1


def test_warnings_are_counted_and_shown_with_verbose(defs: Path, tmp_path: Path) -> None:
    odd = sorted(defs.iterdir())[0]
    edit(odd, unheard_of=1)
    command = ["index", "check", defs]
    assert "1 warning; -v shows it" in run(*command).stderr
    assert f"warning: {odd.name}: /unheard_of: " in run(*command, "-v").stderr
    assert run(*command, "-q").stderr == ""
    assert run("-v", *command).stderr == run(*command, "-v").stderr


def test_a_name_cannot_control_the_terminal(defs: Path, tmp_path: Path) -> None:
    model = sorted(defs.iterdir())[0]
    edit(model, description="red \x1b[31m and \u009b32m green")
    run("index", "update", defs, "--db", tmp_path / "x.db")
    oifm_id = json.loads(model.read_text())["oifm_id"]
    for command in (
        ["index", "get", oifm_id],
        ["index", "get", oifm_id, "--full"],
        ["index", "get", oifm_id, "--json"],
    ):
        output = run(*command, "--db", tmp_path / "x.db").stdout
        assert "green" in output
        assert "\x1b" not in output
        assert "\x9b" not in output
