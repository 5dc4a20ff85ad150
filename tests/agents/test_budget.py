"""Budgets: the count of tokens is an upper bound, and entries are never cut."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.agents.budget import count_tokens, fit
from findingmodel.errors import QueryError

PIECES = st.binary(min_size=1, max_size=3)
MERGES = st.lists(st.tuples(PIECES, PIECES), max_size=40)
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def byte_pairs(text: str, merges: list[tuple[bytes, bytes]]) -> list[bytes]:
    """Return the tokens of *text* for a byte-level tokenizer with these *merges*."""
    tokens = [bytes([byte]) for byte in text.encode()]
    for left, right in merges:
        place = 0
        while place < len(tokens) - 1:
            if (tokens[place], tokens[place + 1]) == (left, right):
                tokens[place : place + 2] = [left + right]
            place += 1
    return tokens


@given(TEXT, MERGES)
def test_no_byte_level_tokenizer_makes_more_tokens_than_counted(
    text: str, merges: list[tuple[bytes, bytes]]
) -> None:
    tokens = byte_pairs(text, merges)
    assert b"".join(tokens) == text.encode()
    assert len(tokens) <= count_tokens(text)


def test_a_tokenizer_without_merges_makes_as_many_tokens() -> None:
    assert len(byte_pairs("Ménière", [])) == count_tokens("Ménière")


@given(TEXT, TEXT)
def test_counts_of_parts_add_up(first: str, second: str) -> None:
    assert count_tokens(first + second) == count_tokens(first) + count_tokens(second)


class Listed(NamedTuple):
    """An answer with whole and short entries."""

    entries: list[Any]

    def as_json(self) -> str:
        return json.dumps(self.entries)


ENTRIES = st.lists(st.text(max_size=30), max_size=12)


@given(ENTRIES, st.integers(2, 600))
def test_whole_entries_come_first_then_short_ones_and_the_last_are_left_out(
    texts: list[str], budget: int
) -> None:
    whole = [{"number": number, "text": text} for number, text in enumerate(texts)]
    built = []

    def build(kept: int, full: int) -> Listed:
        built.append((kept, full))
        return Listed([*whole[:full], *range(full, kept)])

    answer = fit(len(texts), build, budget)
    assert count_tokens(answer.as_json()) <= budget
    full = len([entry for entry in answer.entries if isinstance(entry, dict)])
    kept = len(answer.entries)
    assert answer.entries == [*whole[:full], *range(full, kept)]
    # one more would not fit
    if kept < len(texts):
        assert count_tokens(Listed([*range(kept + 1)]).as_json()) > budget
    if full < kept:
        assert count_tokens(Listed([*whole[: full + 1], *range(full + 1, kept)]).as_json()) > budget
    assert len(built) <= 2 + 2 * 5  # it bisects


def test_an_answer_that_is_too_long_without_entries_states_what_it_needs() -> None:
    with pytest.raises(QueryError, match=r"max_tokens is 1, but the shortest answer needs 2: allow more"):
        fit(3, lambda kept, _: Listed([*range(kept)]), 1)
