"""What a curator runs all day: diff, export, tags, contributors, duplicates, history, check --fix-format."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import make_person, model_bytes, write_model
from tests.cli.commands import COUNT, SAMPLES, answer, edit, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def samples(place: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index of the samples, in each kind of database, as the one that the environment names."""
    monkeypatch.setenv("FINDINGMODEL_DB", place)
    assert run("index", "update", SAMPLES).exit_code == 0
    return place


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize(
    "command",
    [
        ["index", "tags"],
        ["index", "contributors"],
        ["index", "duplicates", "--min-score", "0", "--limit", "7"],
    ],
    ids=" ".join,
)
def test_every_database_gives_the_same_answers(command: list[str], filled: Path) -> None:
    there = answer(*command)
    assert there == answer(*command, "--db", filled)
    assert there != []
    assert run(*command).stdout == run(*command, "--db", filled).stdout


# diff


@pytest.fixture
def edited(samples: str, tmp_path: Path) -> Path:
    """The samples after a morning's work: edited, added, moved, removed and broken ones."""
    directory = tmp_path / "edited"
    for path in SAMPLES.rglob("*.fm.json"):
        copy = directory / path.relative_to(SAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    edit(directory / "chest/pneumothorax.fm.json", description="Air where\nit should not be.")
    write_model(directory, "new/nodule.fm.json", 1, name="nodule <b>\x1b[31mred")
    (directory / "msk/baker_s_cyst.fm.json").rename(directory / "baker.fm.json")
    (directory / "chest/pulmonary_embolism.fm.json").unlink()
    (directory / "breast/breast_mass.fm.json").write_text("{")
    return directory


def test_diff_tells_what_an_update_would_do_and_writes_nothing(samples: str, edited: Path) -> None:
    before = answer("index", "stats")
    result = run("index", "diff", edited)
    assert result.exit_code == 1
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["moved", "updated", "removed", "added", "failed"]
    moved, updated, removed, added, failed = lines
    assert moved[3:] == ["baker.fm.json", "filename", '"msk/baker_s_cyst.fm.json"', '"baker.fm.json"']
    assert updated[1:5] == ["OIFM_SMPL_000002", "Pneumothorax", "chest/pneumothorax.fm.json", "description"]
    assert json.loads(updated[6]) == "Air where\nit should not be."
    assert removed[1:3] == ["OIFM_SMPL_000001", "Pulmonary embolism"]
    assert added[2] == r"nodule <b>\x1b[31mred"
    assert failed[3:6] == ["breast/breast_mass.fm.json", "", "not-json"]
    unchanged = COUNT - 4
    counts = f"added 1, updated 1, moved 1, removed 1, unchanged {unchanged + 1}, failed 1"
    assert result.stderr == f"would be {counts}\n"
    assert answer("index", "stats") == before


def test_the_json_of_a_diff_holds_every_field(samples: str, edited: Path) -> None:
    report = answer("index", "diff", edited, code=1)
    assert (report["added"], report["updated"], report["moved"], report["removed"]) == (1, 1, 1, 1)
    updated = next(change for change in report["changes"] if change["kind"] == "updated")
    (field,) = updated["fields"]
    assert (field["place"], field["kind"], field["new"]) == (
        "description", "changed", "Air where\nit should not be."
    )  # fmt: skip
    assert [file["path"] for file in report["failed"]] == ["breast/breast_mass.fm.json"]


def test_an_update_does_what_the_diff_said(samples: str, edited: Path) -> None:
    told = answer("index", "diff", edited, code=1)
    done = answer("index", "update", edited, code=1)
    assert {name: done[name] for name in ("added", "updated", "moved", "removed")} == {
        name: told[name] for name in ("added", "updated", "moved", "removed")
    }
    again = run("index", "diff", edited)
    assert [line.split("\t")[0] for line in again.stdout.splitlines()] == ["failed"]


def test_a_refusal_is_told_by_the_diff(samples: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("index", "diff", tmp_path / "empty")
    assert result.exit_code == 1
    assert "Refused: this would remove all 58 models" in result.stderr
    assert len(result.stdout.splitlines()) == COUNT


# export


def test_exports_say_what_they_wrote_and_write_it_once(samples: str, tmp_path: Path) -> None:
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


def test_stale_pages_are_told_of_and_removed_when_asked(samples: str, edited: Path) -> None:
    run("index", "export", "markdown", "out")
    run("index", "update", edited)
    kept = run("index", "export", "markdown", "out")
    assert kept.stderr == "2 pages of models that are gone; --prune removes them\n"
    pruned = run("index", "export", "markdown", "out", "--prune")
    assert pruned.stdout.endswith("removed 2\n")
    assert pruned.stderr == ""


@pytest.mark.usefixtures("samples")
@pytest.mark.parametrize("form", ["ids", "jsonl"])
def test_what_goes_to_standard_output_is_what_a_file_would_hold(tmp_path: Path, form: str) -> None:
    assert run("index", "export", form, tmp_path / "out.json").exit_code == 0
    printed = run("index", "export", form, "-")
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert printed.stdout == (tmp_path / "out.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("form", "target"),
    [("markdown", "out"), *((form, to) for form in ("ids", "jsonl") for to in ("out", "-"))],
)
def test_an_empty_index_is_exported_nowhere(tmp_path: Path, form: str, target: str) -> None:
    result = run("index", "export", form, target, "--db", "none.db")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "the index holds no models, so nothing was written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["markdown", "-"], 2, "Pages need a directory; findingmodel model markdown FILE prints one."),
        (["ids", "-", "--json"], 2, "--json cannot be given"),
        (["jsonl", "-", "--json"], 2, "--json cannot be given"),
        (["markdown", "a_file/x"], 1, "Error: 'a_file/x': cannot be written: Not a directory"),
        (["ids", "a_file"], 1, "'a_file/ids.json': cannot be written: a file is where a directory has to be"),
        (["jsonl", "a_file/models.jsonl"], 1, "Error: 'a_file/models.jsonl': cannot be written: "),
        (["jsonl", "."], 1, "Error: '.': cannot be written: is a directory, not a file"),
        (["ids", "directory.json"], 1, "is a directory, not a file"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "a_file").write_text("x")
    (tmp_path / "directory.json").mkdir()
    result = run("index", "export", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


# nothing to show


@pytest.mark.parametrize("command", ["tags", "contributors", "duplicates", "list", "get PE", "stats"])
def test_who_asks_an_empty_index_is_told_how_to_fill_it(tmp_path: Path, command: str) -> None:
    result = run("index", *command.split(), "--db", "none.db", "--branch", "draft")
    assert (result.stdout == "") is (command != "stats")
    hint = "branch draft of the index sqlite:///none.db is empty; findingmodel index update DIR fills it\n"
    assert result.stderr.endswith(hint)
    assert list(tmp_path.iterdir()) == []


def test_that_there_are_more_duplicates_is_told(tmp_path: Path) -> None:
    for number, name in enumerate(["pleural plaque", "pleural plaques", "plaques of the pleura"]):
        write_model(tmp_path, f"m{number}.fm.json", number, name=name)
    run("index", "update", tmp_path, "--db", "some.db")
    shown = run("index", "duplicates", "--limit", "1", "--db", "some.db")
    assert len(shown.stdout.splitlines()) == 1
    assert shown.stderr == "the likeliest 1 only; --limit shows more\n"
    assert run("index", "duplicates", "--limit", "10", "--db", "some.db").stderr == ""


def test_a_check_that_finds_no_file_says_so(tmp_path: Path) -> None:
    result = run("index", "check", tmp_path)
    assert (result.exit_code, result.stderr) == (
        0,
        "there is no *.fm.json file; is the directory the right one?\n",
    )


def test_a_check_tells_of_contributors_on_whom_files_disagree(tmp_path: Path) -> None:
    for number, url in enumerate(["https://example.org/old", "https://example.org/new"], start=1):
        write_model(tmp_path, f"m{number}.fm.json", number, contributors=[make_person(url=url)])
        os.utime(tmp_path / f"m{number}.fm.json", (number, number))
    told = "m1.fm.json: url of contributor test-reader differs from m2.fm.json, which is newer\n"
    assert run("index", "check", tmp_path).stderr == "1 warning; -v shows it\n"
    assert run("index", "check", tmp_path, "-v").stderr == f"warning: {told}"
    update = run("index", "update", tmp_path, "--db", "some.db")
    assert update.stderr == "1 warning; findingmodel index check -v shows it\n"
    assert answer("index", "check", tmp_path)["conflicts"] == [
        {"key": "test-reader", "kept": "m2.fm.json", "other": "m1.fm.json", "fields": ["url"]}
    ]


# history


def test_history_shows_what_was_done_the_newest_first(samples: str, edited: Path) -> None:
    run("index", "update", edited)
    notes: list[dict[str, Any]] = answer("index", "history")
    assert [note["counts"]["added"] for note in notes] == [1, COUNT]
    (newest,) = answer("index", "history", "--limit", 1)
    assert newest["failures"] == ["breast/breast_mass.fm.json"]
    lines = [line.split("\t") for line in run("index", "history").stdout.splitlines()]
    assert [line[1] for line in lines] == ["done", "done"]
    assert lines[0][2].startswith("update: added 1, updated 1, removed 1,")
    assert lines[0][4] == str(edited)


def test_no_history_is_no_error() -> None:
    result = run("index", "history", "--db", "none.db")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("nothing is noted in ")
    assert answer("index", "history", "--db", "none.db") == []


# check --fix-format


def test_files_are_put_in_canonical_layout_and_nothing_else(tmp_path: Path) -> None:
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


def test_a_link_stays_a_link_and_what_it_leads_to_is_mended(tmp_path: Path) -> None:
    directory = tmp_path / "models"
    real = write_model(directory, "real.fm.json", 1)
    (directory / "link.fm.json").symlink_to("real.fm.json")
    run("index", "check", directory / "link.fm.json", "--fix-format")
    assert (directory / "link.fm.json").is_symlink()
    assert real.read_bytes() == model_bytes(1) + b"\n"


def test_only_the_named_files_are_checked_and_mended(tmp_path: Path) -> None:
    one, other = (write_model(tmp_path, f"m{number}.fm.json", number) for number in (1, 2))
    result = run("index", "check", one, "--fix-format")
    assert result.stdout.splitlines()[1:] == [f"formatted {one}"]
    assert not other.read_bytes().endswith(b"\n")
