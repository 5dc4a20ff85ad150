"""``index export``: files, standard output, and targets that cannot be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import COUNT, answer, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_exports_report_what_they_wrote_and_write_unchanged_files_once(samples: str, tmp_path: Path) -> None:
    for command, target, again in (
        (["markdown"], "wrote 59 of 59 files in out", "all 59 files are up to date in out"),
        (["ids"], "wrote out/ids.json", "out/ids.json is up to date"),
        (["jsonl"], "wrote out/models.jsonl", "out/models.jsonl is up to date"),
    ):
        destination = "out/models.jsonl" if command == ["jsonl"] else "out"
        first = run("index", "export", *command, destination)
        assert (first.exit_code, first.stdout, first.stderr) == (0, f"58 models: {target}\n", "")
        assert run("index", "export", *command, destination).stdout == f"58 models: {again}\n"
        report = answer("index", "export", *command, destination)
        assert (report["models"], report["written"]) == (58, 0)
    assert len(list((tmp_path / "out/text").glob("*.md"))) == COUNT
    printed = run("index", "export", "jsonl", "-").stdout
    assert printed == (tmp_path / "out/models.jsonl").read_text()


def test_stale_pages_are_reported_and_removed_with_prune(samples: str, edited: Path) -> None:
    run("index", "export", "markdown", "out")
    run("index", "update", edited)
    kept = run("index", "export", "markdown", "out")
    assert kept.stderr == "2 pages of removed models; --prune removes them\n"
    pruned = run("index", "export", "markdown", "out", "--prune")
    assert pruned.stdout.endswith("removed 2\n")
    assert pruned.stderr == ""


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("form", ["ids", "jsonl"])
def test_standard_output_gets_the_content_of_the_file(tmp_path: Path, form: str) -> None:
    assert run("index", "export", form, tmp_path / "out.json").exit_code == 0
    printed = run("index", "export", form, "-")
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert printed.stdout == (tmp_path / "out.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("form", "target"),
    [("markdown", "out"), *((form, to) for form in ("ids", "jsonl") for to in ("out", "-"))],
)
def test_an_empty_index_is_not_exported(tmp_path: Path, form: str, target: str) -> None:
    result = run("index", "export", form, target, "--db", "none.db")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "nothing was written: there is no index sqlite:///none.db: check the path, or make one with "
        "findingmodel index update DIR\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["markdown", "-"], 2, "Pages need a directory; findingmodel model markdown FILE prints one page."),
        (["ids", "-", "--json"], 2, "--json cannot be used"),
        (["jsonl", "-", "--json"], 2, "--json cannot be used"),
        (["markdown", "a_file/x"], 1, "Error: 'a_file/x': cannot be written: Not a directory"),
        (["ids", "a_file"], 1, "'a_file/ids.json': cannot be written: a file is in the place of a directory"),
        (["jsonl", "a_file/models.jsonl"], 1, "Error: 'a_file/models.jsonl': cannot be written: "),
        (["jsonl", "."], 1, "Error: '.': cannot be written: is a directory, not a file"),
        (["ids", "directory.json"], 1, "is a directory, not a file"),
    ],
)
def test_an_unwritable_destination_is_one_message(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "a_file").write_text("x")
    (tmp_path / "directory.json").mkdir()
    result = run("index", "export", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
