from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from findingmodel.search.vocabulary import Speller, edits, tolerance

WORDS = st.text(alphabet="abcde", max_size=9)


@given(WORDS, WORDS, st.integers(0, 4))
def test_edits_are_the_optimal_string_alignment_distance(one: str, other: str, most: int) -> None:
    assert edits(one, other, most) == min(OSA.distance(one, other), most + 1)


@given(
    st.text(alphabet="abcdefghij", min_size=8, max_size=12), st.integers(1, 7), st.sampled_from("abcdefghij")
)
def test_a_word_with_one_wrong_letter_is_found(word: str, place: int, letter: str) -> None:
    mistyped = word[:place] + letter + word[place + 1 :]
    assert word in dict(Speller([word]).similar(mistyped))


@given(st.lists(WORDS, max_size=30), WORDS)
def test_only_the_nearest_words_are_found_and_none_beyond_tolerance(words: list[str], word: str) -> None:
    found = Speller(set(words)).similar(word)
    assert len({distance for _, distance in found}) <= 1
    assert all(distance == edits(word, other, 9) <= tolerance(word) for other, distance in found)


@pytest.mark.parametrize(
    ("word", "most"), [("pet", 0), ("t2w1x", 0), ("live", 1), ("effusion", 2), ("osteonecrosis", 3)]
)
def test_longer_words_may_have_more_typos(word: str, most: int) -> None:
    assert tolerance(word) == most


def test_the_first_letter_of_a_short_word_is_never_a_typo() -> None:
    assert Speller(["liver", "river"]).similar("rver") == [("river", 1)]
