"""Transactions in MongoDB: what is written within one is seen by others together, at its end, or never."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from findingmodel.errors import TransactionError
from findingmodel.stores.mongo.commands import in_turn
from findingmodel.stores.mongo.pool import settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from findingmodel.stores.mongo.connection import BoundCollections

__all__ = ["Transaction"]


class Transaction:
    """A transaction that was begun.

    Attributes:
        reached: the branch as it is reached within.
    """

    def __init__(self, session: Any, reached: BoundCollections) -> None:
        writing = type(reached.writing)(*(_InSession(place, session) for place in reached.writing))
        self.reached = reached._replace(
            database=_InSession(reached.database, session), reading=writing, writing=writing
        )
        self._session = session
        self._lock = asyncio.Lock()

    @classmethod
    async def begin(cls, reached: BoundCollections) -> Transaction:
        """Begin a transaction.

        Raises:
            TransactionError: the server has none.
        """
        hello = await reached.database.command("hello")
        if not (hello.get("setName") or hello.get("msg") == "isdbgrid"):
            raise TransactionError(
                "the server stands alone, and MongoDB has transactions in replica sets and sharded clusters "
                "only; start it with --replSet, be it as the only member (an index in a file has them too)"
            )
        session = await settled(reached.database.client.start_session())
        await settled(
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
        )
        return cls(session, reached)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be the only one who sends anything: a session takes one command after the other."""
        async with self._lock:
            with in_turn():
                yield

    async def commit(self) -> None:
        """Let others see what was written; any number of times."""
        await self._session.commit_transaction()

    async def give_up(self) -> None:
        """Forget what was written, as the server does by itself if it does not hear of us any more."""
        with suppress(PyMongoError):
            await self._session.abort_transaction()

    async def end(self) -> None:
        """Give the session back."""
        await self._session.end_session()


class _InSession:
    """A collection or database, each command of which belongs to one session."""

    def __init__(self, place: Any, session: Any) -> None:
        self._place = place
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(self._place, name), session=self._session)
