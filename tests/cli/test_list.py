"""``index list``, ``tags``, ``contributors`` and ``duplicates``, and hints for an empty index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.text.normalize import fold
from tests.builders import write_model
from tests.cli.commands import COUNT, answer, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("db")
def test_list_pages_through_every_model_once() -> None:
    pages = [answer("index", "list", "--limit", 20, "--offset", offset) for offset in range(0, COUNT, 20)]
    ids = [entry["oifm_id"] for page in pages for entry in page]
    assert len(set(ids)) == len(ids) == COUNT


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("field", ["name", "oifm_id", "filename"])
def test_list_sorts_both_ways(field: str) -> None:
    entries = answer("index", "list", "--sort", field)
    values = [fold(entry[field]) if field == "name" else entry[field] for entry in entries]
    assert values == sorted(values)
    assert [entry["oifm_id"] for entry in answer("index", "list", "--sort", field, "--desc")] == [
        entry["oifm_id"] for entry in reversed(entries)
    ]


@pytest.mark.usefixtures("db")
def test_list_in_a_pipe_is_tab_separated_without_a_heading() -> None:
    result = run("index", "list", "--limit", 3)
    entries = answer("index", "list", "--limit", 3)
    assert result.stdout.splitlines() == [
        f"{entry['oifm_id']}\t{entry['name']}\t{entry['filename']}" for entry in entries
    ]
    assert f"1 to 3 of {COUNT}; continue with --offset 3" in result.stderr
    assert "nothing to list" in run("index", "list", "--offset", 10_000).stderr


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("command", ["tags", "contributors", "duplicates", "list", "get PE", "stats"])
def test_commands_on_an_empty_index_explain_how_to_fill_it(tmp_path: Path, command: str) -> None:
    (tmp_path / "defs").mkdir()
    write_model(tmp_path / "defs", "a.fm.json", 1)
    run("index", "update", tmp_path / "defs", "--db", "some.db", "--branch", "draft")
    (tmp_path / "defs/a.fm.json").unlink()
    run("index", "update", tmp_path / "defs", "--db", "some.db", "--branch", "draft", "--force")
    result = run("index", *command.split(), "--db", "some.db", "--branch", "draft")
    assert (result.stdout == "") is (command != "stats")
    hint = (
        "branch draft of the index sqlite:///some.db is empty; fill it with findingmodel index update DIR\n"
    )
    assert result.stderr.endswith(hint)


@pytest.mark.slow
def test_a_truncated_list_of_duplicates_is_reported(tmp_path: Path) -> None:
    for number, name in enumerate(["pleural plaque", "pleural plaques", "plaques of the pleura"]):
        write_model(tmp_path, f"m{number}.fm.json", number, name=name)
    run("index", "update", tmp_path, "--db", "some.db")
    shown = run("index", "duplicates", "--limit", "1", "--db", "some.db")
    assert len(shown.stdout.splitlines()) == 1
    assert shown.stderr == "showing the likeliest 1; --limit shows more\n"
    assert run("index", "duplicates", "--limit", "10", "--db", "some.db").stderr == ""


def test_branches_are_counted(samples: str, tmp_path: Path) -> None:
    write_model(tmp_path / "models", "a.fm.json", 1)
    run("index", "update", tmp_path / "models", "--branch", "draft")
    assert run("index", "branches").stdout == f"draft\t1\nmain\t{COUNT}\n"
    assert answer("index", "branches") == [
        {"branch": "draft", "models": 1},
        {"branch": "main", "models": COUNT},
    ]
