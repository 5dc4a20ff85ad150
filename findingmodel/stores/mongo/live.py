"""Generations of a branch as they come: by a change stream where the server has them, else by polling.

A change stream only wakes the reader, which then reads the generation as always. So nothing is lost if the
stream breaks, and the interface is the same on every server
(https://www.mongodb.com/docs/manual/changeStreams/).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from findingmodel.stores.mongo.errors import is_content_refused
from findingmodel.stores.mongo.pool import maybe_await

if TYPE_CHECKING:
    from findingmodel.stores.mongo.connection import Connection

POLL_SECONDS = 1.0
_AWAIT_MS = 1_000  # how long the server keeps a request of a change stream open
_OF_THE_STATE = [{"$match": {"documentKey._id": "state"}}]


class Alarm:
    """Waits until the state of a branch may have changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream: Any = None
        self._may_stream = True

    @property
    def is_live(self) -> bool:
        """Whether a change stream is open, which wakes at once."""
        return self._stream is not None

    async def set(self) -> None:
        """Open a change stream if the server has them: what changes from now on wakes `wait`."""
        if self.is_live or not self._may_stream:
            return
        try:
            if (await self._connection.server()).has_transactions:  # a replica set, as change streams need
                meta = self._connection.reach().writing.meta
                self._stream = await maybe_await(meta.watch(_OF_THE_STATE, max_await_time_ms=_AWAIT_MS))
                await self._stream.try_next()  # Motor opens the stream with its first command
            else:
                self._may_stream = False
        except PyMongoError as error:
            await self.close()
            self._may_stream = not is_content_refused(error)  # it may come back after a lost connection

    async def wait(self) -> None:
        """Return when something has changed, or after a second without a stream."""
        try:
            while self._stream is not None and self._stream.alive:
                if await self._stream.try_next() is not None:
                    return
        except PyMongoError:
            pass
        await self.close()
        await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Close the stream. Idempotent."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(PyMongoError):
                await maybe_await(stream.close())
