"""``index collision``, ``index duplicates`` of one model, and pairs that are not duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import write_model
from tests.cli.commands import answer, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("db")


def rows(*arguments: object) -> list[list[str]]:
    return [line.split("\t") for line in run(*arguments).stdout.splitlines()]


def test_a_taken_term_fails_and_shows_whose_it_is() -> None:
    result = run("index", "collision", "PTX")
    assert result.exit_code == 1
    first = result.stdout.splitlines()[0].split("\t")
    assert first == ["PTX", "synonym", "OIFM_SMPL_000002", "Pneumothorax", "has this synonym"]


def test_a_free_term_is_fine_and_said_so() -> None:
    assert rows("index", "collision", "zygomatic flutter") == [["zygomatic flutter", "free", "", "", ""]]
    assert run("index", "collision", "zygomatic flutter").exit_code == 0


def test_an_ambiguous_term_names_all_models() -> None:
    assert [row[3] for row in rows("index", "collision", "MS")] == ["Multiple sclerosis", "Mitral stenosis"]


def test_a_model_does_not_collide_with_itself() -> None:
    assert run("index", "collision", "PTX", "--for", "pneumothorax").exit_code == 0
    missing = run("index", "collision", "PTX", "--for", "nothing")
    assert (missing.exit_code, missing.stderr) == (
        1,
        "Error: nothing in the index has the id, name or synonym 'nothing'\n",
    )
    several = run("index", "collision", "PTX", "--for", "MS")
    assert several.exit_code == 2
    assert "several models have the synonym 'MS'" in several.stderr


def test_several_terms_as_json() -> None:
    found = answer("index", "collision", "PTX", "adenoma", code=1)
    assert [(one["term"], one["verdict"]) for one in found] == [("PTX", "synonym"), ("adenoma", "organs")]
    assert "pituitary gland" in found[1]["meanings"]


def test_an_empty_index_is_mentioned(tmp_path: Path) -> None:
    result = run("index", "collision", "PTX", "--db", tmp_path / "none.db")
    assert result.exit_code == 0
    assert "there is no index" in result.stderr


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """An index of two pairs of similar models."""
    for number, name in enumerate(["pleural plaque", "pleural plaques", "bone island", "bone islands"], 1):
        write_model(tmp_path / "defs", f"m{number}.fm.json", number, name=name, synonyms=..., index_codes=...)
    run("index", "update", tmp_path / "defs", "--db", tmp_path / "alike.db")
    return tmp_path / "alike.db"


def test_duplicates_of_one_model(alike: Path) -> None:
    assert len(rows("index", "duplicates", "--db", alike)) == 2
    (row,) = rows("index", "duplicates", "--db", alike, "--of", "bone island")
    assert (row[2], row[4]) == ("bone island", "bone islands")
    assert run("index", "duplicates", "--db", alike, "--of", "nothing").exit_code == 1


def test_a_recorded_pair_is_left_out_from_then_on(alike: Path, tmp_path: Path) -> None:
    result = run("index", "duplicates", "--db", alike, "--not", "bone island", "OIFM_TEST_000004")
    assert result.stdout == "bone island and bone islands: added to not-duplicates.txt\n"
    assert [row[2] for row in rows("index", "duplicates", "--db", alike)] == ["pleural plaque"]
    again = answer("index", "duplicates", "--db", alike, "--not", "OIFM_TEST_000004", "OIFM_TEST_000003")
    assert again == {
        "file": "not-duplicates.txt",
        "pair": ["OIFM_TEST_000003", "OIFM_TEST_000004"],
        "added": False,
    }
    assert run("index", "duplicates", "--db", alike, "-v").stderr == (
        "1 pair in not-duplicates.txt left out\n"
    )


def test_the_file_of_pairs_belongs_to_the_collection(
    alike: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".findingmodel.toml").write_text('[duplicates]\nnot = "lists/pairs.txt"\n')
    monkeypatch.chdir(tmp_path / "defs")
    run("index", "duplicates", "--db", alike, "--not", "bone island", "bone islands")
    assert "OIFM_TEST_000003 OIFM_TEST_000004" in (tmp_path / "lists/pairs.txt").read_text()
    assert len(rows("index", "duplicates", "--db", alike)) == 1
    assert len(rows("index", "duplicates", "--db", alike, "--pairs", tmp_path / "other.txt")) == 2


def test_a_broken_file_of_pairs_is_refused_with_its_line(alike: Path, tmp_path: Path) -> None:
    (tmp_path / "not-duplicates.txt").write_text("bone island, bone islands\n")
    result = run("index", "duplicates", "--db", alike)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not-duplicates.txt, line 1: write two ids" in result.stderr


def test_a_new_model_notes_similar_names_and_writes_tags_as_others_do(tmp_path: Path) -> None:
    arguments = ("model", "new", "pneumothoraces", "--source", "SMPL", "--into", tmp_path / "new")
    result = run(*arguments, "--tag", "ct", "--tag", "soft tissue", "--synonym", "ptx")
    assert "OIFM_SMPL_000002 Pneumothorax has the name 'ptx', too" in result.stderr
    assert "wrote the tag 'ct' as 'CT', like other models" in result.stderr
    assert "no model of the index has the tag 'soft tissue' yet" in result.stderr
