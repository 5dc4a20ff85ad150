"""`Index` and `SyncIndex`: every read and write of an index.

Names load on first use. ``from findingmodel.index import Index`` also works, as in findingmodel 0.3.
"""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "Index": "findingmodel.index.aio",
    "IndexEntry": "findingmodel.index.results",
    "IndexReturnType": "findingmodel.update.entry",
    "MongoDBIndex": "findingmodel.index.aio",
    "SyncIndex": "findingmodel.index.sync",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
