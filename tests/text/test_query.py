from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.errors import QueryError
from findingmodel.text.query import Query, parse_query

ODD = st.text(alphabet=st.sampled_from("ab 1-\":()*^$.+~\\'/,;\n\0tag:idcode"), max_size=40)


def telling(text: str) -> list[str]:
    return [word.text for word in parse_query(text).words]


def parsed(text: str) -> Query | str:
    """Return the query, or why it is none."""
    try:
        return parse_query(text)
    except QueryError as error:
        return str(error)


@given(st.one_of(st.text(), ODD))
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    query = parsed(text)
    assert query
    assert isinstance(query, str) or query.words or query.facets or query.ids


@given(st.one_of(st.text(), ODD))
def test_the_same_text_makes_equal_and_hashable_queries(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert hash(query) == hash(parse_query(text))
    assert query == parse_query(f"  {text}  ")


@given(ODD)
def test_words_are_distinct(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError:
        return
    tokens = [word.token for word in query.words]
    assert len(set(tokens)) == len(tokens)


def test_case_and_accents_do_not_matter_but_for_short_words_in_capitals() -> None:
    assert parse_query("Pulmonary EMBOLISM") == parse_query("pulmonary embolism")
    assert parse_query("AAA").words[0].capitals
    assert not parse_query("aaa").words[0].capitals


@pytest.mark.parametrize(
    "text", ["", "   ", '""', "++", "-", "\0", "tag:", "x id:", "code: x", 'modality:" "']
)
def test_nothing_to_search_for_is_an_error(text: str) -> None:
    with pytest.raises(QueryError, match=r"nothing to search for|needs a value"):
        parse_query(text)


def test_a_query_as_long_as_a_report_is_refused() -> None:
    with pytest.raises(QueryError, match="sentence by sentence"):
        parse_query("nodule " * 1_000)


def test_operators_are_recognized() -> None:
    query = parse_query(
        'mass "soft tissue" -cystic -"of bone" tag:"head neck" contributor:CDE attribute:numeric'
    )
    assert telling('mass "soft tissue" -cystic tag:CT') == ["mass", "soft", "tissue"]
    assert query.phrases == (("soft", "tissu"),)
    assert query.excluded == (("cystic",), ("of", "bone"))
    assert query.facets == (("tag:head_neck",), ("contributor:cde",), ("attribute:numeric",))


@pytest.mark.parametrize(
    ("text", "facets"),
    [
        ("modality:MRI", {"tag:mr", "tag:mri", "tag:magnetic_resonance_imaging"}),
        ("modality:xr", {"tag:xr", "tag:x-ray", "tag:cr", "tag:dx", "tag:radiograph", "tag:radiography"}),
        ("modality:unheard-of", {"tag:unheard-of"}),
        ("TAG:ct", {"tag:ct"}),
    ],
)
def test_a_filter_matches_one_of_its_names(text: str, facets: set[str]) -> None:
    assert set(parse_query(text).facets[0]) == facets


def test_tags_may_be_given_beside_the_text() -> None:
    assert parse_query("mass", tags=["CT", " "]) == parse_query("mass tag:CT")


def test_a_code_names_its_system() -> None:
    assert parse_query("code:RADLEX:RID1").facets[0][0] == "code:radlex:rid1@model"
    with pytest.raises(QueryError, match="does not name a system"):
        parse_query("code:RID1")


def test_ids_are_recognized_with_and_without_a_prefix() -> None:
    assert parse_query("OIFM_TEST_000001").ids == ("oifm_test_000001",)
    assert parse_query("id:oifm_test_000001").ids == ("oifm_test_000001",)
    with pytest.raises(QueryError, match="not the id"):
        parse_query("id:nodule")


def test_filters_cannot_be_excluded() -> None:
    with pytest.raises(QueryError, match="cannot be excluded"):
        parse_query("mass -tag:CT")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("6-mm nodule", ["nodule"]),
        ("mass 3.5 x 4,2 cm", ["mass"]),
        ("There is a 6 mm nodule in the liver.", ["nodule", "liver"]),
        ("nodule of the lung, likely benign", ["nodule", "lung", "benign"]),
        ("the", ["the"]),
        ("- Nodule", ["nodule"]),
        ("foo:bar", ["foo", "bar"]),
        ('6" nail', ["6", "nail"]),
        ("post-contrast", ["contrast"]),
    ],
)
def test_measurements_and_fillers_are_left_out(text: str, words: list[str]) -> None:
    assert telling(text) == words


