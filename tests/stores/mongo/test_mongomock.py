"""MongoStore on mongomock: the contract without a server, as far as mongomock supports it.

It supports writing, lookups, contributors, leases and generations, but not search: it has neither
`$text` with scores nor `$setIntersection`, so those rules are for the real servers of `test_mongo`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from mongomock.collection import BulkOperationBuilder
from mongomock.database import Database
from mongomock_motor import AsyncMongoMockClient
from pymongo.errors import OperationFailure

from findingmodel.stores.mongo.store import MongoStore
from tests.stores.contract import StoreFixtures
from tests.stores.contract_read import LookupRules
from tests.stores.contract_share import ClosingRules, SharingRules, UpdateRules
from tests.stores.contract_write import WritingRules
from tests.stores.databases import opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from findingmodel.stores.protocol import Store
    from tests.stores.contract_support import OpenStore

pytestmark = pytest.mark.slow

NO_SUCH_COMMAND = 59


class TestContract(StoreFixtures, WritingRules, LookupRules, UpdateRules, SharingRules, ClosingRules):
    """Every rule but those of search."""

    @pytest.fixture
    async def open_store(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
        mend(monkeypatch)
        client = AsyncMongoMockClient()

        def make(branch: str) -> MongoStore:
            return MongoStore("mongodb://mongomock", database="findings", branch=branch, client=client)

        async with opening(make) as open_store:
            yield open_store

    @pytest.mark.xfail(raises=NotImplementedError, strict=True, reason="this rule searches, see above")
    async def test_a_new_version_replaces_the_whole_record(self, store: Store) -> None:
        await super().test_a_new_version_replaces_the_whole_record(store)


def mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adapt mongomock 4.3 to a newer pymongo: ignore one argument, and refuse commands."""
    for name in ("add_replace", "add_update"):
        monkeypatch.setattr(BulkOperationBuilder, name, without_sort(getattr(BulkOperationBuilder, name)))
    monkeypatch.setattr(Database, "command", refuse)


def without_sort(method: Callable[..., None]) -> Callable[..., None]:
    def call(*arguments: Any, sort: None = None, **options: Any) -> None:
        assert sort is None, "pymongo passes it always; a value would be lost here"
        method(*arguments, **options)

    return call


def refuse(*_arguments: Any, **_options: Any) -> NoReturn:
    raise OperationFailure("no such command", NO_SUCH_COMMAND)
