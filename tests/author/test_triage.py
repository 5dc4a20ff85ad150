"""triage: equal names match at the same level; everything else is for the curator to decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from findingmodel.author.check import check
from findingmodel.author.triage import ListedFinding, Triage, triage
from findingmodel.author.triage_list import CuratedList
from findingmodel.author.triage_write import stubs, write_ids
from findingmodel.search.searcher import Searcher
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store

NAMES = {
    1: ("pulmonary nodule", ["lung nodule", "coin lesion", "SPN"]),
    2: ("pleural effusion", ["fluid in the pleural space", "lung nodules of two kinds"]),
    3: ("abdominal aortic aneurysm", ["AAA"]),
    4: ("aortic aneurysm", []),
    5: ("renal cyst", ["cyst of the kidney"]),
    6: ("ground-glass nodule", ["coin lesion"]),
}


@pytest.fixture
async def index(store: Store, tmp_path: Path) -> Store:
    for number, (name, synonyms) in NAMES.items():
        write_model(tmp_path / "defs", f"{number}.fm.json", number, name=name, synonyms=synonyms or ...)
    assert (await update(store, tmp_path / "defs", UpdateOptions())).ok
    return store


async def one(store: Store, name: str, *synonyms: str, oifm_id: str = "") -> Triage:
    (result,) = await triage(store, Searcher(store), [ListedFinding(2, name, synonyms, oifm_id)])
    return result


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Pulmonary Nodule", 1),
        ("nodules, pulmonary", 1),
        ("lung nodule", 1),
        ("aneurysm of abdominal aorta", None),
        ("Aneurysm (abdominal aortic)", 3),
        ("cysts of kidney", 5),
        ("OIFM_TEST_000003", 3),
    ],
)
async def test_an_equal_name_matches_in_any_form(index: Store, name: str, number: int | None) -> None:
    result = await one(index, name)
    assert (result.oifm_id or None) == (number and f"OIFM_TEST_{number:06d}")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("thoracic aortic aneurysm", "wider: 'aortic aneurysm' says less"),
        ("aneurysm", "narrower: 'aortic aneurysm' says more"),
        ("pulmonary nodulle", "spelled like 'pulmonary nodule'"),
        ("coin lesion", "synonym 'coin lesion', as others have"),
        ("AAA", "synonym 'AAA'"),
    ],
)
async def test_another_level_or_spelling_is_a_candidate_with_a_reason(
    index: Store, name: str, reason: str
) -> None:
    result = await one(index, name)
    assert (result.status, result.oifm_id) == ("maybe", "")
    assert reason in [candidate.reason for candidate in result.candidates]


async def test_synonyms_of_the_list_count(index: Store) -> None:
    result = await one(index, "fluid collection of the pleura", "xyz", "Pleural effusion")
    assert (result.status, result.oifm_id) == ("match", "OIFM_TEST_000002")
    by_synonym = await one(index, "thing", "cyst of the kidney")
    assert by_synonym.status == "maybe"
    assert by_synonym.candidates[0].reason == "its synonym 'cyst of the kidney' is a synonym in the list"
    assert (await one(index, "thing", "AAA")).status == "maybe"


async def test_an_id_in_the_list_is_believed_and_an_unknown_one_is_said(index: Store) -> None:
    known = await one(index, "anything", oifm_id="OIFM_TEST_000005")
    assert (known.status, known.oifm_id) == ("match", "OIFM_TEST_000005")
    unknown = await one(index, "renal cyst", oifm_id="OIFM_TEST_000099")
    assert unknown.status == "maybe"
    assert unknown.candidates[0].reason == "the id in the list, which no model has"


@pytest.mark.parametrize("name", ["hypervitaminosis", "", "tag:CT", '"-', "no"])
async def test_what_no_model_is_like_is_none(index: Store, name: str) -> None:
    assert (await one(index, name)).status == "none"


async def test_stubs_get_ids_of_their_own_and_are_valid(index: Store, tmp_path: Path) -> None:
    rows = [
        (2, "vertebral haemangioma"),
        (3, "Vertebral  haemangioma"),
        (4, "abc"),
        (5, "renal cyst"),
        (6, ""),
    ]
    findings = [ListedFinding(line, name, ("VH",)) for line, name in rows]
    results = await triage(index, Searcher(index), findings)
    edit, ids = await stubs(index, tmp_path / "new", "test", results)
    assert not (tmp_path / "new").exists()
    edit.apply()
    path = tmp_path / "new" / "vertebral_haemangioma.fm.json"
    model = json.loads(path.read_bytes())
    assert ids == {2: model["oifm_id"], 3: model["oifm_id"]}
    assert (model["synonyms"], model["contributors"][0]["code"]) == (["VH"], "TEST")
    assert check(tmp_path / "new").ok
    assert edit.notes[0].startswith("line 3: repeats 'Vertebral  haemangioma' of line 2")
    assert "line 4: no stub, must have at least 5 characters" in edit.notes[1]
    again, same_ids = await stubs(index, tmp_path / "new", "test", results)
    assert (again.changes, same_ids) == ((), ids)


async def test_ids_are_written_where_the_curator_has_none(tmp_path: Path) -> None:
    data = b"name,id\nmass,mine\nplaque,\nnone,\n"
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    listed = CuratedList(data)
    ids = {2: "OIFM_TEST_000001", 3: "OIFM_TEST_000002"}
    write_ids(path, data, listed, "id", ids).apply()
    assert path.read_bytes() == b"name,id\nmass,mine\nplaque,OIFM_TEST_000002\nnone,\n"
    assert write_ids(path, data, listed, "id", {}).changes == ()
