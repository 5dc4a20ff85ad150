"""The writer's lease: one document, taken by one atomic command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from findingmodel.stores.lease import is_free
from findingmodel.stores.records import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["acquire", "held", "release"]

_LEASE = {"_id": "lease"}


async def acquire(meta: Any, lease: Lease, *, looks_first: bool = False) -> Lease | None:
    """Take or renew *lease* in the collection *meta*: one command if it is free, else who holds it.

    Args:
        meta: a collection.
        lease: what is wanted.
        looks_first: whether not to try at once, because within a transaction a refusal would end it.
    """
    while True:
        now_ns = time.time_ns()
        is_mine_or_old = {"$or": [{"holder": lease.holder}, {"expires_ns": {"$lte": now_ns}}]}
        if not looks_first and await _put(meta, lease, is_mine_or_old, upsert=True):
            return None
        holder = await held(meta)
        if holder is None:
            looks_first = False
            continue  # nobody has it, or it was given back a moment ago
        if not is_free(holder, lease, now_ns=now_ns):
            return holder
        if await _put(meta, lease, {"holder": holder.holder}, upsert=False):
            return None


async def held(meta: Any) -> Lease | None:
    """Return the lease that somebody took and has not given back, be it ever so old."""
    document = await meta.find_one(_LEASE)
    return None if document is None else Lease(**{name: document[name] for name in Lease._fields})


async def release(meta: Any, lease: Lease) -> None:
    """Give *lease* back, if it is still held."""
    await meta.delete_one({**_LEASE, "holder": lease.holder})


async def _put(meta: Any, lease: Lease, condition: Mapping[str, Any], *, upsert: bool) -> bool:
    """Write *lease* over one that meets *condition*, or (*upsert*) where none is; tell if it is ours."""
    try:
        document = await meta.find_one_and_update(
            {**_LEASE, **condition},
            {"$set": lease._asdict()},
            upsert=upsert,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:  # there is one that does not meet it; some servers return nothing instead
        return False
    return document is not None and document["holder"] == lease.holder
