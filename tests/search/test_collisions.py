"""Who has a term already, who nearly, and where it means something else, on every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.collisions import Collision, _ambiguous, _organs, find_collisions
from findingmodel.search.searcher import Searcher
from findingmodel.stores.records import WriteBatch
from tests.search_index import FINDINGS, filled, make_records

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

MORE = (
    ("hepatic adenoma", ["liver cell adenoma"], "", ["liver"]),
    ("pituitary adenoma", [], "", ["neuro"]),
    ("parotid tumor", [], "", ["neck"]),
    ("mixed tumor", [], "", ["breast"]),
    ("second cyst", ["kidney cyst"], "", ["kidney"]),
)
IDS = {name: f"OIFM_TEST_{number:06d}" for number, (name, *_) in enumerate((*FINDINGS, *MORE), 1)}


@pytest.fixture
async def index(store: Store) -> Store:
    """An index of the findings, in each kind of store."""
    await store.setup()
    await store.write(WriteBatch(upserts=make_records((*FINDINGS, *MORE))))
    await store.advance()
    return store


async def about(index: Store, term: str, *, but: str | None = None) -> Collision:
    (found,) = await find_collisions(index, [term], but=but, searcher=Searcher(index))
    return found


@pytest.mark.parametrize(
    ("term", "verdict", "names", "synonyms"),
    [
        ("Pulmonary  EMBOLISM", "name", ["pulmonary embolism"], []),
        ("baker_s_cyst", "name", ["Baker's cyst"], []),
        ("pe", "synonym", [], ["pulmonary embolism"]),
        ("kidney cyst", "ambiguous", [], ["renal cyst", "second cyst"]),
        ("no such thing", "free", [], []),
        ("-", "free", [], []),
        ("", "free", [], []),
    ],
)
async def test_exact_holders(
    index: Store, term: str, verdict: str, names: list[str], synonyms: list[str]
) -> None:
    found = await about(index, term)
    assert found.verdict == verdict
    assert [entry["name"] for entry in found.names] == names
    assert [entry["name"] for entry in found.synonyms] == synonyms
    assert found.is_taken == (verdict in ("name", "synonym", "ambiguous"))


@pytest.mark.parametrize(
    ("term", "name", "label", "how"),
    [
        ("nodules of the lung", "pulmonary nodule", "lung nodule", "form"),
        ("polydactily", "polydactyly", "polydactyly", "spelling"),
        ("clot in lung artery", "pulmonary embolism", "pulmonary embolism", "meaning"),
    ],
)
async def test_similar_terms(index: Store, term: str, name: str, label: str, how: str) -> None:
    found = await about(index, term)
    assert found.verdict == "near"
    near = found.near[0]
    assert (near.entry["name"], near.label, near.how) == (name, label, how)


async def test_other_words_are_found_only_with_a_searcher(index: Store) -> None:
    (found,) = await find_collisions(index, ["clot in lung artery"])
    assert found.verdict == "free"


async def test_a_word_that_findings_of_several_organs_have_says_too_little(index: Store) -> None:
    found = await about(index, "tumor")
    assert found.verdict == "organs"
    assert {organ: [entry["name"] for entry in entries] for organ, entries in found.organs.items()} == {
        "breast": ["mixed tumor"],
        "salivary glands": ["parotid tumor"],
    }
    assert (await about(index, "parotid tumours")).organs == {}


async def test_known_terms_are_warned_of_though_the_index_has_none(index: Store) -> None:
    assert (await about(index, "Follicular Cysts")).meanings == ("ovary", "jaw", "skin")
    assert (await about(index, "follicular cyst of the jaw")).meanings == ()


async def test_the_model_that_is_to_have_the_term_does_not_count(index: Store) -> None:
    renal = IDS["renal cyst"]
    assert (await about(index, "renal cyst", but=renal)).verdict != "name"
    found = await about(index, "kidney cyst", but=renal)
    assert ([entry["name"] for entry in found.synonyms], found.verdict) == (["second cyst"], "synonym")
    assert renal not in {near.entry["oifm_id"] for near in found.near}


async def test_terms_are_answered_in_order_and_do_not_collide_with_each_other(index: Store) -> None:
    terms = ["new term", "new terms", "PE", "new term"]
    found = await find_collisions(index, terms, searcher=Searcher(index))
    assert [one.term for one in found] == terms
    assert [one.verdict for one in found] == ["free", "free", "synonym", "free"]


async def test_as_json_it_names_models_by_id_name_and_file(index: Store) -> None:
    facts = (await about(index, "tumor")).as_dict()
    assert facts["organs"]["breast"] == [
        {
            "oifm_id": IDS["mixed tumor"],
            "name": "mixed tumor",
            "filename": f"{IDS['mixed tumor']}.fm.json",
        }
    ]
    assert facts.keys() == {"term", "verdict", "names", "synonyms", "near", "organs", "meanings"}


INDEX = filled(make_records((*FINDINGS, *MORE)))


@given(st.lists(st.text(max_size=40), max_size=4))
def test_no_term_is_too_strange(terms: list[str]) -> None:
    found = run_without_loop(find_collisions(INDEX, terms, searcher=Searcher(INDEX)))
    assert [one.term for one in found] == terms


def test_the_tables_are_consistent() -> None:
    assert all(len(organs) > 1 for organs in _ambiguous().values())
    assert all(_ambiguous())
    assert len(set(_organs().values())) > 30
