from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import findingmodel.text
from findingmodel.text.stem import american, analyze, stem
from findingmodel.text.tables import lines, sections
from findingmodel.text.terms import importance

DATA = Path(findingmodel.text.__file__).with_name("data")


@pytest.mark.parametrize(
    "same",
    [
        "hemorrhage haemorrhage haemorrhages hemorrhagic",
        "edema oedema oedematous edematous",
        "esophageal oesophageal",
        "tumor tumour tumours",
        "ischemia ischaemia ischemic ischaemic",
        "goiter goitre goitres",
        "fiber fibre fibres",
        "disk disc discs disks",
        "metastasis metastases metastatic",
        "stenosis stenoses stenotic",
        "epiphysis epiphyses epiphyseal",
        "vertebra vertebrae",
        "bronchus bronchi",
        "diverticulum diverticula",
        "varix varices",
        "phalanx phalanges",
        "testis testes",
        "hematoma haematomata",
        "arthritis arthritides arthritic",
        "calcified calcification calcific",
        "localized localised",
        "foot feet",
        "toe toes",
    ],
)
def test_spellings_and_inflections_of_a_word_share_its_stem(same: str) -> None:
    assert len({stem(word) for word in same.split()}) == 1


@pytest.mark.parametrize(
    "different", ["humerus humor", "ileum ilium", "cyst cystitis", "aorta atria", "bone bowel", "toe te"]
)
def test_different_words_keep_different_stems(different: str) -> None:
    one, other = different.split()
    assert stem(one) != stem(other)


def test_hyphens_between_vowels_do_not_matter_to_british_spelling() -> None:
    assert stem("tracheo" + "oesophageal") == stem("tracheoesophageal")


@given(st.text())
def test_every_text_can_be_analyzed_into_tokens_without_spaces(text: str) -> None:
    assert all(token and " " not in token and "|" not in token for token in analyze(text))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20))
def test_respelling_twice_does_not_change_the_stem(word: str) -> None:
    assert stem(american(american(american(word)))) == stem(american(american(word)))


@pytest.mark.parametrize("name", ["spelling.txt", "words.txt", "endings.txt"])
def test_every_rule_has_two_sides_and_none_is_written_twice(name: str) -> None:
    rules = [line.split(" -> ") for line in lines(DATA / name)]
    assert all(left and right and left == left.lower() and left != right for left, right in rules)
    assert len({left for left, _ in rules}) == len(rules)


def test_important_words_are_not_in_the_list_of_light_ones() -> None:
    light = importance()
    assert all(0 <= weight < 1 for weight in light.values())
    assert not {stem(word) for word in ("nodule", "fracture", "kidney", "cyst", "embolism")} & light.keys()


def test_negation_has_cues_of_every_kind() -> None:
    cues = dict(sections(DATA / "negation.txt"))
    kinds = {title.partition(" ")[0] for title in cues}
    assert kinds == {"absent", "resolved", "possible", "indication", "nothing", "stop"}
    assert all(cues.values())
