"""Which models may describe the same finding, and why."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.duplicates import Duplicate, find_duplicates
from tests.builders import make_model
from tests.search_index import filled, make_records, record_of

CODE = {"system": "RADLEX", "code": "RID9", "display": "something"}


def duplicates(*labels: tuple[str, ...], **options: Any) -> list[Duplicate]:
    """Return the pairs among models, each a name and its synonyms."""
    findings = [
        (name, synonyms, f"About number {number}", []) for number, (name, *synonyms) in enumerate(labels)
    ]
    return run_without_loop(find_duplicates(filled(make_records(findings)), **options))


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (("bone island",), ("bone islands",), "name"),
        (("tumour of bone",), ("bone tumor",), "name"),
        (("ground-glass opacity",), ("groundglass opacity",), "name"),
        (("vertebral fracture",), ("vertebral fractrue",), "name"),
        (("enostosis", "bone island"), ("bone island",), "name-synonym"),
        (("enostosis", "bone island"), ("dense focus", "Bone Islands"), "synonym"),
    ],
)
def test_labels_that_differ_in_form_or_by_a_typo_make_a_pair(
    first: tuple[str, ...], second: tuple[str, ...], kind: str
) -> None:
    (pair,) = duplicates(first, second, ("thyroid nodule",))
    assert (pair.first["name"], pair.second["name"]) == (first[0], second[0])
    assert [reason.kind for reason in pair.reasons] == [kind]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hypertrophy", "hypotrophy"),
        ("intracranial mass", "extracranial mass"),
        ("bradycardia", "tachycardia"),
        ("grade 1", "grade 2"),
        ("left cyst", "cyst of the liver"),
        ("colonic diverticulitis", "colonic diverticulosis"),
        ("ureteral tumor", "urethral tumor"),
    ],
)
def test_opposites_and_other_findings_are_not_a_pair(first: str, second: str) -> None:
    assert duplicates((first,), (second,), min_score=0) == []


def test_opposite_names_are_not_a_pair_whatever_they_share() -> None:
    one, other = ("solitary lung nodule", "coin lesion"), ("multiple lung nodules", "coin lesions")
    assert duplicates(one, other, min_score=0) == []
    assert duplicates(("large nodule of the lung", "coin lesion"), other) != []


def test_pairs_of_one_model_only() -> None:
    labels = ("bone island",), ("bone islands",), ("rib notch",), ("notches of the rib",)
    (pair,) = duplicates(*labels, of="OIFM_TEST_000003")
    assert (pair.first["name"], pair.second["name"]) == ("rib notch", "notches of the rib")
    assert duplicates(*labels, of="OIFM_TEST_000009") == []


def test_known_pairs_are_left_out_before_the_limit() -> None:
    labels = ("bone island",), ("bone islands",), ("rib notch",), ("notches of the rib",)
    first = duplicates(*labels, limit=1)[0]
    known = {frozenset((first.first["oifm_id"], first.second["oifm_id"]))}
    (other,) = duplicates(*labels, limit=1, known=known)
    assert {other.first["oifm_id"], other.second["oifm_id"]}.isdisjoint(*known)


def test_a_pair_that_shares_more_is_likelier() -> None:
    pairs = duplicates(
        ("bone island", "enostosis"),
        ("bone islands", "enostosis"),
        ("liver cyst", "LC"),
        ("light chain", "LC"),
        min_score=0,
    )
    assert [pair.first["name"] for pair in pairs] == ["bone island", "liver cyst"]
    best, other = pairs
    assert best.score > max(reason.score for reason in best.reasons) >= 0.9
    assert other.score < 0.3  # a short abbreviation says little
    assert all(one.score >= two.score for one, two in pairwise(best.reasons))


def test_only_the_likeliest_are_returned() -> None:
    labels = [("nodule",), ("nodules",), ("bubble", "bleb"), ("bulla", "bleb")]
    assert len(duplicates(*labels, min_score=0.1)) == 2
    assert [pair.first["name"] for pair in duplicates(*labels, min_score=0.1, limit=1)] == ["nodule"]
    assert [pair.first["name"] for pair in duplicates(*labels, min_score=0.9)] == ["nodule"]


def test_models_that_carry_the_same_code_make_a_pair() -> None:
    index = filled(
        [
            record_of(make_model(1, name="first of all", index_codes=[CODE])),
            record_of(make_model(2, name="something else", index_codes=[CODE])),
            record_of(make_model(3, name="third thing", index_codes=...)),
        ]
    )
    reported: list[tuple[int, int]] = []
    (pair,) = run_without_loop(find_duplicates(index, progress=lambda *counts: reported.append(counts)))
    assert pair.as_dict()["reasons"] == [
        {"kind": "code", "first": "RADLEX RID9", "second": "RADLEX RID9", "score": 0.4, "equal": True}
    ]
    assert [model["oifm_id"] for model in pair.as_dict()["models"]] == [
        "OIFM_TEST_000001",
        "OIFM_TEST_000002",
    ]
    assert reported == [(3, 3)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SNOMED 123037004", "SNOMEDCT 123037004"),
        ("SNOMED-CT 123037004", "SCT 123037004"),
        ("RADLEX RID9999", "RadLex rid9999"),
    ],
)
def test_spellings_of_one_code_are_equal(first: str, second: str) -> None:
    models = [
        make_model(number, name=name, index_codes=[dict(zip(("system", "code"), code.split(), strict=True))])
        for number, name, code in [(1, "first of all", first), (2, "something else", second)]
    ]
    (pair,) = run_without_loop(find_duplicates(filled([record_of(model) for model in models])))
    assert [tuple(reason)[:3] for reason in pair.reasons] == [("code", first, second)]


def test_a_code_that_a_model_has_twice_counts_once() -> None:
    twice = [CODE, {**CODE, "code": "rid9"}]
    models = [make_model(1, name="first of all", index_codes=twice), make_model(2, index_codes=[CODE])]
    (pair,) = run_without_loop(find_duplicates(filled([record_of(model) for model in models])))
    assert [(why.first, why.second, why.score) for why in pair.reasons] == [
        ("RADLEX RID9", "RADLEX RID9", 0.4)
    ]


def test_a_code_of_many_models_is_not_a_reason() -> None:
    records = [
        record_of(make_model(number, name=f"mark {letter * 6}", synonyms=..., index_codes=[CODE]))
        for number, letter in enumerate("abcdefghijk", 1)
    ]
    assert len(run_without_loop(find_duplicates(filled(records[:3]), min_score=0))) == 3
    assert run_without_loop(find_duplicates(filled(records), min_score=0)) == []


def test_names_of_similar_spelling_are_not_equal() -> None:
    names = ("calcified pleura", "pleural calcification", "rib notch", "notches of the rib")
    records = [record_of(make_model(number, name=name, synonyms=...)) for number, name in enumerate(names, 1)]
    found = run_without_loop(find_duplicates(filled(records)))
    assert {(pair.first["name"], pair.reasons[0].equal) for pair in found} == {
        ("rib notch", True),
        ("calcified pleura", False),
    }


def test_an_empty_index_has_no_pairs() -> None:
    assert run_without_loop(find_duplicates(filled([]))) == []
