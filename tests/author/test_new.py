"""new: a valid file with unused ids, and no other file is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel import parse_model
from findingmodel.author.check import check
from findingmodel.author.new import new_model
from findingmodel.errors import ConfigError, DocumentError
from findingmodel.model.layout import canonical
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store


@pytest.fixture
async def defs(store: Store, tmp_path: Path) -> Path:
    directory = tmp_path / "defs"
    write_model(directory, "m1.fm.json", 1)
    assert (await update(store, directory, UpdateOptions())).ok
    return directory


async def test_the_file_is_valid_and_canonical_and_can_be_indexed(store: Store, defs: Path) -> None:
    made = await new_model(store, defs, "Pleural plaque (hyaline)", "test", tags=["CT"])
    assert made.path == defs / "pleural_plaque_hyaline.fm.json"
    data = made.path.read_bytes()
    assert parse_model(data).model == made.model
    assert canonical(data) == data
    assert made.model.contributors is not None
    assert [who.name for who in made.model.contributors] == ["Test Radiology Group"]
    assert (made.known_models, made.collisions[0].verdict) == (1, "free")
    assert check(defs).ok
    assert (await update(store, defs, UpdateOptions())).added == 1


async def test_ids_of_the_index_and_of_other_files_are_not_used_again(
    store: Store, defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(defs, "not_indexed.fm.json", 2)
    (defs / "broken.fm.json").write_text('{"oifm_id": "OIFM_TEST_000003"')
    models = map("OIFM_TEST_{:06d}".format, (1, 2, 3, 4, 5))
    attributes = map("OIFMA_TEST_{:06d}".format, (10, 21, 11, 22, 23, 24))
    monkeypatch.setattr("findingmodel.model.finding.generate_oifm_id", lambda _source: next(models))
    monkeypatch.setattr("findingmodel.model.finding.generate_oifma_id", lambda _source: next(attributes))
    made = await new_model(store, defs, "pleural plaque", "TEST")
    given = [made.model.oifm_id, *(attribute.oifma_id for attribute in made.model.attributes)]
    assert given == ["OIFM_TEST_000004", "OIFMA_TEST_000022", "OIFMA_TEST_000023"]


async def test_a_file_is_never_overwritten(store: Store, defs: Path) -> None:
    path = defs / "pleural_plaque.fm.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="nothing was written"):
        await new_model(store, defs, "Pleural plaque", "TEST")
    assert path.read_text() == "mine"


async def test_a_name_belongs_to_one_model(store: Store, defs: Path) -> None:
    with pytest.raises(DocumentError, match=r"already belongs to OIFM_TEST_000001 \(m1\.fm\.json\)"):
        await new_model(store, defs, "Pulmonary NODULE of type 1", "TEST")
    assert len(list(defs.iterdir())) == 1


async def test_models_with_the_same_synonym_are_reported(store: Store, defs: Path) -> None:
    made = await new_model(store, defs, "lung nodule of type 1", "TEST")
    assert [other["oifm_id"] for other in made.collisions[0].synonyms] == ["OIFM_TEST_000001"]
    made = await new_model(store, defs, "another nodule", "TEST", synonyms=["pn1"])
    assert [other["oifm_id"] for other in made.collisions[1].synonyms] == ["OIFM_TEST_000001"]


async def test_models_with_a_similar_name_are_reported(store: Store, defs: Path) -> None:
    made = await new_model(store, defs, "type 1 pulmonary nodules", "TEST")
    assert [(near.entry["oifm_id"], near.how) for near in made.collisions[0].near] == [
        ("OIFM_TEST_000001", "form")
    ]


async def test_tags_are_written_as_the_index_writes_them(store: Store, defs: Path) -> None:
    made = await new_model(store, defs, "pleural plaque", "TEST", tags=["ct", "Chest", "CT", "Lung_base"])
    assert made.model.tags == ["CT", "chest", "Lung_base"]
    assert made.tags == {"ct": "CT", "Chest": "chest", "CT": "CT", "Lung_base": None}


async def test_an_unknown_source_is_not_a_contributor(store: Store, tmp_path: Path) -> None:
    made = await new_model(store, tmp_path / "new", "pleural plaque", "ABCD")
    assert (made.model.contributors, made.contributor, made.known_models) == (None, False, 0)
    assert made.model.oifm_id.startswith("OIFM_ABCD_")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "a/b\\c: d", "con\0trol name", "脳脳脳脳脳", "x" * 300]
)
async def test_no_name_leads_out_of_the_directory(memory: Store, tmp_path: Path, name: str) -> None:
    outside = set(tmp_path.iterdir())
    try:
        made = await new_model(memory, tmp_path / "new", name, "ABCD")
    except DocumentError:
        return
    assert made.path.parent == tmp_path / "new"
    assert set(tmp_path.iterdir()) == outside | {tmp_path / "new"}


async def test_a_bad_source_writes_no_file(memory: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="three or four letters"):
        await new_model(memory, tmp_path / "new", "pleural plaque", "A")
    assert not (tmp_path / "new").exists()


async def test_ids_that_only_the_index_has_are_not_used_again(
    store: Store, defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert defs.is_dir()
    models = map("OIFM_TEST_{:06d}".format, (1, 2, 3))
    attributes = map("OIFMA_TEST_{:06d}".format, (10, 12, 13, 14, 15))
    monkeypatch.setattr("findingmodel.model.finding.generate_oifm_id", lambda _source: next(models))
    monkeypatch.setattr("findingmodel.model.finding.generate_oifma_id", lambda _source: next(attributes))
    made = await new_model(store, tmp_path / "elsewhere", "pleural plaque", "TEST")
    given = [made.model.oifm_id, *(attribute.oifma_id for attribute in made.model.attributes)]
    assert given == ["OIFM_TEST_000002", "OIFMA_TEST_000013", "OIFMA_TEST_000014"]
