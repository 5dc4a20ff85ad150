"""The sample finding models are valid, canonical, named by rule, and distinct."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from findingmodel.model.parse import parse_model
from findingmodel.text.normalize import fold, slug

SAMPLES = Path(__file__).parent.parent.parent / "samples"
PATHS = sorted((SAMPLES / "defs").rglob("*.fm.json"))
MODELS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_bytes()) for path in PATHS}

FIELDS = ["oifm_id", "name", "description", "synonyms", "tags", "contributors", "attributes", "index_codes"]
CHOICE_FIELDS = [
    "oifma_id",
    "name",
    "description",
    "type",
    "values",
    "required",
    "max_selected",
    "index_codes",
]
NUMERIC_FIELDS = [
    "oifma_id",
    "name",
    "description",
    "type",
    "minimum",
    "maximum",
    "unit",
    "required",
    "index_codes",
]
VALUE_FIELDS = ["value_code", "name", "description", "index_codes"]


def attributes() -> list[dict[str, Any]]:
    return [attribute for model in MODELS.values() for attribute in model["attributes"]]


def repeated(items: list[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]


def names_of(model: dict[str, Any]) -> list[str]:
    return [fold(name) for name in (model["name"], *model.get("synonyms", ()))]


def test_every_region_has_samples() -> None:
    per_region = Counter(path.parent.name for path in PATHS)
    assert len(PATHS) >= 36
    assert min(per_region.values()) >= 2


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_sample_has_neither_problems_nor_warnings(path: Path) -> None:
    model, problems, warnings = parse_model(path.read_bytes())
    assert (problems, warnings) == ((), ())
    assert model is not None
    assert model.name == json.loads(path.read_bytes())["name"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_sample_is_written_canonically(path: Path) -> None:
    text = path.read_bytes().decode("utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_file_name_is_the_slug_of_the_name(path: Path) -> None:
    assert path.name == slug(json.loads(path.read_bytes())["name"]) + ".fm.json"


def test_fields_keep_the_order_of_the_schema_and_are_never_null() -> None:
    values = [value for attribute in attributes() for value in attribute.get("values", ())]
    choices = [attribute for attribute in attributes() if attribute["type"] == "choice"]
    numbers = [attribute for attribute in attributes() if attribute["type"] == "numeric"]
    groups = [
        (FIELDS, MODELS.values()),
        (CHOICE_FIELDS, choices),
        (NUMERIC_FIELDS, numbers),
        (VALUE_FIELDS, values),
    ]
    for fields, records in groups:
        for record in records:
            assert list(record) == [field for field in fields if field in record], record
            assert None not in record.values(), record


def test_ids_belong_to_one_model_or_attribute() -> None:
    assert repeated([model["oifm_id"] for model in MODELS.values()]) == []
    assert repeated([attribute["oifma_id"] for attribute in attributes()]) == []


def test_names_belong_to_one_model() -> None:
    assert repeated([fold(model["name"]) for model in MODELS.values()]) == []


def test_value_codes_are_the_attribute_id_and_a_running_number() -> None:
    for attribute in attributes():
        codes = [value["value_code"] for value in attribute.get("values", ())]
        assert codes == [f"{attribute['oifma_id']}.{place}" for place in range(len(codes))]


def test_no_more_values_can_be_selected_than_there_are() -> None:
    for attribute in attributes():
        assert attribute.get("max_selected", 1) <= len(attribute.get("values", "-")), attribute["oifma_id"]


def test_values_and_attributes_are_named_once() -> None:
    for model in MODELS.values():
        assert repeated([fold(attribute["name"]) for attribute in model["attributes"]]) == []
        for attribute in model["attributes"]:
            assert repeated([value["name"] for value in attribute.get("values", ())]) == []


def test_numbers_have_a_range() -> None:
    for attribute in attributes():
        if attribute["type"] == "numeric":
            assert attribute["minimum"] < attribute.get("maximum", float("inf")), attribute["oifma_id"]


def test_a_synonym_adds_to_the_name() -> None:
    for model in MODELS.values():
        assert repeated(names_of(model)) == []


def test_ms_is_the_only_ambiguous_name_and_the_readme_says_so() -> None:
    holders = defaultdict(set)
    for model in MODELS.values():
        for name in names_of(model):
            holders[name].add(model["name"])
    shared = {name: models for name, models in holders.items() if len(models) > 1}
    assert shared == {"ms": {"Multiple sclerosis", "Mitral stenosis"}}
    assert "**MS**" in (SAMPLES / "README.md").read_text(encoding="utf-8")


def test_an_ontology_code_has_one_meaning_everywhere() -> None:
    meanings = defaultdict(set)
    for code in re.findall(r'"system": "(\w+)",\s+"code": "(\w+)",\s+"display": "(.+)"', _all_text()):
        meanings[code[:2]].add(code[2])
    assert len(meanings) > 50
    assert {code: terms for code, terms in meanings.items() if len(terms) > 1} == {}


def test_a_contributor_is_the_same_everywhere_and_fictitious() -> None:
    known: dict[str, dict[str, str]] = {}
    for model in MODELS.values():
        for contributor in model.get("contributors", ()):
            key = contributor.get("github_username") or contributor["code"]
            assert known.setdefault(key, contributor) == contributor
    assert set(known) == {"SMPL", "DEMO", "sample-curator", "sample-editor"}
    assert all("example.org" in (person.get("email") or person["url"]) for person in known.values())


def test_the_readme_states_the_right_number() -> None:
    assert f"{len(PATHS)} finding models" in (SAMPLES / "README.md").read_text(encoding="utf-8")


def _all_text() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in PATHS)
