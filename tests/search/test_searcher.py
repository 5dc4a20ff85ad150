from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findingmodel.errors import QueryError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.hits import status_of
from findingmodel.search.searcher import Searcher, search
from findingmodel.text.query import parse_query
from tests.search_index import FINDINGS, filled, make_records, names

INDEX = filled()


@pytest.mark.parametrize("name", [name for name, *_ in FINDINGS])
def test_an_exact_name_is_first(name: str) -> None:
    assert names(INDEX, name)[0] == name
    assert names(INDEX, name.upper())[0] == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        # names and synonyms
        ("PE", "pulmonary embolism"),
        ("lung nodules", "pulmonary nodule"),
        ("renal_cyst", "renal cyst"),
        ("Bakers cyst", "Baker's cyst"),
        ("ground glass opacities", "ground-glass opacity"),
        # spelling, words written apart or together
        ("oesophageal varix", "esophageal varices"),
        ("acroosteolysis", "acro-osteolysis"),
        ("pneumo thorax", "pneumothorax"),
        # typos
        ("nephrolithasis", "nephrolithiasis"),
        ("bronchietasis", "bronchiectasis"),
        ("portal vien thrombosis", "portal vein thrombosis"),
        # unfinished words
        ("cholel", "cholelithiasis"),
        ("portal hyp", "portal hypertension"),
        ("pulm emb", "pulmonary embolism"),
        # order, and words of little weight
        ("nodule left thyroid 12 mm", "thyroid nodule"),
        ("thrombosed portal vein", "portal vein thrombosis"),
        # other words
        ("kidney stone", "nephrolithiasis"),
        ("stones in the gallbladder", "cholelithiasis"),
        ("clot in the lung", "pulmonary embolism"),
        ("big heart", "cardiomegaly"),
        ("cyst of the liver", "hepatic cyst"),
        ("fluid around the lung", "pleural effusion"),
        ("AAA", "abdominal aortic aneurysm"),
        ("PVT", "portal vein thrombosis"),
        # sentences
        ("There is a 6 mm nodule in the right upper lobe of the lung.", "pulmonary nodule"),
        ("The heart is enlarged, and there is a small amount of free air.", "cardiomegaly"),
        ("Moderate left hydronephrosis to the level of the ureterovesical junction.", "hydronephrosis"),
    ],
)
def test_the_intended_finding_is_first(text: str, name: str) -> None:
    assert names(INDEX, text)[0] == name


@pytest.mark.parametrize("text", ["Morton neuroma", "xyzzy", "scaphoid", "mitral plugh", "TFCC", "q w"])
def test_a_finding_that_the_index_lacks_is_unmatched(text: str) -> None:
    assert status_of(run_without_loop(search(INDEX, text))) == "unmatched"


@pytest.mark.parametrize("text", ["xyzzy", "q w", "TFCC"])
def test_words_that_nothing_resembles_find_nothing(text: str) -> None:
    assert names(INDEX, text) == []


def test_short_abbreviations_are_not_corrected_into_others() -> None:
    index = filled(make_records([("aortic stent", ["AST"], "", []), ("syndrome ARDS", [], "", [])]))
    assert names(index, "ARDT") == []
    assert names(index, "ASX") == []


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_any_text_has_an_answer_or_a_query_error(text: str) -> None:
    try:
        found = names(INDEX, text)
    except QueryError:
        return
    assert len(set(found)) == len(found) <= 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cyst OR nodule", "cyst or nodule"),
        ("NEAR(renal cyst)", "near renal cyst"),
        ("name:thyroid nodule", "name thyroid nodule"),
        ("nodule*", "nodule"),
        ("^nodule", "nodule"),
        ("{$ne: nodule}", "ne nodule"),
        ("nodule') --", "nodule"),
        ("nodule AND", "nodule and"),
        ('renal cyst"', "renal cyst"),
    ],
)
def test_operators_of_a_database_are_plain_text(text: str, words: str) -> None:
    assert names(INDEX, text) == names(INDEX, words) != []


@pytest.mark.parametrize("text", ['"', "*", "^", "{}", "') --"])
def test_operators_alone_are_an_error(text: str) -> None:
    with pytest.raises(QueryError, match="nothing to search for"):
        names(INDEX, text)


def test_phrases_require_their_words_side_by_side() -> None:
    assert "portal vein thrombosis" in names(INDEX, "vein portal")
    assert names(INDEX, '"vein portal"') == []
    assert "portal vein thrombosis" in names(INDEX, '"portal vein"')


