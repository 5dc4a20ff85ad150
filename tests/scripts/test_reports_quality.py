from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scripts.reports_quality import Found, Judged, Truth, main, match, measure, mistakes
from tests.builders import make_model

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "No pneumothorax. Small effusion, likely old. Heart size is normal."
A, B, C = "OIFM_TEST_000001", "OIFM_TEST_000002", "OIFM_TEST_000003"


def span(words: str) -> tuple[int, int]:
    return TEXT.index(words), TEXT.index(words) + len(words)


def truth(words: str, certainty: str, **models: int) -> Truth:
    return Truth(*span(words), models, certainty)


def found(words: str, certainty: str, *models: str) -> Found:
    return Found(*span(words), models, certainty)


REPORT = Judged(
    "a",
    TEXT,
    (truth("pneumothorax", "absent", **{A: 2}), truth("effusion", "possible", **{B: 2, C: 1})),
    (span("Heart size is normal"),),
)


def test_a_perfect_reading_scores_one() -> None:
    perfect = [found("pneumothorax", "absent", A), found("effusion", "possible", B)]
    figures = measure([REPORT], [perfect])
    assert figures.pop("on normal") == 0
    assert set(figures.values()) == {1.0}
    assert mistakes(REPORT, perfect) == []


def test_each_figure_follows_its_definition() -> None:
    figures = measure(
        [REPORT],
        [
            [
                found("pneumothorax", "absent", A),
                found("Small effusion", "present", C, B),
                found("Heart", "present", A),
            ]
        ],
    )
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["recall"] == 1
    assert (figures["right first"], figures["right in 5"], figures["certainty"]) == (0.5, 1, 0.5)
    assert figures["certainty macro-F1"] == pytest.approx(1 / 3)
    assert figures["end to end F1"] == pytest.approx(2 / 5)
    assert figures["on normal"] == 100


def test_what_has_no_model_is_not_counted() -> None:
    report = Judged("b", TEXT, (truth("pneumothorax", "absent"),), ())
    figures = measure([report], [[found("pneumothorax", "present", A)]])
    assert figures["precision"] == figures["recall"] == 0
    assert mistakes(report, [found("pneumothorax", "present", A)]) == []


def test_mentions_are_matched_one_to_one_by_overlap() -> None:
    assert match(REPORT.mentions, [found("fusion, likely", "x"), found("Small effusion", "x")]) == {1: 1}


def test_mistakes_tell_what_is_wrong() -> None:
    wrong = mistakes(REPORT, [found("effusion", "present", C), found("Heart", "present", A)])
    assert [(one.kind, TEXT[one.start : one.end]) for one in wrong] == [
        *(("missed", "pneumothorax"), ("certainty", "effusion"), ("model", "effusion"), ("extra", "Heart"))
    ]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    directory = tmp_path / "defs"
    directory.mkdir()
    for number, name in enumerate(("pneumothorax", "pleural effusion"), 1):
        (directory / f"{number}.fm.json").write_text(json.dumps(make_model(number, name=name, synonyms=...)))
    return directory


def judged(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_ours_is_compared_with_a_dictionary_and_the_worst_are_shown(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, end = span("pneumothorax")
    row = {
        "rid": "r1",
        "text": TEXT,
        "mentions": [{"start": start, "end": end, "models": {A: 2}, "certainty": "absent"}],
        "normal": [],
    }
    assert main([judged(tmp_path / "q.jsonl", row), "--models", str(models), "--worst", "1"]) == 0
    shown = capsys.readouterr().out
    assert [line.split() for line in shown.splitlines()[:1]] == [["findingmodel", "dictionary"]]
    certainty = next(line.split() for line in shown.splitlines() if line.startswith("certainty "))
    assert certainty == ["certainty", "1.000", "0.000"]
    assert "extra: present" in shown


def test_bad_input_is_named(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([judged(tmp_path / "q.jsonl", {"rid": "r1"}), "--models", str(models)]) == 2
    assert "line 1 is not a judged report" in capsys.readouterr().err
    assert main([str(tmp_path / "absent"), "--models", str(models)]) == 2
