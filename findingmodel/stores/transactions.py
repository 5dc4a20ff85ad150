"""Which transaction the running task is in: what a store is asked within one belongs to it.

Tasks that are started within belong to it too. One that outlives it goes on without.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from findingmodel.errors import TransactionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["current", "joined", "refuse_nested"]


class _Membership:
    """That a task is in *transaction*, until that is over."""

    def __init__(self, transaction: Any) -> None:
        self.transaction = transaction


_Memberships = tuple[tuple[object, _Membership], ...]  # by store; hardly ever more than one

_memberships: ContextVar[_Memberships] = ContextVar("findingmodel_transactions", default=())


def current(store: object) -> Any:
    """Return the transaction of *store* that the running task is in, or None."""
    for of, membership in _memberships.get():
        if of == store and membership.transaction is not None:
            return membership.transaction
    return None


def refuse_nested(store: object, label: str) -> None:
    """Raise TransactionError if the running task is in a transaction of *store*, called *label*, already."""
    if current(store) is not None:
        raise TransactionError(
            f"cannot begin a transaction in {label}: one is open here already, and they do not nest"
        )


@contextmanager
def joined(store: object, transaction: object) -> Iterator[None]:
    """Let the running task be in *transaction* of *store* for the length of the block."""
    outer, membership = _memberships.get(), _Membership(transaction)
    _memberships.set((*outer, (store, membership)))
    try:
        yield
    finally:
        membership.transaction = None
        _memberships.set(outer)
