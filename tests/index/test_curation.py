"""The curators' methods of an Index, asynchronous and not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from findingmodel import EditError, Index, NewAttribute, NotFoundError
from tests.builders import make_choice, write_model
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    write_model(tmp_path / "defs", "1.fm.json", 1, tags=["Ultrasound"])
    write_model(tmp_path / "defs", "2.fm.json", 2, name="pleural plaque")
    return tmp_path / "defs"


@pytest.fixture
def url(any_server: Server | None) -> Iterator[str]:
    if any_server is None:
        yield "sqlite://"
        return
    with own_database(any_server.uri) as name:
        yield f"{any_server.uri}/{name}"


async def test_a_curators_day(url: str, defs: Path, tmp_path: Path) -> None:
    async with Index(url) as index:
        await index.update_from_directory(defs)
        with pytest.raises(EditError, match="OIFM_TEST_000002"):
            await index.add_synonym(defs / "1.fm.json", "Pleural plaque")
        await index.add_synonym(defs / "1.fm.json", "coin lesion")
        await index.add_value(defs / "1.fm.json", "margin", "angular")
        await index.add_attribute(defs / "1.fm.json", NewAttribute("volume", unit="mL"), directory=defs)
        await index.change_from_prior([defs / "1.fm.json"], add=["larger"])
        await index.rename_tag(defs, "ultrasound", "US")
        trial = await index.rename_model(defs / "1.fm.json", "lung lesion", dry_run=True)
        assert [change.moved_to for change in trial.changes] == [defs / "lung_lesion.fm.json"]
        await index.rename_model(str(defs / "1.fm.json"), "lung lesion", keep_synonym=True)
        assert not await index.contains("coin lesion")
        await index.update_from_directory(defs)
        (match, maybe) = await index.triage(["Coin lesions", "calcified pleural plaque"])
        assert (match.oifm_id, maybe.status) == ("OIFM_TEST_000001", "maybe")
        assert [entry.oifm_id for entry in await index.select(modalities=["US"])] == ["OIFM_TEST_000001"]
        assert (await index.coverage()).modalities == {"US": 1, "CT": 1}
        await index.merge_models(defs / "2.fm.json", defs / "lung_lesion.fm.json")
        report = await index.update_from_directory(defs)
        assert (report.updated, report.removed) == (1, 1)
        assert (await index.get_full("OIFM_TEST_000002")).name == "lung lesion"
        with pytest.raises(NotFoundError):
            await index.get_full("OIFM_TEST_000009")
        assert (await index.export(tmp_path / "out", "csv")).written == 2
        assert (await index.export(tmp_path / "out", "fhir")).written == 3


def test_the_same_without_async(defs: Path, tmp_path: Path) -> None:
    write_model(defs, "3.fm.json", 3, name="renal mass", attributes=[make_choice(90)])
    with Index.sync("sqlite://") as index:
        index.update_from_directory(defs)
        index.deprecate_model(defs / "2.fm.json", "OIFM_TEST_000001")
        index.export(tmp_path / "out", "radelement")
        (tmp_path / "other.json").write_bytes((tmp_path / "out/sets/3.json").read_bytes())
        with pytest.raises(EditError, match="already belongs to OIFM_TEST_000003"):
            index.import_model(tmp_path / "other.json", "ABCD", tmp_path / "new")
        index.remove_entry("OIFM_TEST_000003")
        edit, lost = index.import_model(tmp_path / "other.json", "ABCD", tmp_path / "new")
        assert json.loads(edit.changes[0].path.read_bytes())["name"] == "renal mass"
        assert lost == ()
