"""Text for a terminal has no control characters, and JSON keeps its meaning."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.cli.screen import counted, one_line, safe_json, to_json, visible

ANY_TEXT = st.text(st.characters())  # with lone surrogates, as in file names
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=10,
)
ACTING = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, separators of lines and paragraphs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred", r"\x9b31mred"),
        ("two\nlines\tand\rmore", r"two\nlines\tand\rmore"),
        ("txt.\u202eexe", r"txt.\u202eexe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("a\udcffb", r"a\udcffb"),
        ("Ménière 脳 🧠", "Ménière 脳 🧠"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY_TEXT)
def test_visible_text_has_no_control_characters_and_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert not ACTING.intersection(map(unicodedata.category, shown))
    assert visible(shown) == shown
    assert shown.encode().decode() == shown


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(JSON)
def test_json_keeps_its_meaning_and_has_no_control_characters_but_line_feeds(value: object) -> None:
    document = to_json(value)
    assert json.loads(document) == value
    assert not ACTING.intersection(map(unicodedata.category, document.replace("\n", "")))


def test_stored_json_keeps_its_numbers_and_its_layout() -> None:
    document = '{"a": 1.50, "b": 12345678901234567890,\n "c": "\x9b\u2028"}'
    assert safe_json(document) == '{"a": 1.50, "b": 12345678901234567890,\n "c": "\\u009b\\u2028"}'


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(0, "file", "0 files"), (1, "file", "1 file"), (2382, "file", "2,382 files"), (2, "entry", "2 entries")],
)
def test_counts_agree_with_their_nouns(count: int, noun: str, text: str) -> None:
    assert counted(count, noun) == text
