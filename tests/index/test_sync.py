"""SyncIndex: the same index for code that is not asynchronous."""

from __future__ import annotations

import asyncio
import gc
import inspect
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel import (
    DocumentError,
    Index,
    IndexEntry,
    NotFoundError,
    StoreClosedError,
    StoreError,
    SyncIndex,
)
from findingmodel.legacy.attributes import DriverObjects
from findingmodel.runtime.threads import BackgroundLoop
from findingmodel.text.normalize import fold
from tests.builders import write_model
from tests.processes import begun
from tests.servers import running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "samples" / "defs"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('index') / 'samples.db'}"
    with Index.sync(url) as index:
        report = index.update_from_directory(SAMPLES)
    assert (report.added, report.ok) == (58, True)
    return url


@pytest.fixture(autouse=True)
def no_thread_remains() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in set(threading.enumerate()) - before if "thread of" in thread.name]
    assert left == []


def public(kind: type, predicate: Callable[[object], bool]) -> set[str]:
    return {name for name, value in inspect.getmembers(kind) if name[0] != "_" and predicate(value)}


def test_sync_index_has_every_method_of_index() -> None:
    coroutines = public(Index, inspect.iscoroutinefunction)
    assert len(coroutines) > 25
    assert coroutines <= public(SyncIndex, callable)
    excluded = {"sync", *public(DriverObjects, lambda _: True)}  # the driver's objects belong to a loop
    rest = public(Index, lambda value: not inspect.iscoroutinefunction(value)) - excluded
    assert rest <= public(SyncIndex, lambda _: True)
    assert not public(SyncIndex, inspect.iscoroutinefunction)


def test_signatures_and_docstrings_equal_those_of_index() -> None:
    for name in public(Index, inspect.iscoroutinefunction) - {"close"}:
        ours, theirs = getattr(SyncIndex, name), getattr(Index, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert ours.__name__ == name
        assert ours.__doc__ == theirs.__doc__
        assert ours.__doc__


def test_sync_has_the_arguments_of_index_except_client() -> None:
    ours, theirs = inspect.signature(Index.sync).parameters, inspect.signature(Index).parameters
    assert list(ours) == [name for name in theirs if name != "client"]
    for name, parameter in ours.items():
        assert (parameter.kind, parameter.default) == (theirs[name].kind, theirs[name].default)


def test_a_script_reads_an_index(url: str) -> None:
    with Index.sync(url) as index:
        entry = index.get("PE")
        assert entry is not None
        assert index.get_full(entry.oifm_id).name == entry.name == "Pulmonary embolism"
        assert [hit.name for hit in index.search("collapsed lung", limit=1)] == ["Pneumothorax"]
        entries, total = index.all(limit=3)
        assert (len(entries), total) == (3, 58)
        assert index.label == url
        assert index.cache_statistics.misses == 1
        index.invalidate_cache()
        with pytest.raises(NotFoundError, match="no model in"):
            index.get_full("OIFM_SMPL_999999")
    assert repr(index) == f"SyncIndex(Index({url!r}, branch='main'))"


def test_iteration_is_sorted_by_name_and_may_stop_early(url: str) -> None:
    with Index.sync(url) as index:
        entries = list(index)
        assert [entry.name for entry in entries] == sorted((e.name for e in entries), key=fold)
        assert len(entries) == index.count() == 58
        first = next(iter(index))
        assert isinstance(first, IndexEntry)
        assert first == entries[0]


async def test_async_iteration_yields_as_many(url: str) -> None:
    async with Index(url) as index:
        entries = [entry async for entry in index]
    assert len(entries) == 58


def test_iteration_reads_all_chunks(tmp_path: Path) -> None:
    for number in range(1, 1_203):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    with Index.sync(str(tmp_path / "many.db")) as index:
        assert index.update_from_directory(tmp_path / "defs").added == 1_202
        assert len({entry.oifm_id for entry in index}) == 1_202


async def test_it_works_within_a_running_event_loop(url: str) -> None:
    asyncio.get_running_loop()  # as in a notebook
    with Index.sync(url) as index:
        assert index.count() == 58


def test_it_opens_on_first_use_until_it_is_closed(url: str) -> None:
    index = Index.sync(url)
    assert index.count() == 58
    index.close()
    index.close()
    for call in (index.count, lambda: list(index), index.__enter__):
        with pytest.raises(StoreClosedError, match="was closed"):
            call()


def test_closing_an_unused_index_creates_nothing(tmp_path: Path) -> None:
    Index.sync(str(tmp_path / "x.db")).close()
    assert not list(tmp_path.iterdir())


def test_a_failed_open_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("this is a letter, not a database\n" * 50)
    with pytest.raises(StoreError), Index.sync(str(tmp_path / "letter.db")):
        pytest.fail("it was opened")


def test_garbage_collection_ends_the_thread(url: str) -> None:
    index = Index.sync(url)
    assert index.count() == 58
    (thread,) = [thread for thread in threading.enumerate() if "thread of" in thread.name]
    del index
    gc.collect()
    assert not thread.is_alive()


def test_many_threads_may_read_at_once(url: str) -> None:
    with Index.sync(url) as index, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(index.get, ["PE", "PTX", "ACL tear", "MS"] * 25))
    assert len({entry.oifm_id for entry in answers if entry}) == 4
    assert None not in answers


