"""A database of findingmodel 0.3 is recognised, never damaged, and rebuilt only on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from click.testing import CliRunner
from pymongo.errors import OperationFailure

from findingmodel import Index, StoreError, StoreSchemaError
from findingmodel.cli.main import cli
from findingmodel.legacy.archive import find_legacy
from findingmodel.stores.mongo.connection import Collections
from findingmodel.stores.mongo.setup import prepare
from tests.builders import make_model
from tests.legacy.old_database import lay_down, snapshot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

USES: dict[str, Callable[[Index, Path], Awaitable[Any]]] = {
    "get": lambda index, _: index.get("PN1"),
    "get_full": lambda index, _: index.get_full("OIFM_TEST_000001"),
    "contains": lambda index, _: index.contains("anything"),
    "count": lambda index, _: index.count(),
    "search": lambda index, _: index.search("nodule"),
    "all": lambda index, _: index.all(),
    "get_people": lambda index, _: index.get_people(),
    "setup_indexes": lambda index, _: index.setup_indexes(),
    "update": lambda index, defs: index.update_from_directory(defs),
    "update by force": lambda index, defs: index.update_from_directory(defs, force=True),
    "add": lambda index, defs: index.add_or_update_entry_from_file(defs / "model_1.fm.json"),
    "remove": lambda index, _: index.remove_entry("pulmonary nodule of type 1"),
    "remove_unused": lambda index, _: index.remove_unused_entries([]),
}


@pytest.mark.parametrize("use", USES)
async def test_an_old_index_is_recognised_and_not_changed(
    mongo_server: Server, mongo_database: str, defs: Path, use: str
) -> None:
    lay_down(mongo_server.uri, mongo_database, defs)
    before = snapshot(mongo_server.uri, mongo_database)
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database) as index:
        with pytest.raises(StoreSchemaError, match=r"index of findingmodel 0\.3 or 0\.4.*left.*--rebuild"):
            await USES[use](index, defs)
    assert snapshot(mongo_server.uri, mongo_database) == before


class MadeReady:
    """The entries of a database that 0.3 set up and never filled, as in MongoDB itself."""

    name = "index_entries_main"

    async def create_indexes(self, indexes: list[Any]) -> None:
        raise OperationFailure("only one text index per collection allowed", 85)

    async def index_information(self) -> dict[str, Any]:
        return {"_id_": {}, "oifm_id_1": {}, "slug_name_1": {}, "fts_allfields": {}}

    async def find_one(self, query: dict[str, Any]) -> None:
        return None

    async def count_documents(self, query: dict[str, Any]) -> int:
        return 0


async def test_an_old_index_without_models_is_recognised_too() -> None:
    entries = MadeReady()
    with pytest.raises(StoreSchemaError, match="--rebuild"):
        await prepare(None, Collections(entries, None, None, None))
    found = await find_legacy(Collections(entries, None, None, None), "main")
    assert found == (0, "main_0_3")


async def test_another_branch_of_the_database_is_free(
    mongo_server: Server, mongo_database: str, defs: Path
) -> None:
    lay_down(mongo_server.uri, mongo_database, defs)
    before = snapshot(mongo_server.uri, mongo_database)
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database, branch="new") as index:
        assert await index.update_from_directory(defs) == (6, 0, 0)
    assert snapshot(mongo_server.uri, mongo_database) == before


async def test_on_request_it_is_archived_unchanged_and_a_new_index_takes_its_place(
    secantus: Server, database: str, defs: Path
) -> None:
    lay_down(secantus.uri, database, defs)
    before = snapshot(secantus.uri, database)
    async with Index(mongodb_uri=secantus.uri, db_name=database) as index:
        report = await index.update_from_directory(defs, rebuild=True)
        assert (report, report.put_aside) == ((6, 0, 0), "main_0_3")
        assert await index.count() == 6
        entry = await index.get("PN1")
        assert entry is not None
        assert [hit.oifm_id for hit in await index.search("PN2", limit=1)] == ["OIFM_TEST_000002"]
        assert await index.count_people() == 1
        again = await index.update_from_directory(defs, rebuild=True)
        assert (again, again.unchanged, again.put_aside) == ((0, 0, 0), 6, None)
    assert snapshot(secantus.uri, database, "main_0_3") == before


async def test_an_archive_that_was_interrupted_is_completed(
    secantus: Server, database: str, defs: Path
) -> None:
    lay_down(secantus.uri, database, defs)
    before = snapshot(secantus.uri, database)
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        client[database]["people_main"].rename("people_main_0_3")
    async with Index(mongodb_uri=secantus.uri, db_name=database) as index:
        assert await index.update_from_directory(defs, rebuild=True) == (6, 0, 0)
    assert snapshot(secantus.uri, database, "main_0_3") == before


async def test_nothing_is_archived_where_an_archive_exists(
    secantus: Server, database: str, defs: Path
) -> None:
    lay_down(secantus.uri, database, defs)
    lay_down(secantus.uri, database, defs, models=1, branch="main_0_3")
    before = [snapshot(secantus.uri, database, branch) for branch in ("main", "main_0_3")]
    async with Index(mongodb_uri=secantus.uri, db_name=database) as index:
        with pytest.raises(StoreError, match="drop organizations_main_0_3, people_main_0_3, index_entries_"):
            await index.update_from_directory(defs, rebuild=True)
    assert [snapshot(secantus.uri, database, branch) for branch in ("main", "main_0_3")] == before


async def test_a_server_that_cannot_rename_loses_nothing(
    mongo_server: Server, mongo_database: str, defs: Path
) -> None:
    lay_down(mongo_server.uri, mongo_database, defs)
    before = snapshot(mongo_server.uri, mongo_database)
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database) as index:
        if mongo_server.name == "nx":
            with pytest.raises(StoreError, match="did not rename"):
                await index.update_from_directory(defs, rebuild=True)
            assert snapshot(mongo_server.uri, mongo_database) == before
        else:
            assert await index.update_from_directory(defs, rebuild=True) == (6, 0, 0)


@pytest.mark.parametrize(
    ("spoil", "options", "reason"),
    [
        (lambda defs: [file.unlink() for file in defs.iterdir()], {}, "would-empty"),
        (lambda defs: [file.unlink() for file in sorted(defs.iterdir())[:16]], {}, "would-remove-most"),
        (lambda defs: (defs / "bad.fm.json").write_text("{"), {"strict": True}, "strict"),
    ],
    ids=["empty", "most", "strict"],
)
async def test_a_wrong_directory_rebuilds_nothing(
    secantus: Server,
    database: str,
    defs: Path,
    spoil: Callable[[Path], Any],
    options: dict[str, bool],
    reason: str,
) -> None:
    lay_down(secantus.uri, database, defs, models=24)
    before = snapshot(secantus.uri, database)
    spoil(defs)
    async with Index(mongodb_uri=secantus.uri, db_name=database) as index:
        report = await index.update_from_directory(defs, rebuild=True, **options)
        assert report.refused is not None
        assert (report, report.refused.reason, report.put_aside) == ((0, 0, 0), reason, None)
    assert snapshot(secantus.uri, database) == before


async def test_documents_of_another_program_are_not_archived(
    secantus: Server, database: str, defs: Path
) -> None:
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        client[database]["index_entries_main"].insert_one({"anything": 1})
    before = snapshot(secantus.uri, database)
    async with Index(mongodb_uri=secantus.uri, db_name=database) as index:
        with pytest.raises(StoreSchemaError, match="documents of another program"):
            await index.update_from_directory(defs, rebuild=True)
    assert snapshot(secantus.uri, database) == before


async def test_in_a_file_there_is_nothing_to_archive(defs: Path) -> None:
    (defs / "a.fm.json").write_text(json.dumps(make_model(1)))
    async with Index("sqlite:///index.db") as index:
        report = await index.update_from_directory(defs, rebuild=True)
    assert (report, report.put_aside) == ((1, 0, 0), None)


def test_the_command_explains_rebuild_and_does_it(secantus: Server, database: str, defs: Path) -> None:
    lay_down(secantus.uri, database, defs)
    update = ["index", "update", str(defs), "--db", secantus.url(database)]
    refused = CliRunner().invoke(cli, update)
    assert refused.exit_code == 3
    assert "--rebuild" in refused.stderr
    tried = CliRunner().invoke(cli, [*update, "--rebuild", "--dry-run"])
    assert (tried.exit_code, tried.stdout[:11]) == (0, "would add 6")
    assert "would become branch main_0_3" in tried.stderr
    done = CliRunner().invoke(cli, [*update, "--rebuild", "--json"])
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["added"], report["put_aside"]) == (6, "main_0_3")
    history = CliRunner().invoke(cli, ["index", "history", "--json", *update[3:]])
    assert "main_0_3" in [note.get("put_aside") for note in json.loads(history.stdout)]
    assert json.loads(CliRunner().invoke(cli, [*update, "--json"]).stdout)["unchanged"] == 6