def test_location_and_degree_weigh_less_than_the_finding() -> None:
    words = {
        word.text: word.weight for word in parse_query("mild effusion of the left upper lobe at T7").words
    }
    assert words["effusion"] == 1
    assert max(weight for text, weight in words.items() if text != "effusion") < 0.6


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("No pneumothorax.", {"pneumothorax"}),
        ("no pneumothorax or effusion", {"pneumothorax", "effusion"}),
        ("no effusion but a nodule", {"effusion"}),
        ("Nodule. No effusion. Mass.", {"effusion"}),
        ("negative for embolism", {"embolism"}),
        ("embolism is not seen", {"embolism"}),
        ("nodule without calcification", {"calcification"}),
        ("pneumothorax", set()),
        ("embolism has been ruled out", {"embolism"}),
        ("Effusion is not identified, consolidation is seen.", {"effusion"}),
        ("Nodule is no longer seen.", {"nodule"}),
        ("The appendix can't be found", {"appendix"}),
        ("It isn\N{RIGHT SINGLE QUOTATION MARK}t a fracture", {"fracture"}),
        ("Effusion: none. Mass: cyst. Hernia: not seen.", {"effusion", "hernia"}),
        ("Lungs: no effusion", {"effusion"}),
        ("gallbladder is absent", {"gallbladder"}),
        ("pneumothorax resolved, but effusion", {"pneumothorax"}),
        ("negative ulnar variance", set()),
        ("No change in the nodule, no effusion", {"effusion"}),
        ("Not only a fracture", set()),
        ("Fracture cannot be confidently excluded.", set()),
        ("Fracture cannot be excluded, but effusion is excluded", {"effusion"}),
        ("PE not ruled out", set()),
        ("Rule out PE", set()),
        ("R/O PE, cyst w/o septa", {"septa"}),
        ("Cyst w/septa, neg for mass", {"mass"}),
        ("-No pneumothorax is seen.", {"pneumothorax"}),
    ],
)
def test_denied_words_are_marked(text: str, denied: set[str]) -> None:
    assert {word.text for word in parse_query(text).words if word.negated} == denied


def test_shorthand_expands_to_uninformative_words() -> None:
    assert telling("s/p fall, hx of stroke, and/or mass") == ["fall", "stroke", "mass"]


def test_negation_cues_are_uninformative() -> None:
    assert telling("It isn't a fracture, which is ruled out.") == ["fracture"]


@pytest.mark.parametrize(
    ("text", "words", "excluded"),
    [
        ("-chronic pancreatitis", ["pancreatitis"], (("chronic",),)),
        ("- chronic pancreatitis", ["chronic", "pancreatitis"], ()),
        ("-Chronic pancreatitis is seen.", ["chronic", "pancreatitis"], ()),
        ("\N{BULLET}chronic pancreatitis", ["chronic", "pancreatitis"], ()),
    ],
)
def test_a_hyphen_at_the_start_excludes_a_word_but_is_the_mark_of_a_list_before_a_sentence(
    text: str, words: list[str], excluded: tuple
) -> None:
    assert (telling(text), parse_query(text).excluded) == (words, excluded)


def test_a_filter_cannot_be_excluded_at_the_start_either() -> None:
    with pytest.raises(QueryError, match="cannot be excluded"):
        parse_query("-tag:CT")


def test_curly_quotation_marks_are_quotation_marks() -> None:
    assert parse_query(
        "\N{LEFT DOUBLE QUOTATION MARK}ground glass\N{RIGHT DOUBLE QUOTATION MARK} opacity"
    ) == (parse_query('"ground glass" opacity'))


def test_sentences_are_distinguished_from_key_words() -> None:
    assert parse_query("The heart is large.").narrative
    assert not parse_query("large heart").narrative


def test_a_long_text_keeps_the_most_informative_words() -> None:
    light = " ".join(f"{number} left" for number in range(100))
    words = parse_query(f"{light} nodule").words
    assert len(words) < 60
    assert words[-1].text == "nodule"
