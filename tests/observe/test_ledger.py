"""The ledger: what was acknowledged is kept, whoever writes beside, however a writer ends."""

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

from findingmodel import Index, LeaseHeldError, Settings
from findingmodel.observe.ledger import Place, place_of, read_history
from findingmodel.observe.ledger_writer import Ledger, append_lines
from findingmodel.settings import state_directory
from tests.builders import write_model
from tests.stores.samples import make_lease
from tests.torture.disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "ledger.jsonl"


def note(run: object, outcome: str = "done", **facts: Any) -> dict[str, Any]:
    return {"run": str(run), "outcome": outcome, "db": "x", "branch": "main", **facts}


def runs_in(path: Path, limit: int = 100_000) -> list[str]:
    """The runs that are told of, the first one first."""
    notes, torn = read_history(Place(path, "x", "main", is_shared=False), limit=limit)
    assert torn == 0
    return [found["run"] for found in reversed(notes)]


# writing


async def test_what_is_flushed_is_on_the_disk_in_its_order(path: Path) -> None:
    ledger = Ledger(path)
    for number in range(100):
        ledger.append(note(number))
    await ledger.flush()
    assert runs_in(path) == [str(number) for number in range(100)]
    await ledger.close()
    await ledger.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_what_comes_while_one_batch_is_written_is_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (syncs.append(file), fsync(file))[1])
    ledger = Ledger(path)
    for number in range(1_000):
        ledger.append(note(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await ledger.flush()
    assert len(runs_in(path)) == 1_000
    assert 1 <= len(syncs) <= 12


async def test_who_waits_may_be_cancelled_and_nothing_is_lost(path: Path) -> None:
    ledger = Ledger(path)
    ledger.append(note(1))
    waiting = asyncio.create_task(ledger.flush())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    ledger.append(note(2))
    await ledger.flush()
    assert runs_in(path) == ["1", "2"]


def test_one_ledger_serves_one_event_loop_after_another_and_none(path: Path) -> None:
    ledger = Ledger(path)

    async def write(number: int) -> None:
        ledger.append(note(number))
        await ledger.flush()

    for number in range(3):
        asyncio.run(write(number))
    ledger.append(note(3))
    asyncio.run(ledger.close())
    assert runs_in(path) == ["0", "1", "2", "3"]


NEITHER_FLUSHES_NOR_CLOSES = """
import sys
from pathlib import Path
from findingmodel.observe.ledger_writer import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.append({"run": "1", "outcome": "done", "db": "x", "branch": "main"})
"""


def test_a_program_that_ends_as_it_should_loses_nothing(path: Path) -> None:
    subprocess.run([sys.executable, "-c", NEITHER_FLUSHES_NOR_CLOSES, path], check=True, cwd=ROOT)
    assert runs_in(path) == ["1"]


# several writers

WRITES_MUCH = """
import asyncio, sys
from pathlib import Path
from findingmodel.observe.ledger_writer import Ledger

async def write(who):
    ledger = Ledger(Path(sys.argv[1]), max_bytes=10_000, keep=1_000)
    for number in range(200):
        note = {"run": f"{who}-{number}", "outcome": "done", "db": "x", "branch": "main"}
        ledger.append({**note, "pad": "x" * 50})
        if number % 7 == 0:
            await ledger.flush()
            print(number, flush=True)
    await ledger.close()

asyncio.run(write(sys.argv[2]))
"""


def writers(path: Path, count: int) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITES_MUCH, str(path)]
    return [
        subprocess.Popen([*command, str(who)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for who in range(count)
    ]


def test_several_processes_write_to_one_file_that_is_put_aside_often(path: Path) -> None:
    for process in writers(path, 4):
        out, _ = process.communicate()
        assert process.returncode == 0, out
    found = runs_in(path)
    assert sorted(found) == sorted(f"{who}-{number}" for who in range(4) for number in range(200))
    for who in range(4):
        own = [run for run in found if run.startswith(f"{who}-")]
        assert own == [f"{who}-{number}" for number in range(200)]
    assert len(list(path.parent.glob("ledger.jsonl.*"))) > 5
    assert all(file.stat().st_size <= 10_000 for file in path.parent.iterdir())


def test_a_writer_that_is_killed_takes_nothing_with_it_that_it_was_sure_of(path: Path) -> None:
    doomed, other = writers(path, 2)
    assert doomed.stdout is not None
    sure = [int(doomed.stdout.readline()) for _ in range(5)]
    doomed.send_signal(signal.SIGKILL)
    rest, _ = doomed.communicate()
    sure += map(int, rest.split())
    other.communicate()
    notes, torn = read_history(Place(path, "x", "main", is_shared=False), limit=100_000)
    found = {note["run"] for note in notes}
    assert {f"0-{number}" for number in range(max(sure) + 1)} <= found
    assert {f"1-{number}" for number in range(200)} <= found
    assert torn <= 1


# reading what was cut short


@given(cut=st.integers(1, 60))
def test_a_line_that_was_cut_short_is_passed_over_and_harms_no_other(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    lines = [json.dumps(note(number)).encode() + b"\n" for number in range(3)]
    path.write_bytes(lines[0] + lines[1][:-cut])
    append_lines(path, lines[2], 1_000_000, 5)
    notes, torn = read_history(Place(path, "x", "main", is_shared=False), limit=10)
    assert [found["run"] for found in notes] == (["2", "1", "0"] if cut == 1 else ["2", "0"])
    assert torn == (0 if cut == 1 else 1)


@pytest.mark.parametrize("size", [0, 2**20 - 1, 2**20, 2**20 + 1, 2**21, 9_000_000])
def test_a_line_of_any_length_is_read_or_passed_over(path: Path, size: int) -> None:
    lines = [json.dumps(note(1, long="x" * size)), *(json.dumps(note(number)) for number in (2, 3))]
    append_lines(path, "".join(f"{line}\n" for line in lines).encode(), 100_000_000, 5)
    found, torn = read_history(Place(path, "x", "main", is_shared=False), limit=10)
    assert [one["run"] for one in found] == (["3", "2", "1"] if size < 8_000_000 else ["3", "2"])
    assert torn == (0 if size < 8_000_000 else 1)


def test_of_a_long_ledger_no_more_is_read_than_is_asked_for(path: Path) -> None:
    append_lines(path, b"".join(json.dumps(note(n)).encode() + b"\n" for n in range(20)), 10**9, 5)
    with path.open("r+b") as file:  # a hole, larger than any memory, before the last lines
        lines = file.read()
        file.truncate(0)
        file.seek(2**40)
        file.write(b"\n" + lines)
    notes, torn = read_history(Place(path, "x", "main", is_shared=False), limit=20)
    assert ([one["run"] for one in notes], torn) == ([str(n) for n in reversed(range(20))], 0)


def test_what_is_no_file_is_no_ledger_and_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(OSError, match="no file"):
        read_history(Place(path, "x", "main", is_shared=False), limit=1)


@given(st.binary(max_size=300))
def test_any_bytes_are_no_ledger_and_no_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    path.write_bytes(data)
    read_history(Place(path, "x", "main", is_shared=False), limit=10)
    append_lines(path, json.dumps(note("last")).encode() + b"\n", 1_000_000, 5)
    notes, _ = read_history(Place(path, "x", "main", is_shared=False), limit=1)
    assert [found["run"] for found in notes] == ["last"]


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
def test_what_has_not_the_form_of_a_note_is_passed_over(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(f"{json.dumps(note(1))}\n{line}\n")
    found, torn = read_history(Place(path, "x", "main", is_shared=False), limit=10)
    assert [one["run"] for one in found] == ["1"]
    assert torn == 1


def test_what_has_begun_is_told_until_its_end_is(path: Path) -> None:
    lines = [note(1, "begun"), note(2, "begun"), note(2, "done")]
    append_lines(path, b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1_000_000, 5)
    notes, _ = read_history(Place(path, "x", "main", is_shared=False), limit=10)
    assert [(found["run"], found["outcome"]) for found in notes] == [("2", "done"), ("1", "begun")]


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_as_many_files_are_kept_as_asked_for_and_the_newest(path: Path, keep: int) -> None:
    path.parent.mkdir()
    for number in range(8):
        append_lines(path, json.dumps(note(number)).encode() + b"\n", 10, keep)
    assert len(list(path.parent.iterdir())) == keep + 1
    assert runs_in(path) == [str(number) for number in range(7 - keep, 8)]
    append_lines(path, json.dumps(note(8)).encode() + b"\n", 10, 0)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# where it lies


def test_each_index_has_its_own_place(tmp_path: Path) -> None:
    file = place_of(Settings(db=f"sqlite:///{tmp_path}/x.db"))
    assert (file.path, file.is_shared) == (tmp_path / "x.db.ledger.jsonl", False)
    server = place_of(Settings(db="mongodb://ann:hunter2@db.example/findings"))
    assert server.path == state_directory() / "mongodb.ledger.jsonl"
    assert server.db == "mongodb://ann:***@db.example/findings"
    chosen = place_of(Settings(db=f"sqlite:///{tmp_path}/x.db", ledger=str(tmp_path / "all")))
    assert (chosen.path, chosen.is_shared) == (tmp_path / "all", True)
    assert place_of(Settings(db="sqlite://")).path is None
    assert place_of(Settings(db="x.db", ledger="off")).path is None


def test_one_file_for_several_indexes_tells_of_each_its_own(path: Path) -> None:
    lines = [note(1), note(2, db="y"), note(3, branch="other")]
    append_lines(path, b"".join(json.dumps(line).encode() + b"\n" for line in lines), 1_000_000, 5)
    notes, _ = read_history(Place(path, "x", "main", is_shared=True), limit=10)
    assert [found["run"] for found in notes] == ["1"]


# what an index notes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(db=f"sqlite:///{tmp_path}/x.db")


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


def told(settings: Settings) -> Iterator[dict[str, Any]]:
    """What the ledger tells, the first note first."""
    return reversed(read_history(place_of(settings), limit=100).notes)


async def test_every_change_is_told_with_who_and_what(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs, dry_run=True)
        await index.update_from_directory(defs)
        await index.update_from_directory(defs)  # changes nothing
        await index.remove_entry("OIFM_TEST_000003")
        write_model(defs, "1.fm.json", 1, description="Another text, that is longer.")
        await index.add_or_update_entry_from_file(defs / "1.fm.json")
        (defs / "2.fm.json").write_text("{")
        await index.update_from_directory(defs)
    notes = list(told(settings))
    assert [(one["action"], one["outcome"]) for one in notes] == [
        ("update", "done"),
        ("remove", "done"),
        ("add", "done"),
        ("update", "done"),
    ]
    first, removed, added, last = notes
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


async def test_what_was_refused_or_failed_is_told_too(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs)
        empty = defs / "empty"
        empty.mkdir()
        assert (await index.update_from_directory(empty)).refused
        store: Any = index._store
        assert await store.acquire(make_lease("stranger", expires_ns=2**62)) is None
        write_model(defs, "4.fm.json", 4)
        with pytest.raises(LeaseHeldError):
            await index.update_from_directory(defs)
    assert [one["outcome"] for one in told(settings)] == ["done", "refused", "failed"]
    *_, last = told(settings)
    assert "another update is running, process 1 on elsewhere" in last["error"]


async def test_a_cancelled_update_tells_what_it_had_written(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        store: Any = index._store
        write, is_written, may_end = store.write, asyncio.Event(), asyncio.Event()

        async def write_and_wait(batch: Any) -> None:
            await write(batch)
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
    (one,) = told(settings)
    assert (one["outcome"], one["written"]) == ("interrupted", {"models": 3, "removals": 0})


async def test_a_ledger_that_cannot_be_written_stops_nothing_and_is_told_once(
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
        line = json.dumps(note(1, pad="x" * 1_000)).encode() + b"\n"
        written = 0
        while written < 100 and fits(path, line):
            written += 1
        assert path.read_bytes() == line * written
        assert 5 < written < 100


async def test_a_dry_run_leaves_no_file(settings: Settings, defs: Path) -> None:
    async with Index(settings=settings) as index:
        await index.update_from_directory(defs, dry_run=True)
    place = place_of(settings).path
    assert place is not None
    assert not place.exists()
