"""watch: update an index whenever its directory changes, until stopped, and retry what fails."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, suppress
from itertools import chain, repeat
from posixpath import basename
from typing import TYPE_CHECKING, Protocol

from watchfiles import awatch

from findingmodel.errors import DirectoryError, StoreClosedError, StoreError, StoreSchemaError
from findingmodel.update.scan import is_model_name, scan

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
    from pathlib import Path

    from watchfiles import Change

    from findingmodel.errors import FindingModelError
    from findingmodel.update.scan import Scan

    Action = Callable[[], Coroutine[None, None, None]]

_DEBOUNCE_MS = 2_000  # the maximum time that a change waits for others
_STEP_MS = 150  # how long nothing must follow a change
_RESCAN_MS = 10_000  # how often to scan without an event: file systems may lose some
_GRACE_SECONDS = 10.0
_PERMANENT = (StoreSchemaError, StoreClosedError)  # retrying does not help


class WatchListener(Protocol):
    """Receives failures, and their end."""

    def failed(self, error: FindingModelError, seconds: float) -> None:
        """An attempt failed; the next starts in *seconds*."""

    def recovered(self) -> None:
        """An attempt succeeded after failures."""


def retry_delays() -> Iterator[float]:
    """Yield the seconds to wait before each next attempt: growing, with jitter."""
    for seconds in chain((1, 2, 4, 8, 15, 30), repeat(60)):
        yield seconds * random.uniform(0.8, 1.2)  # noqa: S311  # so that many watchers do not retry in step


async def keep_up(
    wakes: AsyncGenerator[None, None],
    update: Action,
    probe: Action,
    *,
    stop: asyncio.Event,
    listener: WatchListener,
    delays: Callable[[], Iterator[float]] = retry_delays,
) -> None:
    """Await *update* for each of *wakes*, and retry while the database or the directory is unreachable.

    Args:
        wakes: yields whenever there may be something to do.
        update: makes the index hold what the directory holds.
        probe: awaited before a retry; raises while the database is still unreachable.
        stop: ends the watch; a running update gets a few seconds to finish.
        listener: receives failures, and their end.
        delays: returns the seconds to wait before each next attempt.

    Raises:
        FindingModelError: an error that retrying does not fix, such as a database of a newer version.
    """
    async with aclosing(wakes) as wakeups:
        async for _ in wakeups:
            await _retry(update, probe, stop, listener, delays())
            if stop.is_set():
                break


async def _retry(
    update: Action, probe: Action, stop: asyncio.Event, listener: WatchListener, delays: Iterator[float]
) -> None:
    has_failed = False
    while not stop.is_set():
        try:
            if has_failed:
                await _until_stopped(probe(), stop)
            await _until_stopped(update(), stop)
        except _PERMANENT:
            raise
        except (StoreError, DirectoryError) as error:
            has_failed, seconds = True, next(delays)
            listener.failed(error, seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
        else:
            if has_failed and not stop.is_set():
                listener.recovered()
            return


async def _until_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Await *work*; once *stop* is set, cancel it after a few seconds."""
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
    directory: Path, *, stop: asyncio.Event, polling: bool = False, rescan_ms: int = _RESCAN_MS
) -> AsyncGenerator[None, None]:
    """Yield at once, and then whenever finding model files below *directory* may have changed.

    Changes that occur together are yielded once. No change after the first yield is missed, also while the
    consumer works. If *directory* is removed and created again, it is watched again.

    Args:
        directory: the directory to watch, with all below it.
        stop: ends the iteration.
        polling: scan periodically, for file systems without change events.
        rescan_ms: how often to scan for changes without an event.
    """
    while not stop.is_set():
        identity = _identity(directory)
        events = _watch_once(directory, stop, polling=polling, rescan_ms=rescan_ms)
        async with aclosing(events):
            async for _ in events:
                yield
                if _identity(directory) != identity:
                    break
        if not stop.is_set() and identity is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), rescan_ms / 1000)


async def _watch_once(
    directory: Path, stop: asyncio.Event, *, polling: bool, rescan_ms: int
) -> AsyncGenerator[None, None]:
    """Yield when the watch has started, and at each change until the watch ends."""
    events = awatch(
        directory,
        watch_filter=_may_matter,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=_StopEvent(stop),
        rust_timeout=rescan_ms,
        yield_on_timeout=True,
        force_polling=polling or None,
        ignore_permission_denied=True,
    )
    next_changes = asyncio.ensure_future(anext(events, None))
    await asyncio.sleep(0)  # lets the watch start, so that no change is missed from here on
    try:
        last_scan = await _scan(directory)
        yield
        while (changes := await next_changes) is not None:
            next_changes = asyncio.ensure_future(anext(events, None))
            previous, last_scan = last_scan, await _scan(directory)
            # Other files, such as the index itself, may be written there: they need no update.
            if last_scan != previous or any(is_model_name(basename(path)) for _, path in changes):
                yield
    except FileNotFoundError:
        return  # the directory does not exist, which the update reports
    finally:
        next_changes.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, FileNotFoundError):
            await next_changes
        await events.aclose()


class _StopEvent(asyncio.Event):
    """Set by `awatch` at the end of one watch, or by the caller's event."""

    def __init__(self, stop: asyncio.Event) -> None:
        super().__init__()
        self._stop = stop

    def is_set(self) -> bool:
        return super().is_set() or self._stop.is_set()


async def _scan(directory: Path) -> Scan | None:
    """Return what an update would see; backups and side files come and go without effect."""
    try:
        return (await asyncio.to_thread(scan, directory))._replace(skipped=())
    except DirectoryError:
        return None


def _may_matter(_change: Change, path: str) -> bool:
    return "/.git/" not in f"{path}/"


def _identity(directory: Path) -> tuple[int, int] | None:
    try:
        status = directory.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