def test_excluded_words_exclude_names_but_not_descriptions() -> None:
    found = names(INDEX, "cyst -kidney")
    assert "hepatic cyst" in found
    assert "renal cyst" not in found
    assert names(INDEX, "portal hypertension -vein")[0] == "portal hypertension"
    assert "portal vein thrombosis" not in names(INDEX, 'portal -"portal vein"')


def test_all_tags_are_required() -> None:
    assert set(names(INDEX, "cyst", tags=["US", "liver"])) == {"hepatic cyst"}
    assert names(INDEX, "cyst tag:us tag:LIVER") == names(INDEX, "cyst", tags=["US", "liver"])
    assert names(INDEX, "cyst", tags=["neck"]) == []


def test_filters_alone_list_entries_by_id() -> None:
    hits = run_without_loop(search(INDEX, "tag:hand modality:XR", limit=50))
    assert [hit.entry["name"] for hit in hits] == ["acro-osteolysis", "polydactyly"]


def test_an_id_finds_its_entry_alone() -> None:
    assert names(INDEX, "oifm_test_000003") == ["thyroid nodule"]
    assert names(INDEX, "id:OIFM_TEST_000003") == ["thyroid nodule"]
    assert names(INDEX, "OIFM_TEST_999999") == []


def test_an_exact_name_comes_before_an_exact_synonym_and_both_before_the_rest() -> None:
    index = filled(
        make_records([("speck", ["nodule"], "", []), ("nodule", [], "", []), ("nodule of bone", [], "", [])])
    )
    hits = run_without_loop(search(index, "nodule"))
    assert [hit.entry["name"] for hit in hits] == ["nodule", "speck", "nodule of bone"]
    assert [hit.score >= 1 for hit in hits] == [True, True, False]


def test_a_name_is_found_among_more_entries_than_are_ranked() -> None:
    many = [
        (f"fracture of fracture type {number}", ["fracture fracture"], "fracture", [])
        for number in range(400)
    ]
    index = filled(make_records([*many, ("fracture", [], "No other words", [])]))
    assert names(index, "fracture")[0] == "fracture"


def test_pages_do_not_overlap() -> None:
    query = parse_query("cyst")
    searcher = Searcher(INDEX)
    whole = run_without_loop(searcher.search(query, limit=10))
    pages = [
        hit
        for offset in range(0, 10, 2)
        for hit in run_without_loop(searcher.search(query, limit=2, offset=offset))
    ]
    assert pages == whole
    assert len(whole) > 2


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1, -1)])
def test_an_empty_page_is_an_error(limit: int, offset: int) -> None:
    with pytest.raises(QueryError, match="at least one hit"):
        run_without_loop(Searcher(INDEX).search(parse_query("cyst"), limit=limit, offset=offset))


def test_scores_decrease_and_their_reasons_add_up() -> None:
    for text in ("big heart", "cyst", "renal cyst", "nodlue thyroid", "clot in the lung", "pneum"):
        hits = run_without_loop(search(INDEX, text))
        assert all(one.score >= other.score for one, other in pairwise(hits))
        for hit in hits:
            assert hit.matched
            assert sum(match.score for match in hit.matched) == pytest.approx(hit.score)


@pytest.mark.parametrize(
    ("text", "stage", "field", "term"),
    [
        ("renal cyst", "exact", "name", "renal cyst"),
        ("kidney cyst", "exact", "synonym", "kidney cyst"),
        ("renal_cyst", "exact", "slug", "renal cyst"),
        ("OIFM_TEST_000010", "exact", "id", "OIFM_TEST_000010"),
        ("old renal cyst", "words", "name", "renal"),
        ("old fatty livers", "words", "synonym", "fatty"),
        ("old cyst renla", "typo", "name", "renal"),
        ("big heart", "technical", "name", "cardiomegaly"),
        ("cholel", "prefix", "name", "cholelithiasis"),
        ("opacity visible vessels", "words", "description", "vessels"),
        ("acroosteolysis", "compound", "name", "acro"),
    ],
)
def test_a_hit_has_the_reason_it_was_found_by(text: str, stage: str, field: str, term: str) -> None:
    hit = run_without_loop(search(INDEX, text))[0]
    assert any(row.stage == stage and row.field == field and term in row.terms for row in hit.matched), (
        hit.matched
    )


