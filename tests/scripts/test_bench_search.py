from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.bench_search import main
from tests.cli.commands import SAMPLES, run


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ratios_to_bare_full_text_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("index", "update", SAMPLES, "--db", tmp_path / "x.db")
    capsys.readouterr()
    assert main([str(tmp_path / "x.db"), str(SAMPLES.parent / "queries.jsonl"), "--rounds", "1"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines if line] == ["word", "speller", "p50", "FTS5,", "FTS5,", "ours", "48"]
    (ours,) = (line for line in lines if line[:1] == ["ours"])
    assert ours[2] == ours[4] == "1.0"
    assert sys.modules["scripts.bench_search"].resident_bytes() > 0


def test_an_invalid_index_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.db").write_text("a letter")
    assert main([str(tmp_path / "x.db"), str(SAMPLES.parent / "queries.jsonl")]) == 2
    assert capsys.readouterr().err.startswith("bench_search: ")


def test_an_empty_query_file_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "q.txt").write_text("\n")
    assert main([str(tmp_path / "x.db"), str(tmp_path / "q.txt")]) == 2
    assert "contains no query" in capsys.readouterr().err
