"""The ledger: acknowledged entries are kept, with other writers at work and however a writer ends."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel import Index, LeaseHeldError, Settings, StoreUnavailableError
from findingmodel.observe.ledger import History, LedgerLocation, locate_ledger, read_history
from findingmodel.observe.ledger_recorder import LedgerWriter, append_lines
from findingmodel.settings import state_directory
from tests.builders import write_model
from tests.stores.samples import LONG_SECONDS, make_writer
from tests.torture.disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.jsonl"


def make_entry(run: object, outcome: str = "done", **facts: Any) -> dict[str, Any]:
    return {"run": str(run), "outcome": outcome, "db": "x", "branch": "main", **facts}


def history_of(path: Path, limit: int = 100_000, *, is_shared: bool = False) -> History:
    return read_history(LedgerLocation(path, "x", "main", is_shared=is_shared), limit=limit)


def runs_in(path: Path) -> list[str]:
    """The recorded runs, oldest first."""
    entries, torn = history_of(path)
    assert torn == 0
    return [entry["run"] for entry in reversed(entries)]


# writing


async def test_flushed_entries_are_on_the_disk_in_order(path: Path) -> None:
    ledger = LedgerWriter(path)
    for number in range(100):
        ledger.append(make_entry(number))
    await ledger.flush()
    assert runs_in(path) == [str(number) for number in range(100)]
    await ledger.flush()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_entries_appended_during_a_write_form_the_next_batch(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (syncs.append(file), fsync(file))[1])
    ledger = LedgerWriter(path)
    for number in range(1_000):
        ledger.append(make_entry(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await ledger.flush()
    assert len(runs_in(path)) == 1_000
    assert 1 <= len(syncs) <= 12


async def test_a_cancelled_flush_loses_no_entry(path: Path) -> None:
    ledger = LedgerWriter(path)
    ledger.append(make_entry(1))
    waiting = asyncio.create_task(ledger.flush())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    ledger.append(make_entry(2))
    await ledger.flush()
    assert runs_in(path) == ["1", "2"]


def test_a_writer_serves_several_event_loops_in_turn_and_works_without_one(path: Path) -> None:
    ledger = LedgerWriter(path)

    async def write(number: int) -> None:
        ledger.append(make_entry(number))
        await ledger.flush()

    for number in range(3):
        asyncio.run(write(number))
    ledger.append(make_entry(3))
    asyncio.run(ledger.flush())
    assert runs_in(path) == ["0", "1", "2", "3"]


ENDS_WITHOUT_FLUSH = """
import sys
from pathlib import Path
from findingmodel.observe.ledger_recorder import LedgerWriter
ledger = LedgerWriter(Path(sys.argv[1]))
ledger.append({"run": "1", "outcome": "done", "db": "x", "branch": "main"})
"""


def test_a_program_that_ends_without_a_flush_loses_no_entry(path: Path) -> None:
    subprocess.run([sys.executable, "-c", ENDS_WITHOUT_FLUSH, path], check=True, cwd=ROOT)
    assert runs_in(path) == ["1"]


# several writers

WRITES_MUCH = """
import asyncio, sys
from pathlib import Path
from findingmodel.observe.ledger_recorder import LedgerWriter

async def write(who):
    ledger = LedgerWriter(Path(sys.argv[1]), max_bytes=10_000, keep=1_000)
    for number in range(200):
        entry = {"run": f"{who}-{number}", "outcome": "done", "db": "x", "branch": "main"}
        ledger.append({**entry, "pad": "x" * 50})
        if number % 7 == 0:
            await ledger.flush()
            print(number, flush=True)
    await ledger.flush()

