from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.text.sentences import sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("No effusion. Mass.", ["No effusion.", "Mass."]),
        ("2.5 cm mass vs. cyst.", ["2.5 cm mass vs. cyst."]),
        ("Approx. 5 mm nodule; stable", ["Approx. 5 mm nodule;", "stable"]),
        ("IMPRESSION:\n1. Nodule\n2) Cyst\n- Mass\n• Effusion", ["Nodule", "Cyst", "Mass", "Effusion"]),
        ("A nodule in the\nright lung. Cyst\nMass", ["A nodule in the right lung.", "Cyst", "Mass"]),
        ("Lungs: clear. Heart: normal", ["Lungs: clear.", "Heart: normal"]),
        ("FINDINGS:\r\n\r\n3.2 cm lesion?\r\n", ["3.2 cm lesion?"]),
        ("...\n12. 13.\n-", []),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@given(st.text())
def test_no_word_is_lost_or_added(text: str) -> None:
    assert all(part in " ".join(text.split()) for part in [" ".join(one.split()) for one in sentences(text)])
