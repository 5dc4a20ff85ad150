"""load: a file is read once, and the same bytes are hashed and parsed."""

from __future__ import annotations

import hashlib
import os
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findingmodel.stores.records import unpack
from findingmodel.update.load import Loader, UnreadableError, read_stable
from findingmodel.update.scan import SourceFile, scan
from tests.builders import make_model, model_bytes, write_model

if TYPE_CHECKING:
    from findingmodel.update.load import Loaded

LIMIT = 1_000_000


def load(directory: Path, name: str = "a.fm.json", **known: Any) -> Loaded:
    return Loader(str(directory), LIMIT, **known).load(SourceFile(name, 1, 1))


def code(loaded: Loaded) -> str:
    (problem,) = loaded.problems
    assert problem.pointer == ""
    assert (loaded.record, loaded.same_as, loaded.warnings) == (None, None, ())
    return problem.code


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_valid_file_becomes_a_record_of_the_same_bytes(tmp_path: Path) -> None:
    path = write_model(tmp_path, "a.fm.json", 5)
    before = time.time_ns()
    loaded = load(tmp_path)
    data = path.read_bytes()
    assert loaded.file[:4] == ("a.fm.json", len(data), path.stat().st_mtime_ns, sha256(data))
    assert before <= loaded.file.indexed_ns <= time.time_ns()
    assert loaded.record is not None
    assert unpack(loaded.record.model) == data
    assert loaded.record.file == loaded.file._replace(oifm_id="OIFM_TEST_000005", contributors=("TEST",))
    assert loaded.record.entry["name"] == make_model(5)["name"]
    assert (loaded.same_as, loaded.problems, loaded.warnings) == (None, (), ())


def test_an_odd_file_becomes_a_record_with_a_warning(tmp_path: Path) -> None:
    write_model(tmp_path, "a.fm.json", 5, colour="red")
    loaded = load(tmp_path)
    assert loaded.record is not None
    assert [(found.pointer, found.code) for found in loaded.warnings] == [("/colour", "unknown-field")]


def test_a_bad_file_has_problems_and_its_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.fm.json").write_bytes(b"{")
    loaded = load(tmp_path)
    assert code(loaded) == "not-json"
    assert loaded.file.sha256 == sha256(b"{")


def test_known_bytes_of_a_path_are_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "a.fm.json").write_bytes(b"{")
    loaded = load(tmp_path, fingerprints={"a.fm.json": sha256(b"{")}, lost={sha256(b"{"): "old.fm.json"})
    assert (loaded.same_as, loaded.record, loaded.problems) == ("a.fm.json", None, ())


def test_the_bytes_of_a_missing_path_mean_a_moved_file(tmp_path: Path) -> None:
    (tmp_path / "a.fm.json").write_bytes(b"{")
    loaded = load(tmp_path, fingerprints={"a.fm.json": sha256(b"[")}, lost={sha256(b"{"): "old.fm.json"})
    assert loaded.same_as == "old.fm.json"


def test_a_loader_without_manifest_parses_every_file(tmp_path: Path) -> None:
    data = write_model(tmp_path, "a.fm.json").read_bytes()
    loader = Loader(str(tmp_path), LIMIT, {"a.fm.json": sha256(data)}, {sha256(data): "old.fm.json"})
    assert loader.without_manifest().load(SourceFile("a.fm.json", 1, 1)).record is not None


def test_what_the_store_refuses_is_a_problem(tmp_path: Path) -> None:
    write_model(tmp_path, "a.fm.json")
    loader = Loader(str(tmp_path), LIMIT, refuses=lambda record: f"{record.entry['oifm_id']} is too much")
    (problem,) = loader.load(SourceFile("a.fm.json", 1, 1)).problems
    assert problem == ("", "not-written", "OIFM_TEST_000001 is too much")


def test_a_chunk_is_loaded_in_order_and_a_bad_file_stops_no_other_file(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path, f"{number}.fm.json", number)
    (tmp_path / "2.fm.json").write_bytes(b"")
    sources = scan(tmp_path).files[::-1]
    loaded = Loader(str(tmp_path), LIMIT).load_chunk(sources)
    assert [one.file.path for one in loaded] == ["3.fm.json", "2.fm.json", "1.fm.json"]
    assert [one.record is not None for one in loaded] == [True, False, True]


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.tuples(st.binary(max_size=4), st.integers(0, 400)))
def test_no_bytes_make_loading_raise(tmp_path: Path, spoil: bytes | tuple[bytes, int]) -> None:
    if isinstance(spoil, bytes):
        data = spoil
    else:
        piece, place = spoil
        data = model_bytes()[:place] + piece + model_bytes()[place + len(piece) :]
    (tmp_path / "a.fm.json").write_bytes(data)
    loaded = load(tmp_path)
    assert (loaded.record is None) == bool(loaded.problems)
    assert loaded.file.sha256 == sha256(data)


def test_a_file_of_the_maximum_size_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.fm.json"
    path.write_bytes(b" " * LIMIT)
    assert code(load(tmp_path)) == "empty"
    path.write_bytes(b" " * (LIMIT + 1))
    assert code(load(tmp_path)) == "too-large"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.fm.json").open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    try:
        assert code(load(tmp_path)) == "too-large"
        assert tracemalloc.get_traced_memory()[1] < LIMIT
    finally:
        tracemalloc.stop()


def test_a_file_that_cannot_be_read_is_a_problem_with_the_size_and_time_of_the_scan(tmp_path: Path) -> None:
    loaded = Loader(str(tmp_path), LIMIT).load(SourceFile("gone.fm.json", 12, 34))
    assert code(loaded) == "vanished"
    assert loaded.file[:4] == ("gone.fm.json", 12, 34, "")
    (tmp_path / "a.fm.json").mkdir()
    assert code(load(tmp_path)) == "not-a-file"
    os.mkfifo(tmp_path / "pipe.fm.json")
    assert code(load(tmp_path, "pipe.fm.json")) == "not-a-file"
    assert code(load(tmp_path, "a.fm.json/b.fm.json")) == "vanished"
    assert code(load(tmp_path, "x" * 300)) == "unreadable"


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_file_that_became_a_link_after_the_scan_is_read_only_inside_the_directory(
    tmp_path: Path, is_bound: bool
) -> None:
    root = tmp_path / "defs"
    inside, outside = write_model(root, "a.fm.json", 1), write_model(tmp_path, "b.fm.json", 2)
    (root / "in.fm.json").symlink_to(inside)
    (root / "out.fm.json").symlink_to(outside)
    (root / "round.fm.json").symlink_to("round.fm.json")
    loader = Loader(str(root), LIMIT, is_bound=is_bound)
    sources = [SourceFile(f"{name}.fm.json", 1, 1) for name in ("in", "out", "round")]
    within, beyond, circle = loader.load_chunk(sources)
    assert within.record is not None
    assert (beyond.record is None) == is_bound
    assert [problem.code for problem in beyond.problems] == ["link"] * is_bound
    assert [problem.code for problem in circle.problems] == ["unreadable"]


def test_a_file_that_reports_a_wrong_size_is_unstable() -> None:
    path = Path("/proc/self/status")  # reports size 0, and is not empty
    if not path.exists():
        pytest.skip("there is no /proc here")
    with pytest.raises(UnreadableError) as caught:
        read_stable(str(path), LIMIT)
    assert caught.value.problem.code == "unstable"
