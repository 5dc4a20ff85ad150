"""How a command uses an `IndexSession`: in an event loop for a server, without one for a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.index.session import IndexSession
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.runtime.timing import untimed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings
    from findingmodel.stores.lease import Lease
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import WriteBatch
    from findingmodel.update.compare import Preflight
    from findingmodel.update.options import UpdateObserver, UpdateOptions
    from findingmodel.update.report import UpdateReport

    Sink = Callable[[WriteBatch], Awaitable[None]]

T = TypeVar("T")


def session_of(settings: Settings, timer: Timer = untimed) -> IndexSession:
    """Return a session for one command, which keeps no spare connections to a server."""
    return IndexSession(_for_one_command(settings), timer=timer)


def _for_one_command(settings: Settings) -> Settings:
    """Return *settings* for a command that ends soon.

    Unless a driver is named, it uses pymongo's own asynchronous client: Motor has a blocking client inside,
    whose threads take half a second to notice that the command has ended.
    """
    if not settings.is_server:
        return settings
    from dataclasses import replace

    driver = settings.driver if "driver" in settings.sources else "pymongo"
    return replace(settings, mongodb_min_pool_size=0, driver=driver)


def ask_database(settings: Settings, question: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Return the result of *question* about all branches, in an event loop if it asks a server."""
    coroutine = question(_for_one_command(settings))
    if not settings.is_server:
        return run_without_loop(coroutine)
    import asyncio

    return asyncio.run(coroutine)


def run(session: IndexSession, command: Callable[[IndexSession], Coroutine[Any, Any, T]]) -> T:
    """Open *session*, return the result of *command*, and close the session.

    Raises:
        StoreError: the store cannot be reached, or it failed.
    """
    if session.is_server:
        return run_in_loop(session, command)
    return run_without_loop(_opened(session, command))


def run_in_loop(session: IndexSession, command: Callable[[IndexSession], Coroutine[Any, Any, T]]) -> T:
    """Do the same as `run`, always in an event loop."""
    import asyncio

    session.use_threads()
    return asyncio.run(_opened(session, command))


def ask(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    """Return the result of *question*, which is called with the opened store.

    Raises:
        ConfigError: *settings* do not name a store.
        StoreError: the store cannot be reached, or it failed.
    """
    return run(session_of(settings), lambda session: question(session.store))


def ask_in_loop(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    """Do the same as `ask`, always in an event loop: for a question that waits for more than the store."""
    return run_in_loop(session_of(settings), lambda session: question(session.store))


def update(
    settings: Settings,
    directory: Path,
    options: UpdateOptions,
    progress: Callable[[int, int], None],
    *,
    timer: Timer = untimed,
    rebuild: bool = False,
    waiting: Callable[[Lease], None] | None = None,
) -> UpdateReport:
    """Make the index that *settings* name hold what *directory* holds.

    Most updates have nothing to do, and with a file they need no event loop to find out. If there is work,
    the same session goes on in an event loop.

    Args:
        settings: which index, and all limits.
        directory: the directory.
        options: what the update may do.
        progress: called with (files loaded, files to load).
        timer: measures the stages.
        rebuild: archive an index of findingmodel 0.3 first.
        waiting: called with the lease of a writer that this update waits for.

    Raises:
        DirectoryError: *directory* cannot be listed.
        ConfigError, StoreError: as `ask`.
        KeyboardInterrupt: the process is to end; the message says what was written.
    """
    session = session_of(settings, timer)
    look = None if session.is_server else run_without_loop(_look(session, directory, options))
    if look is not None and look.report is not None and look.report.ok:
        return look.report
    import asyncio

    from findingmodel.update.options import UpdateObserver

    observer = UpdateObserver(progress=progress, timer=timer, on_wait=waiting)
    work = _recorded(session, directory, options, observer, rebuild=rebuild, look=look)
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        counts = observer.counts
        so_far = f"models: {counts}; the next update does the rest" if counts else "nothing was written"
        raise KeyboardInterrupt(so_far) from None
    finally:
        work.close()  # a signal may arrive before the loop starts, and Python would warn


async def update_in_loop(
    settings: Settings,
    directory: Path,
    options: UpdateOptions,
    *,
    timer: Timer = untimed,
    sink_of: Callable[[Store], Sink] | None = None,
) -> UpdateReport:
    """Do the same as `update` in the running event loop, for a command that updates again and again.

    *sink_of* is called with the store; its result is awaited with each batch before the batch is written.
    """
    from findingmodel.update.options import UpdateObserver

    session = session_of(settings, timer)
    on_batch = None if sink_of is None else sink_of(session.store)
    return await _recorded(session, directory, options, UpdateObserver(timer=timer, on_batch=on_batch))


async def check_reachable(settings: Settings) -> None:
    """Return if the store can be read.

    Raises:
        ConfigError, StoreError: as `ask`.
    """
    session = session_of(settings)
    session.use_threads()
    await _opened(session, lambda opened: opened.store.generation())


async def _opened(session: IndexSession, command: Callable[[IndexSession], Coroutine[Any, Any, T]]) -> T:
    try:
        await session.open()
        return await command(session)
    finally:
        await session.close()


async def _look(session: IndexSession, directory: Path, options: UpdateOptions) -> Preflight:
    """Find out whether there is anything to do; the session stays open if there is."""
    from findingmodel.update.compare import preflight

    stays_open = False
    try:
        await session.open()
        look = await preflight(session.store, directory, options, timer=session.timer)
        stays_open = look.report is None or not look.report.ok
        return look
    finally:
        if not stays_open:
            await session.close()


async def _recorded(
    session: IndexSession,
    directory: Path,
    options: UpdateOptions,
    observer: UpdateObserver,
    *,
    rebuild: bool = False,
    look: Preflight | None = None,
) -> UpdateReport:
    """Do what is left after the first *look*, record in the ledger how it ended, and close the session."""
    from findingmodel.legacy.archive import rebuild as update_after_archiving
    from findingmodel.observe.ledger_recorder import record_update
    from findingmodel.update.directory import update as update_directory

    work = (
        update_after_archiving
        if rebuild
        else partial(update_directory, comparison=None if look is None else look.comparison)
    )
    threads = session.use_threads()

    async def run_update() -> UpdateReport:
        if look is not None and look.report is not None:
            return look.report
        await session.open()
        return await work(session.store, directory, options, observer, threads=threads)

    try:
        return await record_update(session.ledger, directory, options, observer, run_update)
    finally:
        await session.close()
