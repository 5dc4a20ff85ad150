"""Labels that are spelled alike and yet of different findings."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.search.opposites import _opposites, are_opposed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("colonic diverticulitis", "Colonic diverticulosis"),
        ("osteonecrosis", "osteopetrosis"),
        ("hypocalcemia", "hypokalaemia"),
        ("macrosomia", "microstomia"),
        ("solitary nodule", "multiple nodules"),
        ("increased bone density", "decreased bone density"),
        ("left upper lobe collapse", "right lower lobe collapse"),
        ("hemothorax", "pneumothorax"),
        ("polysplenia", "asplenia"),
        ("enostosis", "exostosis"),
    ],
)
def test_these_are_different_findings(one: str, other: str) -> None:
    assert are_opposed(one, other)
    assert are_opposed(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lung nodule", "lung nodules"),
        ("lung nodule", "pulmonary nodule"),
        ("vertebral fracture", "vertebral fractrue"),
        ("left nodule", "nodule"),
        ("left renal cyst", "cyst of the right kidney"),
        ("left", "of the left"),
        ("", "left"),
        ("osteophyte", "osteophytes"),
        ("calcified pleura", "pleural calcification"),
    ],
)
def test_these_may_be_the_same(one: str, other: str) -> None:
    assert not are_opposed(one, other)


@given(st.text(), st.text())
def test_opposition_is_mutual_and_nothing_opposes_itself(one: str, other: str) -> None:
    assert are_opposed(one, other) == are_opposed(other, one)
    assert not are_opposed(one, one)


def test_the_table_repeats_nothing() -> None:
    table = _opposites()
    for groups in (table.prefixes, table.suffixes, table.parts):
        for group in groups:
            assert len(set(group)) == len(group) > 1
        assert max(Counter(frozenset(group) for group in groups).values()) == 1
    assert all(len(group) > 1 for group in table.words)
    assert "" not in chain(*table.prefixes, *table.suffixes, *table.parts, *table.words)
