"""coverage: what models lack, counted and listed, the same on every store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.author.coverage import GAPS, coverage, gaps_of, select
from findingmodel.errors import QueryError
from findingmodel.model.draft import PLACEHOLDER, make_stub
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, make_number, make_person, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store

CHANGE = make_choice(10, name="Change from prior")
MODELS: dict[int, dict[str, Any]] = {
    1: {"tags": ["Ultrasound", "chest"], "contributors": [make_person()]},
    2: {"tags": ["CT", "chest"], "index_codes": ..., "synonyms": ...},
    3: {"tags": ["chest"], "index_codes": [{"system": "SNOMED", "code": "427359005"}]},
    4: {"tags": ..., "contributors": ..., "description": PLACEHOLDER},
}


@pytest.fixture
async def index(store: Store, tmp_path: Path) -> Store:
    for number, changes in MODELS.items():
        write_model(tmp_path / "defs", f"{number}.fm.json", number, **changes)
    assert (await update(store, tmp_path / "defs", UpdateOptions())).ok
    return store


def numbers(ids: list[str]) -> list[int]:
    return sorted(int(oifm_id[-6:]) for oifm_id in ids)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"tags": ["CHEST"]}, [1, 2, 3]),
        ({"tags": ["chest", "ct"]}, [2]),
        ({"modalities": ["us"]}, [1]),
        ({"contributors": ["test-reader"]}, [1]),
        ({"contributors": ["test-reader", "TEST"]}, [1, 2, 3]),
        ({"without": ["codes"]}, [2]),
        ({"without": ["tags"]}, [4]),
        ({"without": ["modality"]}, [3, 4]),
        ({"without": ["description", "contributors"]}, [4]),
        ({"tags": ["chest"], "without": ["synonyms"], "modalities": ["CT"]}, [2]),
        ({"tags": ["chest"], "without": ["contributors"]}, []),
    ],
    ids=str,
)
async def test_models_are_selected_by_all_conditions(
    index: Store, conditions: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(await select(index, **conditions)) == expected


@pytest.mark.parametrize("conditions", [{"without": ["colour"]}, {"modalities": ["smell"]}], ids=str)
async def test_an_unknown_condition_is_refused(memory: Store, conditions: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match=r"cannot be .*; choose one of"):
        await select(memory, **conditions)


async def test_the_report_counts_what_select_lists(index: Store) -> None:
    report = await coverage(index)
    assert report.models == 4
    assert report.systems == {"RADLEX": 2, "SNOMED": 1}
    assert report.modalities == {"CT": 1, "US": 1}
    for name, count in report.lacking.items():
        assert len(await select(index, without=[name])) == count
    assert list(report.lacking) == list(GAPS)


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"attributes": [CHANGE]}, "core-changes"),
        ({"attributes": [CHANGE]}, "presence"),
        ({"attributes": [make_choice(10)]}, "change"),
        ({"attributes": [CHANGE, make_choice(11, name="presence")]}, "attributes"),
        ({"attributes": [make_number(11, unit=...)]}, "units"),
        ({"attributes": [make_number(11)]}, "attribute-descriptions"),
    ],
    ids=str,
)
def test_a_gap_is_recognized(changes: dict[str, Any], gap: str) -> None:
    assert gap in gaps_of(make_model(1, **changes))


def test_a_stub_lacks_what_the_curator_must_add() -> None:
    stub = make_stub("pleural plaque", "TEST").model_dump(mode="json", exclude_none=True)
    assert gaps_of(stub) == [
        "description",
        "synonyms",
        "tags",
        "modality",
        "codes",
        "contributors",
        "attributes",
    ]
