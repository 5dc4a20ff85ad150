"""The file of pairs that are not duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.author.not_duplicates import add_pair, read_pairs
from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = (f"OIFM_TEST_{number:06d}" for number in (1, 2, 3))


def entry(oifm_id: str, name: str = "lung\nnodule") -> Any:
    return {"oifm_id": oifm_id, "name": name}


def test_a_file_that_does_not_exist_has_no_pairs(tmp_path: Path) -> None:
    assert read_pairs(tmp_path / "pairs.txt") == frozenset()


def test_pairs_are_added_once_in_any_order_with_the_names_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    assert add_pair(path, entry(B), entry(A, "cyst"))
    assert not add_pair(path, entry(A), entry(B))
    assert path.read_text().splitlines()[1:] == [f"{A} {B}  # cyst, lung nodule"]
    assert read_pairs(path) == {frozenset((A, B))}


def test_everything_else_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    text = f"# ours\r\n\r\n  {A}\t{B} # é"
    path.write_bytes(text.encode())
    add_pair(path, entry(A), entry(C))
    assert path.read_bytes().decode().startswith(f"{text}\n{A} {C}")
    assert read_pairs(path) == {frozenset((A, B)), frozenset((A, C))}


@pytest.mark.parametrize("line", [A, f"{A} {B} {C}", f"{A} {B[:-1]}", "one two"])
def test_a_line_that_is_not_a_pair_is_named_and_nothing_is_written(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(f"# pairs\n{line}\n")
    with pytest.raises(ConfigError, match=r"pairs\.txt, line 2: write two ids"):
        add_pair(path, entry(A), entry(C))
    assert path.read_text() == f"# pairs\n{line}\n"


def test_a_model_is_not_a_pair_with_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is one model"):
        add_pair(tmp_path / "pairs.txt", entry(A), entry(A))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pairs(tmp_path / "pairs.txt")
