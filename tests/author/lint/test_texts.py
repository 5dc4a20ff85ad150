"""How names, synonyms, tags and descriptions are written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.lint.document import lint_document
from tests.author.lint.samples import as_file, tidy_model


def found(**changes: Any) -> list[str]:
    """The rules that a model breaks."""
    return [one.code for _, one in lint_document(as_file(tidy_model(**changes))).violations]


@pytest.mark.parametrize(
    "name",
    [
        "pulmonary embolism",
        "Pulmonary embolism",
        "Pneumothorax",
        "Monteggia fracture",
        "Ehlers-Danlos syndrome",
        "Baker's cyst",
        "COPD exacerbation",
        "T1 hyperintensity of the globus pallidus",
        "cystic fetal abdominal mass",
        "AP diameter above 3 cm",
        "within-ring calcification",
        "w/o contrast",
        "L4/5 disc herniation",
        "ratio 1/3 of the shaft",
        "battered child syndrome",
    ],
)
def test_usual_names_break_no_rule(name: str) -> None:
    assert found(name=name) == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("Pulmonary Embolism", ["title-case"]),
        ("Fracture of the Left Femur", ["title-case"]),
        ("solitary nodule (SPN)", ["name-abbreviation"]),
        ("solitary nodule (Pi-RADS 3)", ["name-parentheses"]),
        ("nodule (solid)", ["name-parentheses"]),
        ("calcification in an infant or child", ["name-population"]),
        ("hepatic mass in young children", ["name-population"]),
        ("cardiomegaly in childhood", ["name-population"]),
        ("mediastinal and/or hilar mass", ["name-and-or"]),
        ("salivary gland/duct abnormality", ["name-slash"]),
        ("narrowing, occlusion", ["name-list"]),
        ("narrowing or occlusion", ["name-list"]),
        ("Effusion With septation", ["name-with"]),
        ("x" * 61, ["name-long"]),
    ],
)
def test_names_that_need_a_decision(name: str, rules: list[str]) -> None:
    assert [code for code in found(name=name) if code != "placeholder"] == rules


@pytest.mark.parametrize(
    ("text", "is_placeholder"),
    [
        ("TODO: say in one or two sentences what the finding is.", True),
        ("A clot. TBD", True),
        ("Lorem ipsum dolor sit amet", True),
        ("Details to be added later", True),
        ("???? which artery", True),
        ("FIXME later", True),
        ("A XXXX of the lung: xxxx", True),
        ("this is a Placeholder", True),
        ("to be\tdefined", False),  # spaces are another rule
        ("Todorov's triangle is widened", False),
        ("A clot; is it new? Compare.", False),
        ("Remains to be seen", False),
    ],
)
def test_placeholders(text: str, is_placeholder: bool) -> None:
    assert ("placeholder" in found(description=text)) == is_placeholder


@pytest.mark.parametrize("text", [" a clot", "a clot ", "a  clot", "a\tclot", "a\N{NO-BREAK SPACE}clot"])
def test_unusual_white_space_is_found_and_corrected(text: str) -> None:
    violations = lint_document(as_file(tidy_model(description=text))).violations
    (edit,) = [edit for _, one in violations for edit in one.edits]
    assert edit == ("/description", "a clot")


def test_descriptions_may_have_paragraphs_and_names_may_not() -> None:
    assert found(description="A clot in an artery.\n\nOften in the legs first.") == []
    assert found(name="pulmonary\nembolism") == ["spaces"]


def test_the_name_with_underscores_is_left_to_a_person() -> None:
    for changes, edits in (({"name": "lung_clot"}, 0), ({"synonyms": ["lung_clot"]}, 1)):
        (found,) = lint_document(as_file(tidy_model(**changes))).violations
        assert (found[1].code, len(found[1].edits)) == ("underscore", edits)


def test_an_underscore_is_not_corrected_into_a_name_that_exists() -> None:
    model = tidy_model()
    model["attributes"][2]["name"] = "long_axis"
    model["attributes"][3]["name"] = "long axis"
    (found,) = lint_document(as_file(model)).violations
    assert (found[1].code, found[1].edits) == ("underscore", ())


@pytest.mark.parametrize(
    ("name", "synonyms", "rule", "is_removed"),
    [
        ("Ménière disease", ["ménière  Disease"], "synonym-is-name", True),
        ("Ménière disease", ["Meniere disease"], "synonym-is-name", False),
        ("hydrops of the ear", ["Ménière disease", "MÉNIÈRE disease"], "repeated-synonym", True),
        ("hydrops of the ear", ["Meniere disease", "Ménière disease"], "repeated-synonym", False),
    ],
)
def test_accents_are_not_lost_with_a_repeated_name(
    name: str, synonyms: list[str], rule: str, is_removed: bool
) -> None:
    violations = lint_document(as_file(tidy_model(name=name, synonyms=synonyms))).violations
    (edits,) = [one.edits for _, one in violations if one.code == rule]
    assert bool(edits) == is_removed


@given(st.text(min_size=5).filter(str.strip), st.lists(st.text(), min_size=1))
def test_no_text_is_too_strange(name: str, tags: list[str]) -> None:
    surrogates = [text for text in (name, *tags) if any("\ud800" <= letter <= "\udfff" for letter in text)]
    if not surrogates:
        lint_document(as_file(tidy_model(name=name, tags=tags, synonyms=tags)))
