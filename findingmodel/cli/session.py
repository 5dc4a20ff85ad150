"""How a command reaches a store: in an event loop where that is a server, without one where it is a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.drive import drive, inline
from findingmodel.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from findingmodel.config import Settings
    from findingmodel.drive import Offload
    from findingmodel.stores.protocol import Store
    from findingmodel.sync.options import UpdateOptions
    from findingmodel.sync.report import UpdateReport

__all__ = ["ask", "update"]

T = TypeVar("T")


def ask(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    """Open the store that *settings* name, and return what *question* makes of it.

    Raises:
        ConfigError: no such store.
        StoreError: it cannot be reached, or it failed.
    """
    if _is_embedded(settings):
        return drive(_with_store(settings, inline, question))
    return _in_event_loop(settings, question)


def update(
    settings: Settings, directory: Path, options: UpdateOptions, progress: Callable[[int, int], None]
) -> UpdateReport:
    """Make the store that *settings* name hold what *directory* holds.

    An update with nothing to do is the most frequent one: with an embedded store it needs no event loop.

    Raises:
        DirectoryError: *directory* cannot be listed.
        ConfigError, StoreError: as `ask`.
    """
    from findingmodel.sync.preflight import preflight

    if _is_embedded(settings):
        report = ask(settings, lambda store: preflight(store, directory, options))
        if report is not None:
            return report
    from findingmodel.sync.update import update as run_update

    return _in_event_loop(settings, lambda store: run_update(store, directory, options, progress=progress))


def _is_embedded(settings: Settings) -> bool:
    return not settings.db.lower().startswith("mongodb")


def _in_event_loop(settings: Settings, question: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
    import asyncio
    from dataclasses import replace

    # A command sends a few requests: connections kept open for bursts would only cost it log-ins.
    frugal = replace(settings, mongodb_min_pool_size=0)
    return asyncio.run(_with_store(frugal, asyncio.to_thread, question))


async def _with_store(
    settings: Settings, offload: Offload, question: Callable[[Store], Coroutine[Any, Any, T]]
) -> T:
    store = open_store(settings.db, branch=settings.branch, settings=settings, offload=offload)
    try:
        await store.open()
        return await question(store)
    finally:
        await store.close()
