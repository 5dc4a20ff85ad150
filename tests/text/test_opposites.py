from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.text.opposites import (
    are_opposites,
    contradicts,
    differ_in_grade,
    grades,
    opposites,
    same_grade,
)
from findingmodel.text.stem import analyze, stem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hyperintense", "hypointense"),
        ("intraaxial", "extraaxial"),
        ("supraclavicular", "infraclavicular"),
        ("anteversion", "retroversion"),
        ("calcified", "noncalcified"),
        ("vascular", "avascular"),
        ("united", "ununited"),
        ("arthritis", "arthrosis"),
        ("diverticulitis", "diverticulosis"),
        ("ureter", "urethra"),
        ("ileum", "ilium"),
        ("left", "right"),
        ("bradycardia", "tachycardia"),
        ("cholecystectomy", "cholecystostomy"),
        ("kyphosis", "lordosis"),
    ],
)
def test_opposites_are_known_in_both_directions(one: str, other: str) -> None:
    assert are_opposites(stem(one), stem(other))
    assert are_opposites(stem(other), stem(one))


@pytest.mark.parametrize(
    ("one", "other"), [("nodule", "nodules"), ("tumour", "tumor"), ("lung", "pulmonary"), ("disc", "disk")]
)
def test_spellings_and_synonyms_are_no_opposites(one: str, other: str) -> None:
    assert not are_opposites(stem(one), stem(other))


@given(st.text(alphabet="abehinoprtuy", max_size=14))
def test_no_word_is_its_own_opposite(word: str) -> None:
    assert word not in opposites(word)


@pytest.mark.parametrize(
    ("asked", "label", "differs"),
    [
        ("type 2 fracture", "type II fracture", False),
        ("type 2 fracture", "type III fracture", True),
        ("T12 fracture", "L1 fracture", True),
        ("T12 fracture", "T012 fracture", False),
        ("grade 2 sprain", "sprain", False),
        ("grade 2 sprain", "type 3 sprain", False),
        ("Kerley A lines", "Kerley B lines", True),
    ],
)
def test_grades_and_levels_are_compared_by_kind(asked: str, label: str, differs: bool) -> None:
    one, other = (grades(" ".join(analyze(text))) for text in (asked, label))
    assert differ_in_grade(one, other) is differs


@pytest.mark.parametrize(
    ("asked", "label", "expected"),
    [
        ("left effusion", "right effusion", True),
        ("left effusion", "effusion", False),
        ("left effusion", "left and right effusion", False),
        ("large and small nodules", "small nodules", False),
    ],
)
def test_a_label_contradicts_only_by_an_opposite_instead_of_the_word(asked, label, expected) -> None:
    assert contradicts(frozenset(analyze(asked)), frozenset(analyze(label))) is expected


def test_numerals_have_two_spellings() -> None:
    assert same_grade("4") == ("iv",)
    assert same_grade("iv") == ("4",)
    assert same_grade("nodul") == ()
