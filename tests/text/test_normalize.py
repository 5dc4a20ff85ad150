from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.text.normalize import fold, slug, tokenize


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_case_does_not_matter(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower())


@given(st.text())
def test_tokens_have_neither_spaces_nor_marks(text: str) -> None:
    assert all(token and token.isalnum() for token in tokenize(text))


@given(st.text())
def test_a_slug_is_made_of_letters_digits_and_single_underscores(text: str) -> None:
    made = slug(text)
    assert made == slug(made)
    assert "__" not in made
    assert all(letter == "_" or (letter.isascii() and letter.isalnum()) for letter in made)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Baker's cyst", ["baker", "cyst"]),
        ("Graves' disease", ["graves", "disease"]),
        ("rock 'n' roll", ["rock", "n", "roll"]),
        ("X-ray", ["x", "ray"]),
        ("pulmonary_embolism", ["pulmonary", "embolism"]),
        ("M\N{LATIN SMALL LETTER E WITH ACUTE}ni\N{LATIN SMALL LETTER E WITH GRAVE}re", ["meniere"]),
        ("", []),
    ],
)
def test_words_lose_marks_accents_and_possessive_endings(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens
