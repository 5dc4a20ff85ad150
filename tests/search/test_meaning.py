from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.search.meaning import Affinity, MeaningTable, meaning_table
from findingmodel.text.opposites import are_opposites
from findingmodel.text.stem import analyze


@pytest.mark.parametrize(
    ("query", "near", "far"),
    [
        ("clot in the lung", "pulmonary embolism", "renal cyst"),
        ("swollen lymph nodes", "lymphadenopathy", "bone island"),
        ("water in the belly", "ascites", "scoliosis"),
        ("crossed eyes", "strabismus", "hip fracture"),
    ],
)
def test_labels_that_mean_the_same_are_nearer_than_others(query: str, near: str, far: str) -> None:
    affinity = Affinity(analyze(query))
    assert affinity.to(analyze(near)) > affinity.to(analyze(far)) + 0.1


def test_the_order_of_words_does_not_matter_and_a_label_is_nearest_to_itself() -> None:
    words = analyze("enlarged adrenal gland")
    affinity = Affinity(words)
    assert affinity.to(words) == pytest.approx(affinity.to(words[::-1]))
    assert affinity.to(words) > affinity.to(analyze("small adrenal gland"))


def test_a_word_that_is_not_in_the_table_is_read_by_its_letters() -> None:
    assert "pneumothoraxx" not in meaning_table()
    affinity = Affinity(["pneumothoraxx"])
    assert affinity.to(["pneumothorax"]) > affinity.to(["kidney"])


@pytest.mark.parametrize("word", ["hyperintens", "left", "ureter", "diverticul", "lung", "fractur"])
def test_neighbours_are_sorted_and_never_opposites(word: str) -> None:
    found = meaning_table().neighbours(word)
    similarities = [similarity for _, similarity in found]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 < similarity <= 1 for similarity in similarities)
    assert not [other for other, _ in found if other == word or are_opposites(word, other)]


@given(st.text(max_size=30))
def test_every_word_has_a_vector(word: str) -> None:
    sense = meaning_table().sense(word)
    assert len(sense.numbers) == len(meaning_table().sense("lung").numbers)
    assert sense.length >= 0
    assert meaning_table().neighbours(word) is not None


def test_a_file_of_another_format_is_refused(tmp_path) -> None:
    other = tmp_path / "meaning.bin"
    other.write_bytes(b'{"format": 99}\n')
    with pytest.raises(ValueError, match="format 99"):
        MeaningTable(other)
