"""The named steps of an update, and how to kill a process at one of them.

The package has no code for this: a child of `tests.torture.zygote` replaces a function by a wrapper that
counts its calls and kills the process at the chosen one: before, after or in the middle of the function.
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

__all__ = ["LEDGER", "MONGO", "SQLITE", "UPDATE", "Fault", "arm"]

UPDATE = {
    "scan": "findingmodel.update.compare:scan",
    "load a chunk": "findingmodel.update.load:Loader.load_chunk",
    "hold a batch back": "findingmodel.update.write:Spool.keep",
    "release held batches": "findingmodel.update.write:BatchWriter.release",
    "write a batch": "findingmodel.update.write:BatchWriter.write",
    "settle deferred files": "findingmodel.update.decide:UpdateDecisions.settle",
    "decide on contributors": "findingmodel.update.contributors:Credits.changes",
    "finish": "findingmodel.update.write:BatchWriter.finish",
    "log the start": "findingmodel.observe.ledger_recorder:LedgerEntry.begin",
    "log the end": "findingmodel.observe.ledger_recorder:LedgerEntry.end",
}

SQLITE = {
    "create tables": "findingmodel.stores.sqlite.database:connect_for_writing",
    "read the manifest": "findingmodel.stores.sqlite.branch:Branch.manifest",
    "take the lease": "findingmodel.stores.sqlite.store:_acquire",
    "write rows": "findingmodel.stores.sqlite.branch:Branch.write",
    "put models": "findingmodel.stores.sqlite.branch:Branch._upsert",
    "delete rows": "findingmodel.stores.sqlite.branch:Branch._delete",
    "touch rows": "findingmodel.stores.sqlite.branch:Branch._touch",
    "run one statement": "findingmodel.stores.sqlite.branch:Branch.run_many",
    "step the generation": "findingmodel.stores.sqlite.branch:Branch.advance",
    "release the lease": "findingmodel.stores.sqlite.store:_release",
    "close": "findingmodel.stores.sqlite.database:Database._close",
}

MONGO = {
    "create collections": "findingmodel.stores.mongo.setup:prepare",
    "read the manifest": "findingmodel.stores.mongo.store:MongoStore.manifest",
    "take the lease": "findingmodel.stores.mongo.lease:MongoLeases.acquire",
    "write documents": "findingmodel.stores.mongo.store:MongoStore.write",
    "put documents": "findingmodel.stores.mongo.commands:BulkWriter.send",
    "delete documents": "findingmodel.stores.mongo.store:delete",
    "step the generation": "findingmodel.stores.mongo.store:MongoStore.advance",
    "release the lease": "findingmodel.stores.mongo.lease:MongoLeases.release",
    "close": "findingmodel.stores.mongo.store:MongoStore.close",
}

LEDGER = {
    "append to the ledger": "findingmodel.observe.ledger_recorder:append_lines",
    "write lines": "findingmodel.observe.ledger_recorder:_write_whole",
    "rotate the ledger": "findingmodel.observe.ledger_recorder:_rotate",
}


class Fault(NamedTuple):
    """Where to kill a process.

    Attributes:
        step: ``module:function``, or ``module:class.method``.
        when: before or after the function runs, or within it; the last only for lines of the ledger.
        call: the number of the call, from 1.
    """

    step: str
    when: When
    call: int


def arm(fault: Fault) -> None:
    """Make this process die at *fault*."""
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
    signal.pause()  # another thread may receive the signal


def _write_half(file: int, lines: bytes, _size: int) -> None:
    """Write half of the lines, like a process killed during the write."""
    os.write(file, lines[: len(lines) // 2])
    _die()
