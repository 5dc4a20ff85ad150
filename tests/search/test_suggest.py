from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.errors import QueryError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.suggest import suggest
from findingmodel.search.vocabulary import Vocabulary
from tests.search_index import FINDINGS, filled, make_records

INDEX = filled()
WORDS = Vocabulary(INDEX)


def labels(text: str, limit: int = 10) -> list[str]:
    return [label for _, label in run_without_loop(suggest(INDEX, WORDS, text, limit=limit))]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("pneum", "pneumonia"),
        ("pulm emb", "pulmonary embolism"),
        ("emb pulm", "pulmonary embolism"),
        ("oesoph", "esophageal varices"),
        ("fatty l", "fatty liver"),
        ("AAA", "AAA"),
        ("vein thrombosis of portal", "portal vein thrombosis"),
    ],
)
def test_words_may_be_unfinished_and_in_any_order(text: str, label: str) -> None:
    assert label in labels(text)


@given(st.sampled_from(FINDINGS), st.data())
def test_every_beginning_of_a_label_suggests_its_entry(finding: tuple, data: st.DataObject) -> None:
    label = data.draw(st.sampled_from([finding[0], *finding[1]]))
    typed = label[: data.draw(st.integers(1, len(label)))]
    found = [entry["name"] for entry, _ in run_without_loop(suggest(INDEX, WORDS, typed, limit=100))]
    assert finding[0] in found


def test_labels_that_begin_with_the_text_come_first_then_short_labels() -> None:
    assert labels("pneumo") == ["pneumonia", "pneumothorax", "tension pneumothorax"]


@pytest.mark.parametrize("text", ["", "  ", "?", "zzz", "portal zzz"])
def test_text_that_no_label_begins_with_suggests_nothing(text: str) -> None:
    assert labels(text) == []


def test_an_entry_is_suggested_once() -> None:
    assert labels("kidney cyst") == ["kidney cyst"]
    found = [entry["oifm_id"] for entry, _ in run_without_loop(suggest(INDEX, WORDS, "p", limit=50))]
    assert len(set(found)) == len(found) > 5


def test_the_limit_is_respected() -> None:
    assert len(labels("p", limit=2)) == 2


def test_of_too_many_entries_those_with_rare_words_are_suggested() -> None:
    crowd = [(f"bone mass {number}", [], "", []) for number in range(400)]
    store = filled(make_records([*crowd, ("biopsy of the bone", [], "", [])]))
    found = run_without_loop(suggest(store, Vocabulary(store), "b", limit=1_000))
    assert [label for _, label in found] == ["biopsy of the bone"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_an_error(limit: int) -> None:
    with pytest.raises(QueryError, match="at least one suggestion"):
        labels("p", limit=limit)
