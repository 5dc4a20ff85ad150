"""Sections, sentences and words, by offsets into the text as given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.reports.document import parse_document, root

REPORT = """CHEST CT
Clinical indication: Cough, evaluate for
pneumonia.
COMPARISON: None. FINDINGS: The lungs are clear; no effusion.
1. A 2.5 cm cyst. 2. Stable node, approx. 1 cm
in the hilum.
IMPRESSION:
- No acute disease
"""


def sections(text: str) -> list[tuple[str, str]]:
    return [(one.name, text[one.start : one.end].strip()) for one in parse_document(text).sections]


def sentences(text: str) -> list[str]:
    return [text[one.start : one.end] for one in parse_document(text).sentences]


def test_sections_begin_with_their_headings_and_requests_end_with_their_lines() -> None:
    assert [name for name, _ in sections(REPORT)] == [
        *("findings", "indication", "comparison", "findings", "impression")
    ]
    assert dict(sections(REPORT))["indication"] == "Cough, evaluate for\npneumonia."


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("REASON FOR EXAM", "indication"),
        ("Clinical Information", "indication"),
        ("HISTORY", "history"),
        ("Technique", "technique"),
        ("Conclusion", "impression"),
        ("OPINION", "impression"),
        ("Comparison", "comparison"),
    ],
)
def test_usual_spellings_of_headings_are_known(heading: str, name: str) -> None:
    assert sections(f"{heading}: some words here.\nFINDINGS: Normal.")[0] == (name, "some words here.")


def test_text_without_headings_is_findings() -> None:
    assert sections("No pneumothorax.") == [("findings", "No pneumothorax.")]
    assert sections("") == []


def test_what_follows_a_request_on_the_next_line_is_findings() -> None:
    assert sections("INDICATION: Fever.\nThe lungs are clear.")[1] == ("findings", "The lungs are clear.")


def test_sentences_end_at_stops_but_not_after_abbreviations_or_numbers() -> None:
    assert sentences(REPORT)[-5:] == [
        "The lungs are clear",
        "no effusion",
        "A 2.5 cm cyst",
        "Stable node, approx. 1 cm\nin the hilum",
        "No acute disease",
    ]


def test_a_heading_of_a_place_is_the_topic_of_its_line() -> None:
    found = parse_document("LIVER: Normal. No cyst.\nSpleen is large.").sentences
    assert [[word.text for word in sentence.topic] for sentence in found] == [["liver"], ["liver"], []]


def test_shorthand_and_contractions_are_written_out_with_their_offsets() -> None:
    text = "Cyst w/o septa, isn't large; r/o PE"
    words = [word for sentence in parse_document(text).sentences for word in sentence.words]
    assert [word.text for word in words] == [
        *("cyst", "without", "septa", "is", "not", "large", "rule", "out", "pe")
    ]
    assert text[words[1].start : words[1].end] == "w/o"
    assert (words[2].mark, words[3].mark) == ("", ",")


def test_an_inflammation_is_not_its_organ() -> None:
    assert root("sinusitis") != root("sinuses")
    assert root("appendicitis") != root("appendix")


@given(st.text(alphabet="abc ABC.:;,\n-1250?/'()\u00e9\0\ud800", max_size=120))
def test_any_text_is_split_into_parts_within_it(text: str) -> None:
    document = parse_document(text)
    for section in document.sections:
        assert 0 <= section.start <= section.end <= len(text)
    last = 0
    for sentence in document.sentences:
        assert last <= sentence.start < sentence.end <= len(text)
        assert all(sentence.start <= word.start < word.end <= sentence.end for word in sentence.words)
        last = sentence.end
