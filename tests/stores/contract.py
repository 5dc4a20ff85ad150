"""The contract of every store. Its tests inherit `StoreContract` and define the fixture `open_store`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.stores.records import WriteBatch
from tests.stores.contract_lease import FenceRules, LeaseRules, RevokeRules
from tests.stores.contract_read import LookupRules, SearchRules
from tests.stores.contract_share import ClosingRules, SharingRules, UpdateRules
from tests.stores.contract_support import OpenStore, crowd
from tests.stores.contract_write import WritingRules

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

__all__ = ["OpenStore", "StoreContract", "StoreFixtures"]


class StoreFixtures:
    """`store` is a store of the branch "main" in a database that does not exist yet; `filled` has models."""

    @pytest.fixture
    async def open_store(self) -> OpenStore:
        raise NotImplementedError("the tests of a store say how it is opened")

    @pytest.fixture
    async def store(self, open_store: OpenStore) -> Store:
        return await open_store()

    @pytest.fixture
    async def filled(self, store: Store) -> Store:
        await store.setup()
        await store.write(WriteBatch(upserts=crowd()))
        return store


class StoreContract(
    StoreFixtures,
    WritingRules,
    LookupRules,
    SearchRules,
    UpdateRules,
    LeaseRules,
    FenceRules,
    RevokeRules,
    SharingRules,
    ClosingRules,
):
    """All rules."""
