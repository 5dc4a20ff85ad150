"""The named steps of an update, and how a process is made to die at one of them.

Nothing in the package knows of this: a child of `tests.torture.zygote` replaces a function by one that counts
its calls, and at the chosen one kills itself, before, after or in the middle of what the function does.
"""

from __future__ import annotations

import importlib
import inspect
import os
import signal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    When = Literal["before", "after", "within"]

__all__ = ["LEDGER", "MONGO", "SQLITE", "SYNC", "Fault", "arm"]

SYNC = {
    "scan": "findingmodel.sync.preflight:scan",
    "load a chunk": "findingmodel.sync.load:Loader.load_chunk",
    "hold a batch back": "findingmodel.sync.staging:Spool.keep",
    "release what was held back": "findingmodel.sync.staging:Outlet.release",
    "write a batch": "findingmodel.sync.staging:Outlet.write",
    "settle what waits": "findingmodel.sync.reconcile:Reconciliation.settle",
    "decide on contributors": "findingmodel.sync.credits:Credits.changes",
    "finish": "findingmodel.sync.staging:Outlet.finish",
    "note the beginning": "findingmodel.observe.notes:Note.begin",
    "note the end": "findingmodel.observe.notes:Note.end",
}

SQLITE = {
    "create tables": "findingmodel.stores.sqlite:connect_for_writing",
    "read the manifest": "findingmodel.stores.sqlite_core:Branch.manifest",
    "take the lease": "findingmodel.stores.sqlite:_acquire",
    "write rows": "findingmodel.stores.sqlite_core:Branch.write",
    "put models": "findingmodel.stores.sqlite_core:Branch._upsert",
    "delete rows": "findingmodel.stores.sqlite_core:Branch._delete",
    "touch rows": "findingmodel.stores.sqlite_core:Branch._touch",
    "run one statement": "findingmodel.stores.sqlite_core:Branch._each",
    "step the generation": "findingmodel.stores.sqlite_core:Branch.advance",
    "give the lease back": "findingmodel.stores.sqlite:_release",
    "close": "findingmodel.stores.sqlite:SQLiteStore._close",
}

MONGO = {
    "create collections": "findingmodel.stores.mongo:prepare",
    "read the manifest": "findingmodel.stores.mongo:MongoStore.manifest",
    "take the lease": "findingmodel.stores.mongo_lease:acquire",
    "write documents": "findingmodel.stores.mongo:MongoStore.write",
    "put documents": "findingmodel.stores.mongo:upsert",
    "delete documents": "findingmodel.stores.mongo:delete",
    "step the generation": "findingmodel.stores.mongo:MongoStore.advance",
    "give the lease back": "findingmodel.stores.mongo_lease:release",
    "close": "findingmodel.stores.mongo:MongoStore.close",
}

LEDGER = {
    "append to the ledger": "findingmodel.observe.ledger_writer:append_lines",
    "write lines": "findingmodel.observe.ledger_writer:_write_whole",
    "put the ledger aside": "findingmodel.observe.ledger_writer:_put_aside",
}


class Fault(NamedTuple):
    """Where a process dies.

    Attributes:
        step: ``module:function``, or ``module:class.method``.
        when: before the function does anything, after it has done everything, or half-way; the last is for
            the lines of the ledger only.
        call: at which call, from 1.
    """

    step: str
    when: When
    call: int


def arm(fault: Fault) -> None:
    """Let this process die of *fault*."""
    module_name, _, path = fault.step.partition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    setattr(owner, name, _dying(getattr(owner, name), fault))


def _dying(function: Callable[..., Any], fault: Fault) -> Callable[..., Any]:
    calls = 0

    def is_due() -> bool:
        nonlocal calls
        calls += 1
        return calls == fault.call

    async def die_async(*args: Any, **kwargs: Any) -> Any:
        due = is_due()
        if due and fault.when == "before":
            _die()
        result = await function(*args, **kwargs)
        if due:
            _die()
        return result

    def die(*args: Any, **kwargs: Any) -> Any:
        due = is_due()
        if due and fault.when == "before":
            _die()
        if due and fault.when == "within":
            _write_half(*args)
        result = function(*args, **kwargs)
        if due:
            _die()
        return result

    return die_async if inspect.iscoroutinefunction(function) else die


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # another thread may be the one that takes it


def _write_half(file: int, lines: bytes, _size: int) -> None:
    """Leave a torn line, as a process leaves that is killed while it writes."""
    os.write(file, lines[: len(lines) // 2])
    _die()
