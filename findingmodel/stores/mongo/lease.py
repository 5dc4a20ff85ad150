"""The writer's lease in MongoDB: one document, taken by one atomic command, and checked by each write."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pymongo import ReturnDocument
from pymongo.errors import OperationFailure

from findingmodel.errors import NotWrittenError, TransactionError
from findingmodel.stores.lease import Lease, LeaseStatus, Writer, is_free, lease_lost
from findingmodel.stores.mongo.connection import Transaction, operation
from findingmodel.stores.mongo.errors import is_conflict, is_passing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from findingmodel.stores.mongo.connection import BoundCollections, Collections, Connection

T = TypeVar("T")

_LEASE = {"_id": "lease"}
_ATTEMPTS = 5  # at a lease that others take and release meanwhile, or at a transaction


class MongoLeases:
    """The writer's lease of a branch in MongoDB. Times are those of the server."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._known = _Known()

    @operation("take the lease of")
    async def acquire(self, writer: Writer, seconds: float) -> Lease | None:
        """Take the lease, which *writer* may already hold: one command, else return the one that is held."""
        known = _Known.since_now(writer, seconds)
        now_ns = (await self.connection.server()).time_ns()
        lease = Lease.starting(writer, now_ns, seconds)
        meta = self.connection.reach().writing.meta
        held = await acquire(meta, lease, now_ns, looks_first=self.connection.is_in_transaction)
        if held is None:
            self._known = known
        return held

    @operation("renew the lease of")
    async def renew(self, writer: Writer, seconds: float) -> bool:
        """Extend the lease if *writer* still holds it, be it expired."""
        known = _Known.since_now(writer, seconds)
        lease = Lease.starting(writer, (await self.connection.server()).time_ns(), seconds)
        meta = self.connection.reach().writing.meta
        is_held = await _put(meta, lease, {"holder": writer.holder}, upsert=False)
        self._known = known if is_held else _Known()
        return is_held

    @operation("release the lease of")
    async def release(self, writer: Writer) -> None:
        """Release the lease if *writer* still holds it."""
        await self.connection.reach().writing.meta.delete_one({**_LEASE, "holder": writer.holder})

    @operation("look at the lease of")
    async def status(self) -> LeaseStatus | None:
        """Return the stored lease: one command, and one more if there is one."""
        lease = await _held(self.connection.reach().writing.meta)
        if lease is None:
            return None
        return LeaseStatus.at(lease, (await self.connection.server()).time_ns())

    @operation("end the lease of")
    async def revoke(self, lease: Lease) -> bool:
        """End *lease* unless it was renewed or taken meanwhile."""
        meta = self.connection.reach().writing.meta
        condition = {"holder": lease.writer.holder, "expires_ns": lease.expires_ns}
        return await _put(meta, lease.revoked(), condition, upsert=False)

    async def needs_recovery(self) -> bool:
        """Return whether an update died before it was finished, and left its lease."""
        status = await self.status()
        return status is not None and status.state.is_free

    async def fenced(self, writer: Writer | None, work: Callable[[Collections], Awaitable[T]]) -> T:
        """Return the result of *work*, which writes to the collections that it is called with.

        Where the server has transactions, the lease is checked in the same one: it changes the document of
        the lease, so it cannot succeed beside another writer that takes the lease. Elsewhere, and for a batch
        that a transaction cannot hold, the lease is checked by the command before, unless it was taken or
        renewed so recently that it cannot have expired.

        Raises:
            LeaseHeldError: *writer* is not None, and does not hold the lease.
        """
        bound = self.connection.reach()
        if writer is None:
            return await work(bound.writing)
        if not self.connection.is_in_transaction and (await self.connection.server()).has_transactions:
            try:
                return await _in_transaction(bound, writer, work)
            except (NotWrittenError, TransactionError):
                pass
            except OperationFailure as error:
                if is_passing(error):
                    raise
        if self.connection.is_in_transaction or not self._known.is_certain(writer):
            await _check(bound.writing.meta, writer)
        return await work(bound.writing)


