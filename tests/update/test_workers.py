"""Worker processes that load the files of a large update: same results, and no process left.

Each test runs in a new process, because only a single-threaded process is forked.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import write_model
from tests.processes import completed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has such workers"),
]

FILES = 600
PRELUDE = """
import asyncio, json, os, signal, sys, threading
from pathlib import Path
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.load import Loader
from findingmodel.update.options import UpdateObserver, UpdateOptions
from findingmodel.update.scan import scan
from findingmodel.update.directory import update
from findingmodel.update import workers
from findingmodel.update.workers import Workers, worker_count
from findingmodel.runtime.threads import Threads

directory, database = Path(sys.argv[1]), sys.argv[2]
files = scan(directory).files
chunks = [files[start : start + 50] for start in range(0, len(files), 50)]
loader = Loader(str(directory), 1_000_000)

def facts_of(loaded):
    "Return the result of a file without the time of loading."
    file = loaded.file._replace(indexed_ns=0)
    record = loaded.record and loaded.record._replace(file=loaded.record.file._replace(indexed_ns=0))
    return repr(loaded._replace(file=file, record=record))

def is_childless():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False

expected = [[facts_of(one) for one in loader.load_chunk(chunk)] for chunk in chunks]
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with enough files for workers, one of them broken."""
    path = tmp_path_factory.mktemp("defs")
    for number in range(1, FILES):
        write_model(path, f"model_{number:03d}.fm.json", number)
    (path / "broken.fm.json").write_text("{", encoding="utf-8")
    return path


def run(directory: Path, database: Path, program: str) -> Any:
    """Run *program* after the prelude, and return the JSON that it prints."""
    done = completed(directory, database, program=("-W", "error", "-c", PRELUDE + program))
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_workers_return_the_results_of_loading_in_this_process(directory: Path, tmp_path: Path) -> None:
    program = """
with Workers(loader, chunks, 3) as group:
    got = [[facts_of(one) for one in group.receive()] for _ in chunks]
print(json.dumps([got == expected, is_childless()]))
"""
    assert run(directory, tmp_path / "x.db", program) == [True, True]


def test_this_process_loads_what_a_killed_worker_did_not_send(directory: Path, tmp_path: Path) -> None:
    program = """
with Workers(loader, chunks, 2) as group:
    first = [facts_of(one) for one in group.receive()]
    for pid, _ in group._workers.values():
        os.kill(pid, signal.SIGKILL)
    got = [first, *([facts_of(one) for one in group.receive()] for _ in chunks[1:])]
print(json.dumps([got == expected, is_childless()]))
"""
    assert run(directory, tmp_path / "x.db", program) == [True, True]


def test_this_process_loads_the_files_if_forking_fails(directory: Path, tmp_path: Path) -> None:
    program = """
def refused():
    raise BlockingIOError("no more processes")

os.fork = refused
with Workers(loader, chunks, 2) as group:
    got = [[facts_of(one) for one in group.receive()] for _ in chunks]
print(json.dumps([got == expected, sorted(map(int, os.listdir("/proc/self/fd")))[-1] < 10]))
"""
    assert run(directory, tmp_path / "x.db", program) == [True, True]


def test_workers_end_with_the_block_even_if_nothing_is_received(directory: Path, tmp_path: Path) -> None:
    program = """
with Workers(loader, chunks, 2) as group:
    alive = not is_childless()
print(json.dumps([alive, is_childless(), group.receive()]))
"""
    assert run(directory, tmp_path / "x.db", program) == [True, True, []]


def test_workers_are_used_for_many_files_in_a_single_threaded_process(
    directory: Path, tmp_path: Path
) -> None:
    program = """
os.sched_getaffinity = lambda pid: {0, 1, 2, 3}
few, one, two, all = (499, 2), (500, 1), (500, 2), (500, 9)
counts = [worker_count(files, most=most) for files, most in (few, one, two, all)]
over = threading.Event()
threading.Thread(target=over.wait).start()
counts.append(worker_count(500, most=2))
over.set()
print(json.dumps(counts))
"""
    assert run(directory, tmp_path / "x.db", program) == [0, 0, 2, 4, 0]


UPDATES = """
os.sched_getaffinity = lambda pid: {0, 1}
started = []
start = Workers._start
Workers._start = lambda self, chunks: started.append(len(chunks)) or start(self, chunks)

async def run(concurrency, **hooks):
    threads = Threads()
    store = SQLiteStore(f"{database}{concurrency}", offload=threads)
    try:
        await store.open()
        options = UpdateOptions(concurrency=concurrency)
        report = await update(store, directory, options, UpdateObserver(**hooks), threads=threads)
        manifest = sorted((state.path, state.sha256, state.oifm_id) for state in await store.manifest())
        texts = await store.models([state[2] for state in manifest])
        entries = await store.get([state[2] for state in manifest])
        facts = {**report.as_dict(), "seconds": 0, "db": ""}
        return facts, manifest, entries, {key: text.decode() for key, text in sorted(texts.items())}
    finally:
        await store.close()
        threads.close()
"""


def test_an_update_has_the_same_result_with_and_without_workers(directory: Path, tmp_path: Path) -> None:
    program = """
alone, helped = asyncio.run(run(1)), asyncio.run(run(2))
print(json.dumps([alone == helped, alone[0]["added"], len(started), is_childless()]))
"""
    assert run(directory, tmp_path / "x.db", UPDATES + program) == [True, FILES - 1, 2, True]


def test_an_interrupted_update_leaves_no_process_and_the_next_one_completes_it(
    directory: Path, tmp_path: Path
) -> None:
    program = """
def interrupt(done, total):
    if done < total:
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    asyncio.run(run(2, progress=interrupt))
    ended = "done"
except KeyboardInterrupt:
    ended = "interrupted"
facts = asyncio.run(run(2))
print(json.dumps([ended, facts[0]["added"] + facts[0]["unchanged"], len(started), is_childless()]))
"""
    assert run(directory, tmp_path / "x.db", UPDATES + program) == ["interrupted", FILES - 1, 4, True]


@pytest.mark.parametrize("command", ["index update", "Index"])
def test_the_command_and_the_index_are_single_threaded_when_workers_start(
    directory: Path, tmp_path: Path, command: str
) -> None:
    through = {
        "index update": """
from findingmodel.cli.main import cli
with redirect_stdout(io.StringIO()):
    cli.main(["index", "update", str(directory), "--db", database], standalone_mode=False)
""",
        "Index": """
from findingmodel import Index

async def fill():
    async with Index(database) as index:
        assert await index.count() == 0
        await index.update_from_directory(directory)

asyncio.run(fill())
""",
    }
    program = f"""
import io
from contextlib import redirect_stdout
{through[command]}
print(json.dumps([len(started), is_childless()]))
"""
    assert run(directory, tmp_path / "x.db", UPDATES + program) == [2, True]
