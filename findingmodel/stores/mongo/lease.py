"""The writer's lease in MongoDB: one document, taken by one atomic command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from findingmodel.stores.lease import Lease, is_free, is_orphaned
from findingmodel.stores.mongo.connection import operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from findingmodel.stores.mongo.connection import Connection

_LEASE = {"_id": "lease"}


class MongoLeases:
    """The writer's lease of a branch in MongoDB."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @operation("take the lease of")
    async def acquire(self, lease: Lease) -> Lease | None:
        """Take or renew *lease*: one command if it is free; else return the lease that is held."""
        meta = self.connection.reach().writing.meta
        return await acquire(meta, lease, looks_first=self.connection.is_in_transaction)

    @operation("release the lease of")
    async def release(self, lease: Lease) -> None:
        """Release *lease* if it is still held."""
        await self.connection.reach().writing.meta.delete_one({**_LEASE, "holder": lease.holder})

    @operation("look at the lease of")
    async def needs_recovery(self) -> bool:
        """Return whether an update died before it was finished, and left its lease."""
        return is_orphaned(await _held(self.connection.reach().writing.meta))


async def acquire(meta: Any, lease: Lease, *, looks_first: bool = False) -> Lease | None:
    """Take or renew *lease* in the collection *meta*.

    Args:
        meta: the collection.
        lease: the requested lease.
        looks_first: read before writing, because a refused write would end the transaction.

    Returns:
        None, or the lease of another holder.
    """
    while True:
        now_ns = time.time_ns()
        is_mine_or_old = {"$or": [{"holder": lease.holder}, {"expires_ns": {"$lte": now_ns}}]}
        if not looks_first and await _put(meta, lease, is_mine_or_old, upsert=True):
            return None
        held = await _held(meta)
        if held is None:
            looks_first = False
            continue  # nobody holds it, or it was released a moment ago
        if not is_free(held, lease, now_ns=now_ns):
            return held
        if await _put(meta, lease, {"holder": held.holder}, upsert=False):
            return None


async def _held(meta: Any) -> Lease | None:
    """Return the lease that was taken and not released, even if it has expired."""
    document = await meta.find_one(_LEASE)
    return None if document is None else Lease(**{name: document[name] for name in Lease._fields})


async def _put(meta: Any, lease: Lease, condition: Mapping[str, Any], *, upsert: bool) -> bool:
    """Write *lease* over one that meets *condition*, or (*upsert*) insert it; return whether it is stored."""
    try:
        document = await meta.find_one_and_update(
            {**_LEASE, **condition},
            {"$set": lease._asdict()},
            upsert=upsert,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:  # the stored lease does not meet it; some servers return None instead
        return False
    return document is not None and document["holder"] == lease.holder
