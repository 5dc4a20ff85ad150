from __future__ import annotations

from pathlib import Path

import pytest

import findingmodel.search
from findingmodel.search import thesaurus
from findingmodel.search.thesaurus import decompose, forms, meanings_at
from findingmodel.text.stem import analyze
from findingmodel.text.tables import lines

DATA = Path(findingmodel.search.__file__).with_name("data")
TABLES = sorted(path.name for path in DATA.glob("*.txt") if path.name != "ranking.txt")
MEANINGS = [name for name in TABLES if name != "combining.txt"]


def others(text: str, position: int = 0) -> set[str]:
    return {
        " ".join(tokens)
        for meaning, _ in meanings_at(analyze(text), position)
        for tokens, _ in meaning.others
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_table_begins_with_a_comment(name: str) -> None:
    assert (DATA / name).read_text(encoding="utf-8").startswith("# ")


def test_every_table_is_read() -> None:
    assert set(thesaurus._TABLES) == set(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_every_line_has_exactly_one_kind_of_relation(name: str) -> None:
    for line in lines(DATA / name):
        assert sum(mark in line for mark in (" = ", " > ", " ~ ")) == 1, line
        assert not line.endswith(("=", ">", "~", ",")), line


@pytest.mark.parametrize("name", MEANINGS)
def test_every_line_is_found_by_its_phrases(name: str) -> None:
    for line in lines(DATA / name):
        for rule in thesaurus._rules(line):
            words = thesaurus._significant_stems(rule.phrase)
            found = [meaning for meaning, _ in meanings_at(words, 0)]
            assert any(meaning.words == words for meaning in found), line


@pytest.mark.parametrize("name", MEANINGS)
def test_no_line_is_written_twice(name: str) -> None:
    written = list(lines(DATA / name))
    assert len(set(written)) == len(written)


def test_no_line_is_missed_that_would_be_found_among_all() -> None:
    every = [line for name in thesaurus._TABLES for line in lines(DATA / name)]
    by_letters: dict[str, list[str]] = {}
    for line in every:
        for rule in thesaurus._rules(line):
            by_letters.setdefault(thesaurus._first_letters(rule.phrase), []).append(line)
    for letters, holders in by_letters.items():
        found = list(thesaurus._lines_with(letters))
        assert set(holders) <= set(found)
        assert found == [line for line in every if line in set(found)]  # in their order


def test_words_of_equal_meaning_find_each_other() -> None:
    assert "renal" in others("kidney")
    assert "kidney" in others("renal")


def test_everyday_words_find_technical_ones_but_not_the_other_way() -> None:
    assert analyze("fracture")[0] in others("broken")
    assert "broken" not in others("fracture")


def test_words_of_a_phrase_may_stand_in_any_order_and_near_each_other() -> None:
    phrase = " ".join(analyze("pulmonary embolism"))
    assert phrase in others("clot lung")
    assert phrase in others("lung clot", 1)
    assert phrase not in others("clot one two three four lung")


def test_alternatives_are_separate_phrases() -> None:
    assert thesaurus._phrases("bad/sore leg, arm") == ["bad leg", "sore leg", "arm"]


def test_forms_of_observations_have_a_hyphen_and_forms_of_parts_do_not() -> None:
    parts, observations = forms("parts"), forms("observations")
    assert all(form.words and form.form and "-" not in form.form for form in parts)
    assert all(form.words for form in observations)
    assert sum("-" in form.form for form in observations) > 30


def test_technical_words_are_decomposed() -> None:
    assert (("liver",), ("enlarg",)) in decompose("hepatomegaly")
    assert decompose("nodule") == ()
