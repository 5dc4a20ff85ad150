"""An Index in several event loops: one after the other works, two at the same time are refused."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from findingmodel import Index
from findingmodel.errors import EventLoopError
from tests.builders import write_model
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path
    from typing import Any

    from tests.servers import Server

    Use = Callable[[Index], Coroutine[Any, Any, object]]

USES: dict[str, Use] = {
    "count": lambda index: index.count(),
    "search": lambda index: index.search("nodule"),
    "search_batch": lambda index: index.search_batch(["nodule", "lung"]),
    "setup_indexes": lambda index: index.setup_indexes(),
}


@pytest.fixture
def url(any_server: Server | None, tmp_path: Path) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        if any_server is None:
            yield str(tmp_path / "x.db")
        else:
            yield f"{any_server.uri}/{stack.enter_context(own_database(any_server.uri))}"


async def hold(index: Index, use: Use, held: threading.Event, done: threading.Event) -> object:
    """Use *index* in an event loop that runs until *done* is set."""
    await use(index)
    held.set()
    await asyncio.to_thread(done.wait)
    return await use(index)


@pytest.mark.parametrize("name", USES)
def test_a_second_event_loop_at_the_same_time_is_refused_at_once(url: str, tmp_path: Path, name: str) -> None:
    defs, use = write_model(tmp_path / "defs", "a.fm.json").parent, USES[name]
    index = Index(url)
    asyncio.run(index.update_from_directory(defs))
    held, done = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: asyncio.run(hold(index, use, held, done)))
        assert held.wait(30)
        with pytest.raises(EventLoopError, match=r"in another event loop: make an Index for each"):
            asyncio.run(use(index))
        done.set()
        first.result(30)
    asyncio.run(use(index))
    asyncio.run(index.close())


def test_two_threads_that_search_the_same_at_once_both_end(url: str, tmp_path: Path) -> None:
    """Each gets its answer, or the error: nothing waits for a future of another loop."""
    defs = write_model(tmp_path / "defs", "a.fm.json").parent
    index = Index(url)
    asyncio.run(index.update_from_directory(defs))
    together = threading.Barrier(2)

    async def search() -> int:
        together.wait(30)
        return len(await index.search("nodule"))

    def attempt() -> int | None:
        try:
            return asyncio.run(search())
        except EventLoopError:
            return None

    with ThreadPoolExecutor(2) as pool:
        for _ in range(10):
            results = [future.result(30) for future in [pool.submit(attempt) for _ in range(2)]]
            assert set(results) <= {1, None}
    asyncio.run(index.close())
