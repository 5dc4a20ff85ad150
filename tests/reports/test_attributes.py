"""Attributes are filled with what the report states, and with nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from findingmodel.reports.attributes import AttributeFiller
from findingmodel.reports.concepts import Concepts
from tests.reports.report_index import read

CONCEPTS = Concepts()


def choice(number: int, name: str, *values: str, most: int = 1) -> dict[str, Any]:
    oifma_id = f"OIFMA_TEST_{number:06}"
    return {
        "oifma_id": oifma_id,
        "name": name,
        "type": "choice",
        "max_selected": most,
        "values": [{"value_code": f"{oifma_id}.{at}", "name": value} for at, value in enumerate(values)],
    }


def numeric(number: int, name: str, unit: str, **limits: float) -> dict[str, Any]:
    return {"oifma_id": f"OIFMA_TEST_{number:06}", "name": name, "type": "numeric", "unit": unit, **limits}


PRESENCE = choice(1, "presence", "absent", "present", "indeterminate", "unknown")
CHANGE = choice(2, "change from prior", "unchanged", "new", "resolved", "larger", "smaller")
SIDE = choice(3, "Side", "left", "right", "bilateral")
MARGIN = choice(4, "margin", "smooth", "lobulated", "spiculated", "indeterminate")
LOBE = choice(5, "location", "right upper lobe", "upper lobe", "lingula", "unknown")
SIZE = numeric(6, "Size", "mm", minimum=0, maximum=100)
THICKNESS = numeric(7, "Wall thickness", "mm")
DENSITY = numeric(8, "Density", "HU")


def filled(text: str, *attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the attributes of the only mention, by name."""
    reading = read(text)
    (mention,) = reading.mentions
    filler = AttributeFiller(CONCEPTS)
    parsed = filler.parse(json.dumps({"attributes": attributes}))
    return {
        one.name: one.value if one.number is None else one.number
        for one in filler.fill(reading.text, mention, parsed)
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Pulmonary nodule.", "present"),
        ("No pulmonary nodule.", "absent"),
        ("Possible pulmonary nodule.", "indeterminate"),
    ],
)
def test_presence_follows_from_certainty(text: str, value: str) -> None:
    assert filled(text, PRESENCE) == {"presence": value}


@pytest.mark.parametrize("text", ["History of pulmonary nodule.", "Evaluate for pulmonary nodule."])
def test_what_is_not_stated_of_today_fills_nothing(text: str) -> None:
    assert filled(text, PRESENCE, CHANGE, MARGIN) == {}


def test_of_a_denied_finding_only_the_presence_is_filled() -> None:
    assert filled("No spiculated left pulmonary nodule.", PRESENCE, SIDE, MARGIN) == {"presence": "absent"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Pulmonary nodule, unchanged.", "unchanged"),
        ("New pulmonary nodule.", "new"),
        ("The pulmonary nodule has increased.", "larger"),
        ("The pulmonary nodule is smaller.", "smaller"),
    ],
)
def test_change_from_prior(text: str, value: str) -> None:
    assert filled(text, CHANGE) == {"change from prior": value}


def test_choices_are_filled_by_the_words_of_the_clause() -> None:
    text = "A 6 mm spiculated pulmonary nodule in the right upper lobe."
    assert filled(text, SIDE, MARGIN, LOBE) == {
        "Side": "right",
        "margin": "spiculated",
        "location": "right upper lobe",
    }


def test_two_values_of_which_one_may_be_chosen_fill_nothing() -> None:
    text = "A smooth, lobulated pulmonary nodule."
    assert filled(text, MARGIN) == {}
    both = choice(4, "margin", "smooth", "lobulated", most=2)
    reading = read(text)
    filler = AttributeFiller(CONCEPTS)
    parsed = filler.parse(json.dumps({"attributes": [both]}))
    values = [one.value for one in filler.fill(text, reading.mentions[0], parsed)]
    assert values == ["smooth", "lobulated"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("A 1.2 cm pulmonary nodule.", 12.0),
        ("A 4 x 6 mm pulmonary nodule.", 6.0),
        ("Pulmonary nodule measuring 9 mm.", 9.0),
        ("Pulmonary nodule, up to 0,8 cm.", 8.0),
    ],
)
def test_sizes_are_converted_to_the_unit_of_the_attribute(text: str, number: float) -> None:
    assert filled(text, SIZE) == {"Size": number}


def test_numbers_out_of_range_or_of_another_quantity_fill_nothing() -> None:
    assert filled("A 12 cm pulmonary nodule.", SIZE) == {}
    assert filled("A pulmonary nodule of 45 HU.", SIZE) == {}
    assert filled("A pulmonary nodule of 45 HU.", SIZE, DENSITY) == {"Density": 45.0}


def test_a_measure_of_something_else_is_not_the_size() -> None:
    assert filled("A 6 mm pulmonary nodule.", THICKNESS) == {}
    assert filled("A 6 mm pulmonary nodule.", SIZE, numeric(9, "Diameter", "mm")) == {}


def test_each_filled_attribute_tells_its_code_and_its_words() -> None:
    text = "A spiculated pulmonary nodule."
    reading = read(text)
    filler = AttributeFiller(CONCEPTS)
    (margin,) = filler.fill(text, reading.mentions[0], filler.parse(json.dumps({"attributes": [MARGIN]})))
    assert (margin.oifma_id, margin.value_code) == ("OIFMA_TEST_000004", "OIFMA_TEST_000004.2")
    assert margin.source is not None
    assert text[margin.source.start : margin.source.end] == margin.source.text == "spiculated"
    assert 0 < margin.confidence <= 1
