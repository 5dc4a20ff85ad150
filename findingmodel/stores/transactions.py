"""Which transaction the running task is in. Calls to a store within one belong to it.

So do the calls of tasks that are started within it, until it ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from findingmodel.errors import TransactionError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Membership:
    """That a task is in *transaction*; None once that has ended."""

    def __init__(self, transaction: Any) -> None:
        self.transaction = transaction


_memberships: ContextVar[tuple[tuple[object, _Membership], ...]] = ContextVar(
    "findingmodel_transactions", default=()
)
"""By store; hardly ever more than one."""


def current(store: object) -> Any:
    """Return the transaction of *store* that the running task is in, or None."""
    for of, membership in _memberships.get():
        if of == store and membership.transaction is not None:
            return membership.transaction
    return None


def refuse_nested(store: object, label: str) -> None:
    """Raise TransactionError if the running task is already in a transaction of *store*."""
    if current(store) is not None:
        raise TransactionError(f"cannot begin a transaction in {label}: one is open, and they do not nest")


@contextmanager
def joined(store: object, transaction: object) -> Iterator[None]:
    """Make the running task a member of *transaction* of *store* within the block."""
    outer, membership = _memberships.get(), _Membership(transaction)
    _memberships.set((*outer, (store, membership)))
    try:
        yield
    finally:
        membership.transaction = None
        _memberships.set(outer)
