"""The write path on every store: the same rules on a SQLite file and on each MongoDB wire server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.compare import preflight
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import write_model
from tests.stores.listening import listened
from tests.update.file_rules import MetadataRules, RenamedAndBrokenRules, no_stamps
from tests.update.update_rules import UpdateContract, age, edit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server


__all__ = ["no_stamps"]  # a fixture of the rules


class TestUpdate(UpdateContract, MetadataRules, RenamedAndBrokenRules):
    """All rules, on every kind of store."""


def test_an_update_with_nothing_to_do_needs_no_event_loop(tmp_path: Path, defs: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db")
    assert run_without_loop(preflight(store, defs, UpdateOptions())).report is None
    assert not (tmp_path / "x.db").exists()


async def test_a_dry_run_creates_no_database(tmp_path: Path, defs: Path) -> None:
    report = await update(SQLiteStore(tmp_path / "new" / "x.db"), defs, UpdateOptions(dry_run=True))
    assert report.added == 30
    assert not (tmp_path / "new").exists()


@pytest.mark.mongo
async def test_updates_send_few_commands(mongo_server: Server, mongo_database: str, tmp_path: Path) -> None:
    if mongo_server.name == "ferretdb":
        pytest.skip("FerretDB 1 takes a connection for each document of a command, and few at a time")
    count = 2_050
    for number in range(count):
        write_model(tmp_path, f"{number}.fm.json", number)
    age(tmp_path)
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        sent = await commands.of(update(store, tmp_path, UpdateOptions()))
        # Setup needs one more to find out that NX-27017 cannot store binary values.
        fixed = 14 if mongo_server.name == "nx" else 13
        fixed += 2 * sent.count("commitTransaction")  # with transactions, a write is three commands
        assert len(sent) <= count / 1_000 * 2 + fixed, sent
        assert (await store.counts()).models == count
        assert await commands.of(update(store, tmp_path, UpdateOptions())) == ["find", "find"]
        edit(tmp_path / "7.fm.json", description="Edited since then.")
        sent = await commands.of(update(store, tmp_path, UpdateOptions()))
        assert len(sent) - 2 * sent.count("commitTransaction") <= 12, sent