class _Known(NamedTuple):
    """Until when a writer holds the lease for certain, by the clocks of this process."""

    holder: str = ""
    monotonic: float = 0.0  # which may stand still while the machine sleeps
    wall: float = 0.0  # which may be set

    @classmethod
    def since_now(cls, writer: Writer, seconds: float) -> _Known:
        """Return what is known once a lease of *seconds* is taken; half of it is left for a write."""
        return cls(writer.holder, time.monotonic() + seconds / 2, time.time() + seconds / 2)

    def is_certain(self, writer: Writer) -> bool:
        """Return whether *writer* still holds the lease."""
        is_early = time.monotonic() < self.monotonic and time.time() < self.wall
        return is_early and self.holder == writer.holder


async def acquire(meta: Any, lease: Lease, now_ns: int, *, looks_first: bool = False) -> Lease | None:
    """Take or renew *lease* in the collection *meta*.

    Args:
        meta: the collection.
        lease: the requested lease.
        now_ns: the server's time.
        looks_first: read before writing, because a refused write would end the transaction.

    Returns:
        None, or the lease of another holder.
    """
    is_mine_or_old = {"$or": [{"holder": lease.writer.holder}, {"expires_ns": {"$lte": now_ns}}]}
    refusal: OperationFailure | None = None
    for _ in range(_ATTEMPTS):
        if not looks_first:
            try:
                if await _put(meta, lease, is_mine_or_old, upsert=True):
                    return None
            except OperationFailure as error:
                # A lease that does not meet the condition is a duplicate key: servers answer various codes.
                if is_passing(error):
                    raise
                refusal = error
        held = await _held(meta)
        if held is None:
            looks_first = False  # nobody holds it, or it was released a moment ago
        elif not is_free(held, lease.writer, now_ns=now_ns):
            return held
        elif await _put(meta, lease, {"holder": held.writer.holder}, upsert=False):
            return None
    raise refusal or OperationFailure("the lease could not be stored")


async def _in_transaction(
    bound: BoundCollections, writer: Writer, work: Callable[[Collections], Awaitable[T]]
) -> T:
    """Check the lease and *work* in one transaction; try again after a conflict.

    Raises:
        TransactionError: it met a conflict each time.
    """
    for _ in range(_ATTEMPTS):
        transaction = await Transaction.begin(bound)
        try:
            async with transaction.exclusive():
                await _check(transaction.bound.writing.meta, writer)
                result = await work(transaction.bound.writing)
                await transaction.commit()
                return result
        except OperationFailure as error:
            await transaction.roll_back()
            if not is_conflict(error):
                raise
        except BaseException:
            await transaction.roll_back()
            raise
        finally:
            await transaction.end()
    raise TransactionError("another process writes to the lease all the time")


async def _check(meta: Any, writer: Writer) -> None:
    """Raise LeaseHeldError unless *writer* holds the lease; counting its writes makes others conflict."""
    counted = await meta.update_one({**_LEASE, "holder": writer.holder}, {"$inc": {"writes": 1}})
    if not counted.matched_count:
        raise lease_lost(await _held(meta))


async def _held(meta: Any) -> Lease | None:
    """Return the lease that was taken and not released, even if it has expired."""
    document = await meta.find_one(_LEASE)
    if document is None:
        return None
    writer = Writer(**{name: document[name] for name in Writer._fields if name in document})
    times = {name: document[name] for name in ("expires_ns", "lasts_ns") if name in document}
    return Lease(writer, **times)


async def _put(meta: Any, lease: Lease, condition: Mapping[str, Any], *, upsert: bool) -> bool:
    """Write *lease* over one that meets *condition*, or (*upsert*) insert it; return whether it is stored."""
    fields = {**lease.writer._asdict(), "expires_ns": lease.expires_ns, "lasts_ns": lease.lasts_ns}
    document = await meta.find_one_and_update(
        {**_LEASE, **condition}, {"$set": fields}, upsert=upsert, return_document=ReturnDocument.AFTER
    )
    return document is not None and document["holder"] == lease.writer.holder
