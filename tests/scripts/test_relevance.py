from __future__ import annotations

import json
from pathlib import Path

import pytest
from judging.measures import mean_reciprocal_rank, recall

from scripts.relevance import main
from tests.builders import make_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    directory = tmp_path / "defs"
    directory.mkdir()
    for number, name in enumerate(("lung nodule", "kidney stone", "big heart"), 1):
        model = make_model(number, name=name, synonyms=[f"alias {number}"])
        (directory / f"{number}.fm.json").write_text(json.dumps(model))
    return directory


def judged(path: Path, *rows: dict) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


def test_ranks_and_recall_follow_their_definitions() -> None:
    relevant = {"a": 2, "b": 1, "c": 2}
    assert mean_reciprocal_rank(relevant, ["x", "b", "c", "a"]) == pytest.approx(1 / 3)
    assert mean_reciprocal_rank(relevant, list("0123456789a")) == 0
    assert recall(relevant, ["x", "b", "c"]) == pytest.approx(2 / 3)
    assert recall({str(number): 1 for number in range(20)}, [str(number) for number in range(10)]) == 1


def test_both_searches_are_measured_by_category(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qrels = judged(
        tmp_path / "q.jsonl",
        {"qid": "1", "query": "lung nodule", "category": "name", "relevant": {"OIFM_TEST_000001": 2}},
        {"qid": "2", "query": "renal calculus", "category": "meaning", "relevant": {"OIFM_TEST_000002": 2}},
        {"qid": "3", "query": "xyzzy", "category": "none", "relevant": {}},
        {
            "qid": "4",
            "query": "alias 3",
            "category": "dropped",
            "relevant": {"OIFM_TEST_000003": 2},
            "drop": {"oifm_id": "OIFM_TEST_000003", "synonym": "alias 3"},
        },
    )
    assert main([qrels, "--models", str(models), "--worst", "1", "--ablate"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (ablation,) = (number for number, line in enumerate(lines) if line.startswith("without"))
    assert [line.split()[0] for line in lines[ablation + 1 : ablation + 4]] == [
        *("(nothing)", "compound", "initials"),
    ]
    table = {line.split()[0]: line.split()[1:] for line in lines[2:6]}
    assert table["name"] == ["1", "1.000", "1.000", "0.00", "1.000", "1.000", "0.00"]
    assert table["meaning"][1:] == ["0.000", "0.000", "1.00", "1.000", "1.000", "0.00"]
    assert table["none"][-1] == "1.00"
    assert lines[-1].startswith("4 'alias 3': expected big heart")


@pytest.mark.parametrize("line", ["{", "[]", '{"qid": "1"}'])
def test_a_bad_line_is_named(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(line)
    assert main([str(path), "--models", str(models)]) == 2
    assert "q.jsonl, line 1" in capsys.readouterr().err


def test_an_empty_query_file_is_exit_2(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([judged(tmp_path / "q.jsonl"), "--models", str(models)]) == 2
    assert "no judged queries" in capsys.readouterr().err


def test_sample_queries_find_the_expected_models(capsys: pytest.CaptureFixture[str]) -> None:
    samples = Path(__file__).parent.parent.parent / "samples"
    assert main([str(samples / "queries.jsonl"), "--models", str(samples / "defs")]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:-1]]
    ranks = {line[0]: float(line[-3]) for line in lines if line[0] != "no_answer"}
    assert min(ranks.values()) >= 0.9, ranks
    (told,) = [float(line[-1]) for line in lines if line[0] == "no_answer"]
    assert told >= 0.8  # empty or unmatched
