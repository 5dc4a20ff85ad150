"""``index diff``: what an update would change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import COUNT, answer, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_diff_shows_what_an_update_would_do_and_writes_nothing(samples: str, edited: Path) -> None:
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


def test_an_update_does_what_the_diff_showed(samples: str, edited: Path) -> None:
    shown = answer("index", "diff", edited, code=1)
    done = answer("index", "update", edited, code=1)
    assert {name: done[name] for name in ("added", "updated", "moved", "removed")} == {
        name: shown[name] for name in ("added", "updated", "moved", "removed")
    }
    again = run("index", "diff", edited)
    assert [line.split("\t")[0] for line in again.stdout.splitlines()] == ["failed"]


def test_diff_reports_that_an_update_would_be_refused(samples: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("index", "diff", tmp_path / "empty")
    assert result.exit_code == 1
    assert "Refused: this would remove all 58 models" in result.stderr
    assert len(result.stdout.splitlines()) == COUNT
