"""How a command reaches a store: in an event loop where that is a server, without one where it is a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.runtime.run_without_loop import inline, run_without_loop
from findingmodel.runtime.timing import untimed
from findingmodel.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from findingmodel.runtime.run_without_loop import Offload
    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Lease, WriteBatch
    from findingmodel.update.compare import Comparison
    from findingmodel.update.options import UpdateHooks, UpdateOptions, WriteCounts
    from findingmodel.update.report import UpdateReport

    Begun = Callable[[], Awaitable[None]]
    Sink = Callable[[WriteBatch], Awaitable[None]]
    Run = Callable[[Begun | None], Coroutine[Any, Any, UpdateReport]]

__all__ = ["ask", "ask_in_loop", "reach", "update", "update_in_loop"]

T = TypeVar("T")


def ask(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    """Open the store that *settings* name, and return what *question* makes of it.

    Raises:
        ConfigError: no such store.
        StoreError: it cannot be reached, or it failed.
    """
    if not settings.is_server:
        return run_without_loop(_with_store(settings, inline, question))
    return ask_in_loop(settings, question)


def ask_in_loop(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    """As `ask`, in an event loop whatever the store is: for a question that waits for more than the store."""
    import asyncio

    from findingmodel.runtime.threads import Threads

    return asyncio.run(_reached(settings, question, Threads()))


def update(
    settings: Settings,
    directory: Path,
    options: UpdateOptions,
    progress: Callable[[int, int], None],
    *,
    timer: Timer = untimed,
    sink_of: Callable[[Store], Sink] | None = None,
    rebuild: bool = False,
    waiting: Callable[[Lease], None] | None = None,
) -> UpdateReport:
    """Make the store that *settings* name hold what *directory* holds.

    An update with nothing to do is the most frequent one: with an embedded store it needs no event loop. What
    *sink_of* makes of the store is told of each batch before it is written; *waiting* is told of a writer
    whose end is waited for. With *rebuild* an index of findingmodel 0.3 is put aside first.

    Raises:
        DirectoryError: *directory* cannot be listed.
        ConfigError, StoreError: as `ask`.
        KeyboardInterrupt: the process is to end; the message says what was written.
    """
    from findingmodel.update.compare import preflight

    surveyed = None
    if not settings.is_server:
        surveyed, report = ask(settings, lambda store: preflight(store, directory, options, timer=timer))
        if report is not None:
            return report if report.ok else _noted(settings, directory, options, _returning(report), None)
    from findingmodel.update.options import UpdateHooks, WriteCounts

    written = WriteCounts()
    hooks = UpdateHooks(progress=progress, timer=timer, waiting=waiting, written=written)
    run = _updating(settings, directory, options, hooks, sink_of=sink_of, rebuild=rebuild, surveyed=surveyed)
    try:
        return _noted(settings, directory, options, run, written)
    except KeyboardInterrupt:
        so_far = f"models: {written}; the next update does the rest" if written else "nothing was written"
        raise KeyboardInterrupt(so_far) from None


async def update_in_loop(
    settings: Settings,
    directory: Path,
    options: UpdateOptions,
    *,
    timer: Timer = untimed,
    sink_of: Callable[[Store], Sink] | None = None,
) -> UpdateReport:
    """As `update`, in the event loop that runs: for a command that does more than one."""
    from findingmodel.observe.ledger_recorder import LedgerRecorder, record_update
    from findingmodel.update.options import UpdateHooks, WriteCounts

    written = WriteCounts()
    hooks = UpdateHooks(timer=timer, written=written)
    run = _updating(settings, directory, options, hooks, sink_of=sink_of)
    return await record_update(LedgerRecorder.of(settings), directory, options, run, written=written)


async def reach(settings: Settings) -> None:
    """Return if the store that *settings* name can be read.

    Raises:
        ConfigError, StoreError: as `ask`.
    """
    import asyncio

    await _reached(settings, lambda store: store.generation(), asyncio.to_thread)


def _updating(
    settings: Settings,
    directory: Path,
    options: UpdateOptions,
    hooks: UpdateHooks,
    *,
    sink_of: Callable[[Store], Sink] | None,
    rebuild: bool = False,
    surveyed: Comparison | None = None,
) -> Run:
    from findingmodel.legacy.rebuild import rebuild as run_rebuild
    from findingmodel.runtime.threads import Threads
    from findingmodel.update.directory import update as run_update

    threads = Threads()
    work = run_rebuild if rebuild else partial(run_update, surveyed=surveyed)

    def run(begun: Begun | None) -> Coroutine[Any, Any, UpdateReport]:
        def question(store: Store) -> Coroutine[Any, Any, UpdateReport]:
            told = hooks._replace(begun=begun, sink=sink_of(store) if sink_of else None)
            return work(store, directory, options, told, threads=threads)

        return _reached(settings, question, threads)

    return run


def _returning(report: UpdateReport) -> Run:
    async def run(_begun: Begun | None) -> UpdateReport:
        return report

    return run


def _noted(
    settings: Settings, directory: Path, options: UpdateOptions, run: Run, written: WriteCounts | None
) -> UpdateReport:
    """Run an update in an event loop, and note in the ledger what became of it."""
    import asyncio

    from findingmodel.observe.ledger_recorder import LedgerRecorder, record_update

    noted = record_update(LedgerRecorder.of(settings), directory, options, run, written=written)
    try:
        return asyncio.run(noted)
    finally:
        noted.close()  # a signal may come before the loop begins, and Python would complain


async def _reached(
    settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]], offload: Offload
) -> T:
    """Return what *question* makes of the store, as a command in an event loop reaches it."""
    from dataclasses import replace

    # A command sends a few requests: connections kept open for bursts would only cost it log-ins.
    frugal = replace(settings, mongodb_min_pool_size=0)
    return await _with_store(frugal, offload, question)


async def _with_store(
    settings: Settings, offload: Offload, question: Callable[[Store], Coroutine[Any, Any, T]]
) -> T:
    store = open_store(settings.db, branch=settings.branch, settings=settings, offload=offload)
    try:
        await store.open()
        return await question(store)
    finally:
        await store.close()