def test_every_process_gives_the_same_reasons() -> None:
    code = (
        "from findingmodel.runtime.run_without_loop import run_without_loop\n"
        "from findingmodel.search.searcher import search\n"
        "from tests.search_index import filled, make_records\n"
        "names = ('cerebral and intracranial mass', 'lung mass')\n"
        "index = filled(make_records([(name, [], '', []) for name in names]))\n"
        "print([hit.matched for hit in run_without_loop(search(index, 'mass in the brain'))])"
    )
    outputs = {output_of(code, PYTHONHASHSEED=seed) for seed in ("1", "2", "3")}
    assert len(outputs) == 1


def test_the_initials_of_a_name_find_it() -> None:
    index = filled(make_records([("hazy blue line", [], "", []), ("something else", [], "", [])]))
    hit = run_without_loop(search(index, "HBL"))[0]
    assert hit.entry["name"] == "hazy blue line"
    assert ("initials", "other", ("HBL",)) in {row[:3] for row in hit.matched}


def test_denied_findings_are_found_and_marked() -> None:
    hits = {
        hit.entry["name"]: hit.negated
        for hit in run_without_loop(search(INDEX, "No pneumothorax, but a pleural effusion."))
    }
    assert hits["pneumothorax"]
    assert not hits["pleural effusion"]


def test_numbers_alone_find_only_names_with_them() -> None:
    def best(*findings: tuple) -> list[str]:
        hits = run_without_loop(search(filled(make_records(findings)), "1"))
        return [hit.entry["name"] for hit in hits[:1]]

    mass = ("a mass", [], "seen in 1 of 3", [])
    assert best(mass) == []
    assert best(mass, ("phase 1", [], "", [])) == ["phase 1"]


def test_tags_of_the_hits_are_counted() -> None:
    counts = run_without_loop(Searcher(INDEX).count_tags(parse_query("pneumothorax")))
    assert counts == {"XR": 2, "chest": 2}
    assert list(counts) == ["chest", "XR"]


def test_a_tag_in_two_spellings_counts_once_for_each_model() -> None:
    tagged = [("cyst one", [], "", ["CT", "ct"]), ("cyst two", [], "", ["CT"])]
    assert run_without_loop(Searcher(filled(make_records(tagged))).count_tags(parse_query("cyst"))) == {
        "CT": 2
    }


def test_a_searcher_sees_every_update() -> None:
    store = filled()
    searcher = Searcher(store)
    assert run_without_loop(searcher.search(parse_query("gossypiboma"))) == []
    filled([*make_records(), *make_records([("gossypiboma", [], "", [])])][-1:], store)
    assert run_without_loop(searcher.search(parse_query("gossypiboma")))[0].entry["name"] == "gossypiboma"


def test_an_empty_index_finds_nothing() -> None:
    assert names(filled([]), "pulmonary nodule") == []


def test_a_search_needs_neither_event_loop_nor_models_of_pydantic() -> None:
    code = (
        "import sys; from findingmodel.runtime.run_without_loop import run_without_loop\n"
        "from findingmodel.stores import open_store\n"
        "from findingmodel.search.searcher import search\n"
        "run_without_loop(search(open_store('sqlite://'), 'emblism of the lung'))\n"
        "print({'asyncio', 'pydantic', 'rapidfuzz', 'numpy', 'pymongo', 'dataclasses'} & sys.modules.keys())"
    )
    assert output_of(code) == "set()\n"


def output_of(code: str, **variables: str) -> str:
    """Return the output of *code* in a new process."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    ).stdout


def test_an_abbreviation_spelled_like_a_small_word_finds_every_model_with_it() -> None:
    index = filled(make_records([("ankylosis", ["AS"], "", []), ("aortic narrowing", ["AS"], "", [])]))
    assert set(names(index, "AS")) == set(names(index, "as")) == {"ankylosis", "aortic narrowing"}
    assert names(index, "the") == []


def test_a_report_in_capitals_finds_the_same() -> None:
    text = "There is a large nodlue in the thyroid gland."
    assert names(INDEX, text.upper()) == names(INDEX, text)
    assert names(INDEX, text)[0] == "thyroid nodule"


def test_a_synonym_with_all_words_of_the_query_scores_like_a_name() -> None:
    by_synonym, by_name = (
        run_without_loop(search(INDEX, text))[0] for text in ("There is a PTX.", "There is a pneumothorax.")
    )
    assert by_synonym.entry["name"] == by_name.entry["name"] == "pneumothorax"
    assert by_synonym.score > 0.9


def test_the_best_hit_does_not_depend_on_the_limit() -> None:
    for text in ("clot in the lung", "mitral plugh cyst", "renal cyst of nowhere"):
        assert names(INDEX, text, limit=1) == names(INDEX, text, limit=10)[:1]
