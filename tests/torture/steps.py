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
    "scan": "findingmodel.update.compare:scan",
    "load a chunk": "findingmodel.update.load:Loader.load_chunk",
    "hold a batch back": "findingmodel.update.write:Spool.keep",
    "release what was held back": "findingmodel.update.write:BatchWriter.release",
    "write a batch": "findingmodel.update.write:BatchWriter.write",
    "settle what waits": "findingmodel.update.decide:UpdateDecisions.settle",
    "decide on contributors": "findingmodel.update.contributors:Credits.changes",
    "finish": "findingmodel.update.write:BatchWriter.finish",
    "note the beginning": "findingmodel.observe.ledger_recorder:LedgerEntry.begin",
    "note the end": "findingmodel.observe.ledger_recorder:LedgerEntry.end",
}

SQLITE = {
    "create tables": "findingmodel.stores.sqlite.store:connect_for_writing",
    "read the manifest": "findingmodel.stores.sqlite.branch:Branch.manifest",
    "take the lease": "findingmodel.stores.sqlite.store:_acquire",
    "write rows": "findingmodel.stores.sqlite.branch:Branch.write",
    "put models": "findingmodel.stores.sqlite.branch:Branch._upsert",
    "delete rows": "findingmodel.stores.sqlite.branch:Branch._delete",
    "touch rows": "findingmodel.stores.sqlite.branch:Branch._touch",
    "run one statement": "findingmodel.stores.sqlite.branch:Branch._each",
    "step the generation": "findingmodel.stores.sqlite.branch:Branch.advance",
    "give the lease back": "findingmodel.stores.sqlite.store:_release",
    "close": "findingmodel.stores.sqlite.store:SQLiteStore._close",
}

MONGO = {
    "create collections": "findingmodel.stores.mongo.store:prepare",
    "read the manifest": "findingmodel.stores.mongo.store:MongoStore.manifest",
    "take the lease": "findingmodel.stores.mongo.lease:acquire",
    "write documents": "findingmodel.stores.mongo.store:MongoStore.write",
    "put documents": "findingmodel.stores.mongo.store:upsert",
    "delete documents": "findingmodel.stores.mongo.store:delete",
    "step the generation": "findingmodel.stores.mongo.store:MongoStore.advance",
    "give the lease back": "findingmodel.stores.mongo.lease:release",
    "close": "findingmodel.stores.mongo.store:MongoStore.close",
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
