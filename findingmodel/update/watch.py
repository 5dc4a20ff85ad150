"""watch: update an index whenever its directory changes, until told to stop; what fails is tried again."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, suppress
from itertools import chain, repeat
from typing import TYPE_CHECKING, Protocol

from watchfiles import awatch

from findingmodel.errors import DirectoryError, StoreClosedError, StoreError, StoreSchemaError
from findingmodel.update.scan import SUFFIX, scan

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
    from pathlib import Path

    from watchfiles import Change

    from findingmodel.errors import FindingModelError
    from findingmodel.update.scan import Scan

    Act = Callable[[], Coroutine[None, None, None]]

__all__ = ["WatchListener", "changes_of", "delays", "keep_up"]

_DEBOUNCE_MS = 2_000  # a change is acted upon after this time even if others follow
_STEP_MS = 150  # and at once when nothing has followed for so long
_LOOK_MS = 10_000  # file systems may lose events: look for oneself now and then
_GRACE_SECONDS = 10.0
_LASTING = (StoreSchemaError, StoreClosedError)  # no waiting mends these


class WatchListener(Protocol):
    """Who is told of trouble."""

    def failed(self, error: FindingModelError, seconds: float) -> None:
        """An attempt failed; the next is made in so many *seconds*."""

    def recovered(self) -> None:
        """An attempt succeeded after some that failed."""


def delays() -> Iterator[float]:
    """Yield how many seconds to wait before each next attempt: longer and longer, never quite the same."""
    for seconds in chain((1, 2, 4, 8, 15, 30), repeat(60)):
        yield seconds * random.uniform(0.8, 1.2)  # noqa: S311  # so that watchers do not come back together


async def keep_up(
    wakes: AsyncGenerator[None, None],
    update: Act,
    probe: Act,
    *,
    stop: asyncio.Event,
    told: WatchListener,
    waits: Callable[[], Iterator[float]] = delays,
) -> None:
    """Await *update* for each of *wakes*, and again while the database or the directory is away.

    Args:
        wakes: yields whenever there may be something to do.
        update: makes the index hold what the directory holds.
        probe: after a failure, awaited before *update*: raises while the database is still away.
        stop: ends it; an update gets a few seconds to finish.
        told: is told of trouble, and of its end.
        waits: how long to wait before each next attempt.

    Raises:
        FindingModelError: what no waiting can mend, such as a database of a newer version.
    """
    async with aclosing(wakes) as each:
        async for _ in each:
            await _insist(update, probe, stop, told, waits())
            if stop.is_set():
                break


async def _insist(
    update: Act, probe: Act, stop: asyncio.Event, told: WatchListener, waits: Iterator[float]
) -> None:
    has_failed = False
    while not stop.is_set():
        try:
            if has_failed:
                await _unless_stopped(probe(), stop)
            await _unless_stopped(update(), stop)
        except _LASTING:
            raise
        except (StoreError, DirectoryError) as error:
            has_failed, seconds = True, next(waits)
            told.failed(error, seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
        else:
            if has_failed and not stop.is_set():
                told.recovered()
            return


async def _unless_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Await *work*; once *stop* is set it has a few seconds left."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await asyncio.wait({working}, timeout=_GRACE_SECONDS)
    finally:
        working.cancel()
        stopping.cancel()
    with suppress(asyncio.CancelledError):
        await working


async def changes_of(
    directory: Path, *, stop: asyncio.Event, polling: bool = False, look_ms: int = _LOOK_MS
) -> AsyncGenerator[None, None]:
    """Yield at once, and then whenever finding model files below *directory* may have changed.

    Changes that come together are one. Nothing that happens after the first yield is missed, not even while
    the consumer works. Where *directory* goes away and comes back, it is watched anew.

    Args:
        directory: to be watched, with all below it.
        stop: ends it.
        polling: look at every file now and then, for file systems that tell of no changes.
        look_ms: how often to look for oneself whether a change was missed.
    """
    while not stop.is_set():
        identity = _identity(directory)
        async with aclosing(_watched(directory, stop, polling=polling, look_ms=look_ms)) as events:
            async for _ in events:
                yield
                if _identity(directory) != identity:
                    break
        if not stop.is_set() and identity is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), look_ms / 1000)


async def _watched(
    directory: Path, stop: asyncio.Event, *, polling: bool, look_ms: int
) -> AsyncGenerator[None, None]:
    """Yield at once, when the watch has begun, and at each change, until the watch ends."""
    events = awatch(
        directory,
        watch_filter=_may_matter,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=_End(stop),
        rust_timeout=look_ms,
        yield_on_timeout=True,
        force_polling=polling or None,
        ignore_permission_denied=True,
    )
    coming = asyncio.ensure_future(anext(events, None))
    await asyncio.sleep(0)  # lets the watch begin, so that no change is lost from here on
    try:
        seen = await _seen(directory)
        yield
        while (changes := await coming) is not None:
            coming = asyncio.ensure_future(anext(events, None))
            before, seen = seen, await _seen(directory)
            # What else is written there, such as the index itself, is no reason to look into the index.
            if seen != before or any(path.endswith(SUFFIX) for _, path in changes):
                yield
    except FileNotFoundError:
        return  # the directory is not there; the update says so
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, FileNotFoundError):
            await coming
        await events.aclose()


class _End(asyncio.Event):
    """The end of one watch, which `awatch` may set, or of all."""

    def __init__(self, stop: asyncio.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


async def _seen(directory: Path) -> Scan | None:
    try:
        return await asyncio.to_thread(scan, directory)
    except DirectoryError:
        return None


def _may_matter(_change: Change, path: str) -> bool:
    return "/.git/" not in f"{path}/"


def _identity(directory: Path) -> tuple[int, int] | None:
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
