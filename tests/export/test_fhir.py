"""FHIR R4 resources: valid by another implementation of the standard, and complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.valueset import ValueSet

from findingmodel import FindingModelFull
from findingmodel.errors import EditError
from findingmodel.export.fhir import bundle, code_system, from_questionnaire, questionnaire, value_sets
from findingmodel.export.interchange import parse_other
from tests.builders import make_choice, make_model, make_number

SAMPLES = [
    FindingModelFull.model_validate_json(path.read_bytes())
    for path in sorted((Path(__file__).parent.parent.parent / "samples" / "defs").rglob("*.fm.json"))
]
ODD = FindingModelFull(
    **make_model(
        1,
        replaces=["OIFM_TEST_000002"],
        index_codes=[{"system": "My System 7!", "code": "a b  c"}],
        attributes=[
            make_choice(10, name=" margin ", max_selected=2, index_codes=None),
            make_number(11, minimum=-3, maximum=None, unit="cm^3"),
            make_number(12, name="ratio", unit=None),
            make_number(13, name="score", unit="points of ours"),
        ],
    )
)


@pytest.mark.parametrize("model", [*SAMPLES, ODD], ids=lambda model: model.oifm_id)
def test_resources_of_a_model_are_valid(model: FindingModelFull) -> None:
    CodeSystem.model_validate(code_system([model]))
    Questionnaire.model_validate(questionnaire(model, url="https://example.org/fhir"))
    sets = value_sets(model)
    for value_set in sets:
        ValueSet.model_validate(value_set)
    Bundle.model_validate(bundle(sets))


def test_a_code_system_holds_every_id_once_and_counts_them() -> None:
    document = code_system(SAMPLES)
    CodeSystem.model_validate(document)
    codes: list[str] = []

    def add(concepts: list[dict[str, Any]]) -> None:
        for concept in concepts:
            codes.append(concept["code"])
            add(concept.get("concept", []))

    add(document["concept"])
    assert len(codes) == len(set(codes)) == document["count"]
    first = document["concept"][0]
    assert first["designation"][0]["value"] == (SAMPLES[0].synonyms or [""])[0]
    assert {"code": "replaces", "valueString": "OIFM_TEST_000002"} in code_system([ODD])["concept"][0][
        "property"
    ]


def test_codings_name_the_system_as_fhir_does() -> None:
    item = questionnaire(ODD)
    assert item["code"][1] == {"system": "urn:findingmodel:system:MYSYSTEM7", "code": "a b c"}
    volume, ratio, score = item["item"][1:]
    units = [
        extension for extension in volume["extension"] if extension["url"].endswith("questionnaire-unit")
    ]
    assert units[0]["valueCoding"] == {
        "system": "http://unitsofmeasure.org",
        "code": "cm3",
        "display": "cm^3",
    }
    assert (volume["type"], ratio["type"]) == ("quantity", "decimal")
    assert score["extension"][-1]["valueCoding"] == {"display": "points of ours"}


@pytest.mark.parametrize("model", [*SAMPLES, ODD], ids=lambda model: model.oifm_id)
def test_a_questionnaire_comes_back_with_its_ids(model: FindingModelFull) -> None:
    back = parse_other(json.dumps(questionnaire(model)).encode(), "ABCD").document

    def facts(document: dict[str, Any]) -> list[Any]:
        return [
            (document["oifm_id"], document["name"], document["description"]),
            *[
                (one["oifma_id"], one["name"].strip(), one.get("minimum"), one.get("maximum"),
                 one.get("unit"), one.get("max_selected"), one["required"],
                 [(value["value_code"], value["name"]) for value in one.get("values", ())])
                for one in document["attributes"]
            ],
        ]  # fmt: skip

    assert facts(back) == facts(json.loads(model.model_dump_json(exclude_none=True)))


def test_a_questionnaire_of_others_becomes_a_draft() -> None:
    spiculated = {"system": "http://snomed.info/sct", "code": "129742005", "display": "spiculated"}
    options = [{"valueString": "smooth"}, {"valueCoding": spiculated}]
    document = {
        "resourceType": "Questionnaire",
        "status": "active",
        "title": "Pleural plaque",
        "code": [{"system": "http://snomed.info/sct", "code": "196103000"}],
        "item": [
            {"linkId": "1", "type": "group", "item": [
                {"linkId": "2", "type": "choice", "text": "margin", "repeats": True, "answerOption": options},
                {"linkId": "3", "type": "boolean", "text": "calcified"},
                {"linkId": "4", "type": "integer", "text": "count"},
                {"linkId": "5", "type": "text", "text": "remarks"},
                {"linkId": "6", "type": "choice", "text": "side", "answerValueSet": "http://example.org/vs"},
            ]},
        ],
    }  # fmt: skip
    Questionnaire.model_validate(document)
    made = parse_other(json.dumps(document).encode(), "ABCD")
    margin, calcified, count = made.document["attributes"]
    assert [value["name"] for value in margin["values"]] == ["smooth", "spiculated"]
    assert margin["values"][1]["index_codes"] == [
        {"system": "SNOMED", "code": "129742005", "display": "spiculated"}
    ]
    assert margin["max_selected"] == 2
    assert [value["name"] for value in calcified["values"]] == ["yes", "no"]
    assert count["type"] == "numeric"
    assert made.document["index_codes"] == [{"system": "SNOMED", "code": "196103000"}]
    assert set(made.lost) == {
        "'remarks': text, which is neither a number nor a choice",
        "'side': its values, which are in http://example.org/vs",
        "there is no description: write one",
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"7", "neither a RadElement set nor"),
        (b'{"resourceType": "Patient"}', "not a FHIR Questionnaire"),
        (b'{"resourceType": "Questionnaire", "item": [7]}', "not as its format prescribes"),
        (b'{"elements": [{"value_set": 7}]}', "not as its format prescribes"),
    ],
)
def test_what_is_of_no_known_format_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(EditError, match=message):
        parse_other(data, "ABCD")


def test_only_a_questionnaire_is_read() -> None:
    with pytest.raises(EditError):
        from_questionnaire({"resourceType": "ValueSet"})
