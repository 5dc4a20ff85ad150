"""An index that findingmodel 0.3 or 0.4 left where ours is to be: recognised, and put aside.

Its collections get other names, those of another branch, with every document and index as it was: the program
that made them still reads them there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findingmodel.errors import StoreError, StoreSchemaError
from findingmodel.stores.records import Predecessor

if TYPE_CHECKING:
    from findingmodel.stores.mongo.connection import Collections

__all__ = ["find_predecessor", "has_old_indexes", "put_aside"]

_SUFFIX = "_0_3"  # letters, digits and _ only: some servers rename nothing else
_NOT_OURS = {"file": {"$exists": False}}
_OLD_FIELDS = ("oifm_id", "slug_name", "file_hash_sha256")
_OLD_INDEXES = {"fts_allfields", "slug_name_1"}


async def find_predecessor(collections: Collections, branch: str) -> Predecessor | None:
    """Return what findingmodel 0.3 left in *collections*, and where it can be put; None if it left nothing.

    Raises:
        StoreSchemaError: there are documents that no version of this package wrote.
    """
    document = await collections.entries.find_one(_NOT_OURS)
    if document is None and not await has_old_indexes(collections.entries):
        return None
    if document is not None and any(name not in document for name in _OLD_FIELDS):
        raise StoreSchemaError(
            "there are documents of another program in its collections: use another branch"
        )
    models = await collections.entries.count_documents(_NOT_OURS)
    return Predecessor(models, f"{branch}{_SUFFIX}")


async def has_old_indexes(entries: Any) -> bool:
    """Return whether *entries* has the indexes of findingmodel 0.3; the unique ones would refuse models."""
    return not _OLD_INDEXES.isdisjoint(await entries.index_information())


async def put_aside(database: Any, collections: Collections, to: Collections) -> None:
    """Give the collections of findingmodel 0.3 the names of *to*; the entries last, for they tell of it.

    Raises:
        StoreError: the names are taken, or the server did not do it; no document is lost.
    """
    names = await database.list_collection_names()
    pairs = [
        (source, target.name)
        for source, target in zip(collections[2::-1], to[2::-1], strict=True)
        if source.name in names
    ]
    if taken := [target for _, target in pairs if target in names]:
        raise StoreError(
            f"an index was put aside before, and is still there: drop {', '.join(taken)}, or rename it"
        )
    for source, target in pairs:
        await source.rename(target)
    left = set(await database.list_collection_names())
    if any(source.name in left or target not in left for source, target in pairs):
        raise StoreError("the server did not rename its collections: use another branch or database")
