"""Readings as FHIR R4: a Bundle with one Observation for each finding that a report names.

See https://hl7.org/fhir/R4/observation.html. The models and their attributes are identified by URNs of this
package, because no registry of code systems lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.reports.values import FilledAttribute, Measurement, Mention, ReportReading

MODELS = "urn:findingmodel:oifm"
ATTRIBUTES = "urn:findingmodel:oifma"
VALUES = "urn:findingmodel:value"
CERTAINTY = "urn:findingmodel:certainty"
_UCUM = "http://unitsofmeasure.org"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_CATEGORY = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
            "display": "Imaging",
        }
    ]
}
_INTERPRETATIONS = {
    "present": ("POS", "Positive"),
    "absent": ("NEG", "Negative"),
    "possible": ("IND", "Indeterminate"),
}
_TOLD = ("present", "absent", "possible", "historical")


def bundle(readings: Iterable[tuple[str, ReportReading]]) -> dict[str, Any]:
    """Return a Bundle of type "collection" for *readings*, each with the name of its report.

    What an examination was requested for is not an observation, and is left out.

    >>> bundle([])
    {'resourceType': 'Bundle', 'type': 'collection'}
    """
    entries = [
        {"fullUrl": f"urn:findingmodel:observation:{number}", "resource": resource}
        for number, resource in enumerate(_resources(readings), 1)
    ]
    start = {"resourceType": "Bundle", "type": "collection"}
    return {**start, "entry": entries} if entries else start  # FHIR has no empty lists


def _resources(readings: Iterable[tuple[str, ReportReading]]) -> Iterator[dict[str, Any]]:
    for name, reading in readings:
        for mention in reading.mentions:
            if mention.certainty in _TOLD:
                yield observation(name, mention)


def observation(report: str, mention: Mention) -> dict[str, Any]:
    """Return the Observation of one *mention* in the report of this name."""
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [_CATEGORY],
        "code": _code(mention),
        "valueCodeableConcept": {
            "coding": [{"system": CERTAINTY, "code": mention.certainty}],
            "text": mention.certainty,
        },
        "note": [{"text": f"{report}, {mention.start}-{mention.end}: {mention.text}"}],
    }
    interpretation = _INTERPRETATIONS.get(mention.certainty)
    if interpretation:
        code, display = interpretation
        resource["interpretation"] = [
            {"coding": [{"system": _INTERPRETATION, "code": code, "display": display}]}
        ]
    place = " ".join(part for part in (mention.laterality, mention.level) if part)
    if place:
        resource["bodySite"] = {"text": place}
    components = [*map(_component, mention.attributes), *_sizes(mention)]
    if mention.change:
        components.append({"code": {"text": "change from prior"}, "valueString": mention.change})
    if components:
        resource["component"] = components
    return resource


def _code(mention: Mention) -> dict[str, Any]:
    best = mention.best
    if best is None:
        return {"text": mention.text}
    return {"coding": [{"system": MODELS, "code": best.oifm_id, "display": best.name}], "text": mention.text}


def _component(filled: FilledAttribute) -> dict[str, Any]:
    code = {"coding": [{"system": ATTRIBUTES, "code": filled.oifma_id, "display": filled.name}]}
    if filled.number is not None:
        return {"code": code, "valueQuantity": {"value": filled.number, "unit": filled.unit or "1"}}
    value = {"coding": [{"system": VALUES, "code": filled.value_code, "display": filled.value}]}
    return {"code": code, "valueCodeableConcept": value}


def _sizes(mention: Mention) -> Iterator[dict[str, Any]]:
    for measurement in mention.measurements:
        for value in measurement.values:
            yield {"code": {"text": "measurement"}, "valueQuantity": _quantity(measurement, value)}


def _quantity(measurement: Measurement, value: float) -> dict[str, Any]:
    return {"value": value, "unit": measurement.unit, "system": _UCUM, "code": measurement.unit}
