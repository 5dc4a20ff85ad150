"""Pairs of duplicates are the same on every store, and for every order of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from findingmodel.search.duplicates import alike, find_duplicates, labels_of
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store


async def pairs(store: Store, directory: Path, *models: dict[str, Any], **options: Any) -> list[Any]:
    """Return the duplicates of an index of *models* alone."""
    for number, model in enumerate(models, 1):
        write_model(directory, f"m{number}.fm.json", number, **{"synonyms": ..., "index_codes": ..., **model})
    assert (await update(store, directory, UpdateOptions())).ok
    return await find_duplicates(store, **options)


async def test_reasons_are_reported_and_add_up(store: Store, tmp_path: Path) -> None:
    code = [{"system": "RADLEX", "code": "RID5350"}]
    other, found = await pairs(
        store,
        tmp_path,
        {"name": "pulmonary nodule", "synonyms": ["lung nodule", "coin lesion"], "index_codes": code},
        {"name": "lung nodules", "synonyms": ["coin lesions"], "index_codes": code},
        {"name": "rib fracture", "synonyms": ["broken rib"]},
        {"name": "fractured rib", "synonyms": ["fracture of the rib"]},
        min_score=0.3,
    )
    assert (found.first["oifm_id"][-1], found.second["oifm_id"][-1]) == ("1", "2")
    assert [(why.kind, why.first, why.second) for why in found.reasons] == [
        ("name-synonym", "lung nodule", "lung nodules"),
        ("synonym", "coin lesion", "coin lesions"),
        ("code", "RADLEX RID5350", "RADLEX RID5350"),
    ]
    assert found.score == round(1 - (1 - 0.9) * (1 - 0.5) * (1 - 0.4), 3)
    assert [why.kind for why in other.reasons] == ["name"], "other forms of one name are one reason"
    assert found.as_dict()["models"][0].keys() == {"oifm_id", "name", "filename"}


async def test_short_abbreviations_count_less(memory: Store, tmp_path: Path) -> None:
    models = [
        {"name": "multiple sclerosis", "synonyms": ["MS"]},
        {"name": "mitral stenosis", "synonyms": ["ms"]},
    ]
    assert await pairs(memory, tmp_path, *models) == []
    (pair,) = await find_duplicates(memory, min_score=0.1)
    assert pair.score == 0.25


async def test_limit_and_score_leave_out_the_least_likely(store: Store, tmp_path: Path) -> None:
    names = ["wide ribs", "wide rib", "osteophytes", "osteophytoses"]
    every = await pairs(store, tmp_path, *({"name": name} for name in names), min_score=0)
    assert [pair.score for pair in every] == sorted((pair.score for pair in every), reverse=True)
    assert await find_duplicates(store, limit=1, min_score=0) == every[:1]
    assert await find_duplicates(store, min_score=0.99) == []


async def test_an_empty_index_has_none(store: Store) -> None:
    assert await find_duplicates(store) == []


WORDS = st.sampled_from(
    ["lung", "lungs", "nodule", "nodul", "the", "of", "hyper", "hypo", "T1", "脳", "-", ""]
)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=6), st.randoms(use_true_random=False))
def test_pairs_do_not_depend_on_the_order_of_models(models: list[list[str]], random: Any) -> None:
    labels = [
        label for number, texts in enumerate(models) for label in labels_of(str(number), texts[0], texts[1:])
    ]

    def found(order: list[Any]) -> set[Any]:
        pairs = [(frozenset((one, other)), exact) for one, other, exact in alike(order)]
        assert len({pair for pair, _ in pairs}) == len(pairs), "no two labels are compared twice"
        assert all(len({label.model for label in pair}) == 2 for pair, _ in pairs)
        return set(pairs)

    before = found(labels)
    random.shuffle(labels)
    assert found(labels) == before
