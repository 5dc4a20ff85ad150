"""IndexEntry and SearchHit."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from findingmodel import AttributeInfo, IndexEntry, Match, SearchHit

MATCHES = (Match("exact", "synonyms", ("pn",), 3.0), Match("text", "name", ("lung", "nodule"), 1.5))


def make_entry_fields(**changes: Any) -> dict[str, Any]:
    fields = {
        "oifm_id": "OIFM_TEST_000001",
        "name": "Pulmonary  nodule",
        "slug_name": "pulmonary_nodule",
        "filename": "chest/pulmonary_nodule.fm.json",
        "file_hash_sha256": "0" * 64,
        "synonyms": ["PN", "Rundherd, groß"],
        "attributes": [AttributeInfo(attribute_id="OIFMA_TEST_000010", name="margin", type="choice")],
    }
    return fields | changes


@pytest.mark.parametrize(
    "key",
    [
        "OIFM_TEST_000001",
        "oifm_test_000001",
        "pulmonary nodule",
        " PULMONARY\tNODULE ",
        "pn",
        "\uff30\uff2e",
        "RUNDHERD, GROSS",
    ],
)
def test_an_entry_matches_its_id_name_and_synonyms_in_any_case(key: str) -> None:
    assert IndexEntry(**make_entry_fields()).match(key)


@pytest.mark.parametrize("key", ["", "pulmonary", ".*", "pulmonary_nodule", "OIFMA_TEST_000010"])
def test_an_entry_does_not_match_other_text(key: str) -> None:
    assert not IndexEntry(**make_entry_fields()).match(key)
    assert not IndexEntry(**make_entry_fields(synonyms=None)).match(key)


def test_a_hit_is_an_entry_with_score_and_reasons() -> None:
    hit = SearchHit(**make_entry_fields(), score=4.5, matched=MATCHES)
    assert isinstance(hit, IndexEntry)
    assert hit.match("PN")
    assert hit.matched[0].terms == ("pn",)


def test_a_hit_survives_json_with_its_reasons_by_name() -> None:
    hit = SearchHit(**make_entry_fields(), score=4.5, matched=MATCHES)
    dumped = hit.model_dump(mode="json")
    assert dumped["matched"][0] == {"stage": "exact", "field": "synonyms", "terms": ["pn"], "score": 3.0}
    assert SearchHit.model_validate_json(hit.model_dump_json()) == hit


def test_entries_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        IndexEntry(**make_entry_fields()).name = "other"


def test_the_repr_of_entries_and_hits_is_short() -> None:
    assert repr(IndexEntry(**make_entry_fields())) == (
        "IndexEntry(OIFM_TEST_000001 'Pulmonary  nodule', attributes: 1)"
    )
    assert str(SearchHit(**make_entry_fields(), score=4.5, matched=MATCHES)) == (
        "SearchHit(OIFM_TEST_000001 'Pulmonary  nodule', score 4.500, found by exact, text)"
    )
    assert repr(SearchHit(**make_entry_fields(), score=0)).endswith("score 0.000)")