asyncio.run(write(sys.argv[2]))
"""


def writers(path: Path, count: int) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITES_MUCH, str(path)]
    return [
        subprocess.Popen([*command, str(who)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for who in range(count)
    ]


def test_several_processes_write_to_one_file_that_is_rotated_often(path: Path) -> None:
    for process in writers(path, 4):
        out, _ = process.communicate()
        assert process.returncode == 0, out
    recorded = runs_in(path)
    assert sorted(recorded) == sorted(f"{who}-{number}" for who in range(4) for number in range(200))
    for who in range(4):
        own = [run for run in recorded if run.startswith(f"{who}-")]
        assert own == [f"{who}-{number}" for number in range(200)]
    assert len(list(path.parent.glob("ledger.jsonl.*"))) > 5
    assert all(file.stat().st_size <= 10_000 for file in path.parent.iterdir())


def test_a_killed_writer_loses_no_flushed_entry(path: Path) -> None:
    doomed, other = writers(path, 2)
    assert doomed.stdout is not None
    sure = [int(doomed.stdout.readline()) for _ in range(5)]
    doomed.send_signal(signal.SIGKILL)
    rest, _ = doomed.communicate()
    sure += map(int, rest.split())
    other.communicate()
    entries, torn = history_of(path)
    recorded = {entry["run"] for entry in entries}
    assert {f"0-{number}" for number in range(max(sure) + 1)} <= recorded
    assert {f"1-{number}" for number in range(200)} <= recorded
    assert torn <= 1


# reading damaged files


@given(cut=st.integers(1, 60))
def test_a_line_that_was_cut_short_is_skipped_alone(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    lines = [json.dumps(make_entry(number)).encode() + b"\n" for number in range(3)]
    path.write_bytes(lines[0] + lines[1][:-cut])
    append_lines(path, lines[2], 1_000_000, 5)
    entries, torn = history_of(path, 10)
    assert [entry["run"] for entry in entries] == (["2", "1", "0"] if cut == 1 else ["2", "0"])
    assert torn == (0 if cut == 1 else 1)


@pytest.mark.parametrize("size", [0, 2**20 - 1, 2**20, 2**20 + 1, 2**21, 9_000_000])
def test_lines_up_to_8_mb_are_read_and_longer_ones_skipped(path: Path, size: int) -> None:
    lines = [
        json.dumps(make_entry(1, long="x" * size)),
        *(json.dumps(make_entry(number)) for number in (2, 3)),
    ]
    append_lines(path, "".join(f"{line}\n" for line in lines).encode(), 100_000_000, 5)
    entries, torn = history_of(path, 10)
    assert [entry["run"] for entry in entries] == (["3", "2", "1"] if size < 8_000_000 else ["3", "2"])
    assert torn == (0 if size < 8_000_000 else 1)


def test_a_long_ledger_is_read_only_as_far_as_needed(path: Path) -> None:
    append_lines(path, b"".join(json.dumps(make_entry(n)).encode() + b"\n" for n in range(20)), 10**9, 5)
    with path.open("r+b") as file:  # a hole, larger than any memory, before the last lines
        lines = file.read()
        file.truncate(0)
        file.seek(2**40)
        file.write(b"\n" + lines)
    entries, torn = history_of(path, 20)
    assert ([entry["run"] for entry in entries], torn) == ([str(n) for n in reversed(range(20))], 0)


def test_a_pipe_is_refused_without_blocking(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a file"):
        history_of(path, 1)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_cause_no_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    path.write_bytes(data)
    history_of(path, 10)
    append_lines(path, json.dumps(make_entry("last")).encode() + b"\n", 1_000_000, 5)
    entries, _ = history_of(path, 1)
    assert [entry["run"] for entry in entries] == ["last"]


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"run": [], "outcome": "done"}',
        '{"run": "1", "outcome": 5}',
        '{"run": "1", "outcome": "done", "counts": {"added": "x"}}',
        '{"run": "1", "outcome": "done", "counts": [1]}',
        '{"run": "1", "outcome": "refused", "refused": "yes"}',
    ],
)
def test_a_line_without_the_form_of_an_entry_is_skipped(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(f"{json.dumps(make_entry(1))}\n{line}\n")
    entries, torn = history_of(path, 10)
    assert [entry["run"] for entry in entries] == ["1"]
    assert torn == 1


def test_a_begun_update_is_listed_until_its_end_is_recorded(path: Path) -> None:
    lines = [make_entry(1, "begun"), make_entry(2, "begun"), make_entry(2, "done")]
    append_lines(path, b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1_000_000, 5)
    entries, _ = history_of(path, 10)
    assert [(entry["run"], entry["outcome"]) for entry in entries] == [("2", "done"), ("1", "begun")]


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_the_newest_files_are_kept(path: Path, keep: int) -> None:
    path.parent.mkdir()
    for number in range(8):
        append_lines(path, json.dumps(make_entry(number)).encode() + b"\n", 10, keep)
    assert len(list(path.parent.iterdir())) == keep + 1
    assert runs_in(path) == [str(number) for number in range(7 - keep, 8)]
    append_lines(path, json.dumps(make_entry(8)).encode() + b"\n", 10, 0)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# where it is


def test_the_location_depends_on_the_store_and_the_setting(tmp_path: Path) -> None:
    beside = locate_ledger(Settings(db=f"sqlite:///{tmp_path}/x.db"))
    assert (beside.path, beside.is_shared) == (tmp_path / "x.db.ledger.jsonl", False)
    server = locate_ledger(Settings(db="mongodb://ann:hunter2@db.example/findings"))
    assert server.path == state_directory() / "mongodb.ledger.jsonl"
    assert server.db == "mongodb://ann:***@db.example/findings"
    chosen = locate_ledger(Settings(db=f"sqlite:///{tmp_path}/x.db", ledger=str(tmp_path / "all")))
    assert (chosen.path, chosen.is_shared) == (tmp_path / "all", True)
    assert locate_ledger(Settings(db="sqlite://")).path is None
    assert locate_ledger(Settings(db="x.db", ledger="off")).path is None


def test_a_shared_file_lists_only_the_entries_of_the_index(path: Path) -> None:
    lines = [make_entry(1), make_entry(2, db="y"), make_entry(3, branch="other")]
    append_lines(path, b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1_000_000, 5)
    entries, _ = history_of(path, 10, is_shared=True)
    assert [entry["run"] for entry in entries] == ["1"]


# what an index records


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(db=f"sqlite:///{tmp_path}/x.db")


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


def entries_of(settings: Settings) -> Iterator[dict[str, Any]]:
    """The entries about an index, oldest first."""
    return reversed(read_history(locate_ledger(settings), limit=100).entries)


async def test_every_change_is_recorded_with_its_author_and_counts(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs, dry_run=True)
        await index.update_from_directory(defs)
        await index.update_from_directory(defs)  # changes nothing
        await index.remove_entry("OIFM_TEST_000003")
        write_model(defs, "1.fm.json", 1, description="Another text, that is longer.")
        await index.add_or_update_entry_from_file(defs / "1.fm.json")
        (defs / "2.fm.json").write_text("{")
        await index.update_from_directory(defs)
    entries = list(entries_of(settings))
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("update", "done"),
        ("remove", "done"),
        ("add", "done"),
        ("update", "done"),
    ]
    first, removed, added, last = entries
    assert first["changes"]["added"] == [f"OIFM_TEST_{number:06}" for number in (1, 2, 3)]
    assert first["counts"]["added"] == 3
    assert (first["directory"], first["pid"], first["branch"]) == (str(defs), os.getpid(), "main")
    assert first["host"]
    assert first["user"]
    assert first["version"]
    assert first["seconds"] >= 0
    assert removed["changes"]["removed"] == ["OIFM_TEST_000003"]
    assert added["changes"]["updated"] == ["OIFM_TEST_000001"]
    assert last["failures"] == ["2.fm.json"]


async def test_refusals_and_failures_are_recorded(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs)
        empty = defs / "empty"
        empty.mkdir()
        assert (await index.update_from_directory(empty)).refused
        store: Any = index._store
        assert await store.leases.acquire(make_writer("stranger"), LONG_SECONDS) is None
        write_model(defs, "4.fm.json", 4)
        with pytest.raises(LeaseHeldError):
            await index.update_from_directory(defs)
    assert [entry["outcome"] for entry in entries_of(settings)] == ["done", "refused", "failed"]
    *_, last = entries_of(settings)
    assert "another update is running, process 1 on elsewhere" in last["error"]


async def test_a_cancelled_update_records_what_it_had_written(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        store: Any = index._store
        write, is_written, may_end = store.write, asyncio.Event(), asyncio.Event()

        async def write_and_wait(batch: Any, writer: Any) -> None:
            await write(batch, writer)
            is_written.set()
            await may_end.wait()

        store.write = write_and_wait
        updating = asyncio.create_task(index.update_from_directory(defs))
        await is_written.wait()
        updating.cancel()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await updating
        assert await index.count() == 3
    (entry,) = entries_of(settings)
    assert (entry["outcome"], entry["written"]) == ("interrupted", {"models": 3, "removals": 0})


async def test_a_ledger_that_cannot_be_written_is_one_warning(
    tmp_path: Path, defs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings = Settings(db=f"sqlite:///{tmp_path}/x.db", ledger=str(tmp_path / "file" / "ledger"))
    async with Index(settings=settings) as index:
        assert (await index.update_from_directory(defs)).added == 3
        await index.remove_entry("OIFM_TEST_000003")
        assert await index.count() == 2
    (line,) = caplog.messages
    assert line.startswith("cannot write the ledger ")


async def test_a_ledger_that_fails_like_the_index_adds_no_warning(
    tmp_path: Path, defs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    async with Index(str(tmp_path / "file" / "x.db")) as index:
        with pytest.raises(StoreUnavailableError, match=r"Not a directory|File exists"):
            await index.update_from_directory(defs)
    assert caplog.messages == []


def fits(path: Path, line: bytes) -> bool:
    try:
        append_lines(path, line, 1_000_000, 5)
    except OSError as error:
        return error.errno != errno.ENOSPC
    return True


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 16) as is_small:
        if not is_small:
            pytest.skip("this user may not mount a disk")
        path = tmp_path / "disk" / "ledger.jsonl"
        line = json.dumps(make_entry(1, pad="x" * 1_000)).encode() + b"\n"
        written = 0
        while written < 100 and fits(path, line):
            written += 1
        assert path.read_bytes() == line * written
        assert 5 < written < 100


async def test_a_dry_run_leaves_no_file(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs, dry_run=True)
    path = locate_ledger(settings).path
    assert path is not None
    assert not path.exists()