def test_progress_is_reported(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    with Index.sync(str(tmp_path / "x.db")) as index:
        index.update_from_directory(SAMPLES, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (58, 58)


def test_a_callback_that_uses_the_index_is_an_error(tmp_path: Path) -> None:
    with (
        Index.sync(str(tmp_path / "x.db")) as index,
        pytest.raises(RuntimeError, match=r"cannot wait for the thread of .*: it would wait for itself"),
    ):
        index.update_from_directory(SAMPLES, progress=lambda *_: index.count())


# transactions


def test_a_transaction_covers_the_writes_of_this_thread(tmp_path: Path) -> None:
    one, two = (write_model(tmp_path, f"{number}.fm.json", number) for number in (1, 2))
    with Index.sync(str(tmp_path / "x.db")) as index, Index.sync(str(tmp_path / "x.db")) as other:
        with index.transaction():
            index.add_or_update_entry_from_file(one)
            index.add_or_update_entry_from_file(two)
            assert (index.count(), other.count()) == (2, 0)
            assert len(list(index)) == 2
            with ThreadPoolExecutor(1) as pool:  # another thread is outside of it
                assert pool.submit(index.count).result() == 0
        assert other.count() == 2


def test_a_transaction_that_raises_is_rolled_back(tmp_path: Path) -> None:
    file = write_model(tmp_path, "1.fm.json", 1)
    bad = write_model(tmp_path, "2.fm.json", 2, name=...)
    with Index.sync(str(tmp_path / "x.db")) as index:

        def add_both() -> None:
            with index.transaction():
                index.add_or_update_entry_from_file(file)
                index.add_or_update_entry_from_file(bad)

        with pytest.raises(DocumentError):
            add_both()
        assert index.count() == 0
        index.add_or_update_entry_from_file(file)  # it is over
        assert index.count() == 1


# ends of the process


SCRIPT = """
import sys
from findingmodel import Index
index = Index.sync(sys.argv[1])
print(index.count(), flush=True)
{more}
"""


def script(url: str, more: str = "") -> AbstractContextManager[subprocess.Popen[str]]:
    return begun(url, program=("-W", "error", "-X", "dev", "-c", SCRIPT.format(more=more)))


def test_a_script_that_does_not_close_ends_without_warnings(url: str) -> None:
    with script(url) as process:
        assert process.communicate(timeout=60) == ("58\n", "")
        assert process.returncode == 0


def test_a_script_that_fails_shows_only_its_own_error(url: str) -> None:
    with script(url, "index.get_full('x')") as process:
        _, message = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message.splitlines()[-1].endswith("has the id 'x'")
    assert message.count("Traceback") == 1


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python warns when a process with threads forks")
def test_a_forked_process_gets_an_error(url: str) -> None:
    more = """
import os
if os.fork() == 0:
    try:
        index.count()
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
print(index.count())
"""
    with script(url, more) as process:
        out, message = process.communicate(timeout=60)
    assert message == ""
    assert out.splitlines()[1].endswith(": it has ended")
    assert out.splitlines()[2] == "58"


def test_an_interrupt_cancels_the_call(url: str) -> None:
    more = """
import asyncio
async def wait(index):
    print("waiting", flush=True)
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0)
        print("cancelled", flush=True)
try:
    index._wait(wait)
except KeyboardInterrupt:
    print("interrupted", index.count())
"""
    with script(url, more) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["58\n", "waiting\n"]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("cancelled\ninterrupted 58\n", "")


def test_an_interrupt_waits_for_the_cleanup_of_the_task() -> None:
    loop, done = BackgroundLoop("the thread of a test"), []

    async def wait() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run(wait())
    finally:
        signal.signal(signal.SIGINT, before)
        loop.stop()
    assert done == ["cleaned up"]


def test_stopping_the_loop_is_an_error_for_a_waiting_call() -> None:
    loop = BackgroundLoop("the thread of a test")
    begun = threading.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.sleep(600)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: loop.run(wait()))
        assert begun.wait(30)
        loop.stop()
        with pytest.raises(
            RuntimeError, match="the thread of a test was closed while this was waiting for it"
        ):
            waiting.result(30)
    with pytest.raises(RuntimeError, match="cannot wait for the thread of a test: it has ended"):
        loop.run(wait())
    loop.stop()


@pytest.mark.mongo
def test_a_server_gives_the_same_answers(url: str) -> None:
    with running("nx") as server, Index.sync(server.url("findings")) as index:
        assert index.update_from_directory(SAMPLES).added == 58
        with Index.sync(url) as local:
            assert list(index) == list(local)
            assert index.search("collapsed lung") == local.search("collapsed lung")
            assert index.search_batch(["PE", "tear"]) == local.search_batch(["PE", "tear"])
