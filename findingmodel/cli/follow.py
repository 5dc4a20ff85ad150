"""``findingmodel index watch --follow``: print what other processes change in an index."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from findingmodel.cli.screen import Screen, one_line, safe_json, visible
from findingmodel.cli.session import session_of
from findingmodel.errors import StoreClosedError, StoreError, StoreSchemaError
from findingmodel.update.follow import ChangeFeed
from findingmodel.update.watch import retry_delays

if TYPE_CHECKING:
    from findingmodel.index.session import IndexSession
    from findingmodel.settings import Settings
    from findingmodel.update.follow import IndexChange


class Follower:
    """Prints each change, until a signal comes; while the database is unavailable, it tries again."""

    def __init__(self, screen: Screen, settings: Settings) -> None:
        self._screen = screen
        self._settings = settings
        self._is_following: bool | None = None  # before the first attempt

    async def run(self) -> None:
        """Follow the index until SIGINT or SIGTERM."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        if task is not None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, task.cancel)
        session = session_of(self._settings)
        session.use_threads()
        try:
            await self._retry(session)
        except asyncio.CancelledError:
            return  # a signal, as `run` promises
        finally:
            await session.close()

    async def _retry(self, session: IndexSession) -> None:
        feed, delays = ChangeFeed(session.store), retry_delays()
        while True:
            try:
                async with aclosing(feed.follow()) as updates:
                    async for changes in updates:
                        delays = retry_delays()
                        self._show(session.store.label, changes)
            except (StoreSchemaError, StoreClosedError):
                raise
            except StoreError as error:
                if self._is_following is not False:
                    self._is_following = False
                    click.echo(visible(f"Error: {error}; trying again"), err=True)
                await asyncio.sleep(next(delays))

    def _show(self, label: str, changes: list[IndexChange]) -> None:
        if not self._is_following:
            self._is_following = True
            self._screen.note(f"following {label}; press Ctrl-C to stop")
        now = datetime.now().astimezone()
        for change in changes:
            click.echo(self._line(now, change))

    def _line(self, now: datetime, change: IndexChange) -> str:
        if self._screen.as_json:
            fact = {"at": now.isoformat(timespec="milliseconds"), **change._asdict()}
            return safe_json(json.dumps(fact, ensure_ascii=False))
        fields = (change.kind, change.oifm_id, change.path)
        if not self._screen.is_terminal:
            return "\t".join(map(one_line, (now.isoformat(timespec="seconds"), *fields)))
        return f"{now:%H:%M:%S}  {change.kind:<7}  {change.oifm_id}  {one_line(change.path)}"
