"""What findingmodel 0.3 showed of MongoDB: its client, its database and its collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

__all__ = ["DriverObjects"]


class DriverObjects:
    """The driver's own objects behind an index in MongoDB, as attributes that exist while an event loop runs.

    Reading through them is safe. What is written through them is written past the index: no update knows of
    it, and what searches remember stays.
    """

    _store: Store

    @property
    def client(self) -> Any:
        """The client: the one that was given, or the one that this process shares."""
        return self.db.client

    @property
    def db(self) -> Any:
        """The database."""
        return self._reached.database

    @property
    def index_collection(self) -> Any:
        """The collection of entries."""
        return self._reached.writing.entries

    @property
    def people_collection(self) -> Any:
        """The collection of people."""
        return self._reached.writing.people

    @property
    def organizations_collection(self) -> Any:
        """The collection of organizations."""
        return self._reached.writing.organizations

    @property
    def _reached(self) -> Any:
        try:
            return self._store.reached  # type: ignore[attr-defined]  # MongoDB's alone has it
        except AttributeError:
            raise AttributeError(f"{self._store.label} has no client and no collections") from None
        except RuntimeError:
            raise RuntimeError(f"{self._store.label} has a client only while an event loop runs") from None
