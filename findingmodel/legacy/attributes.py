"""The driver's objects that an Index of findingmodel 0.3 exposed: client, database and collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store


class DriverObjects:
    """The driver's objects of an index in MongoDB, as attributes.

    Those of a client that was passed to the Index are always available, others in an event loop only.
    Reading through them is safe. Writing through them bypasses the index: updates do not notice it, and
    searches return cached results.
    """

    @property
    def _store(self) -> Store:
        raise NotImplementedError

    @property
    def client(self) -> Any:
        """The client that was passed to the Index, or the one that this process shares."""
        return self.db.client

    @property
    def db(self) -> Any:
        """The database."""
        return self._bound.database

    @property
    def index_collection(self) -> Any:
        """The collection of entries."""
        return self._bound.writing.entries.target

    @property
    def people_collection(self) -> Any:
        """The collection of people."""
        return self._bound.writing.people.target

    @property
    def organizations_collection(self) -> Any:
        """The collection of organizations."""
        return self._bound.writing.organizations.target

    @property
    def _bound(self) -> Any:
        try:
            return self._store.connection.reach()  # type: ignore[attr-defined]  # only a MongoStore has it
        except AttributeError:
            raise AttributeError(f"{self._store.label} has no client and no collections") from None
        except RuntimeError:
            if self._store.connection.has_own_client:  # type: ignore[attr-defined]
                return self._store.connection.unbound()  # type: ignore[attr-defined]
            raise RuntimeError(f"{self._store.label} has a client only while an event loop runs") from None
