"""Readings as dicts, text, HTML and FHIR."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from findingmodel.reports.fhir import bundle, observation
from findingmodel.reports.html import error_html, page_end, page_start, report_html
from findingmodel.reports.plain import marked_text, table_rows
from findingmodel.reports.values import (
    FilledAttribute,
    Measurement,
    Mention,
    MentionHit,
    Quote,
    ReportReading,
    as_document,
)
from tests.reports.report_index import read

TEXT = """INDICATION: <b>Fever</b>, pneumonia.
FINDINGS: No pneumothorax. A 6 mm left lung nodule, unchanged. L1 fracture."""


def full_mention() -> Mention:
    size = FilledAttribute("OIFMA_X_000001", "size", None, "", 12.0, "mm", Quote(2, 8, "1.2 cm"), 0.9)
    side = FilledAttribute("OIFMA_X_000002", "side", "OIFMA_X_000002.0", "left", None, "", None, 0.9)
    return Mention(
        *(2, 20, "1.2 cm nodule", "present", "findings"),
        hits=(MentionHit("OIFM_X_000001", "nodule", 0.9), MentionHit("OIFM_X_000002", "mass", 0.4)),
        status="matched",
        laterality="left",
        change="new",
        measurements=(Measurement(2, 8, "1.2 cm", (1.2,), "cm"),),
        attributes=(size, side),
    )


def test_to_dicts_has_a_flat_row_for_each_mention() -> None:
    rows = read(TEXT).to_dicts()
    assert [row["name"] for row in rows] == ["pneumonia", "pneumothorax", "pulmonary nodule", "fracture"]
    assert rows[1] | {"score": 0, "others": []} == {
        "start": TEXT.index("pneumothorax"),
        "end": TEXT.index("pneumothorax") + 12,
        "text": "pneumothorax",
        "section": "findings",
        "certainty": "absent",
        "cue": "No",
        "status": rows[1]["status"],
        "oifm_id": "OIFM_TEST_000000",
        "name": "pneumothorax",
        "score": 0,
        "laterality": "",
        "level": "",
        "change": "",
        "measurements": "",
        "attributes": [],
        "others": [],
    }
    assert rows[2]["measurements"] == "6 mm"
    json.dumps(rows)


def test_a_document_holds_everything() -> None:
    document = json.loads(json.dumps(as_document(read(TEXT))))
    assert document["text"] == TEXT
    assert document["sections"][0]["name"] == "indication"
    assert document["mentions"][2]["hits"][0]["name"] == "pulmonary nodule"


def test_marked_text_numbers_the_mentions_and_keeps_every_other_character() -> None:
    reading = read(TEXT)
    shown = marked_text(reading)
    assert "No [pneumothorax]2-." in shown
    plain = marked_text(reading, lambda text, _: text[1 : text.rindex("]")])
    assert plain == TEXT
    assert [row[0] for row in table_rows(reading)] == ["1>", "2-", "3+", "4+"]


class Page(HTMLParser):
    """Reads a page: its tags, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_is_self_contained_and_shows_reports_as_text() -> None:
    page = page_start("Findings") + report_html("a.txt", read(TEXT)) + error_html("b", "<bad>") + page_end()
    parsed = Page()
    parsed.feed(page)
    assert parsed.tags.count("mark") >= 4
    assert not {"script", "img", "link", "iframe"} & set(parsed.tags)
    assert "&lt;b&gt;Fever&lt;/b&gt;" in page
    assert "&lt;bad&gt;" in page
    assert not [value for name, value in parsed.attributes if name in ("src", "href")]
    assert "http" not in page.replace("http-equiv", "")


def test_fhir_is_a_valid_bundle() -> None:
    reading = ReportReading("A 1.2 cm nodule ...", mentions=(full_mention(),))
    made = bundle([("a.txt", reading), ("b.txt", read(TEXT))])
    parsed = Bundle.model_validate(made)
    resources: list[Any] = [entry.resource for entry in parsed.entry]
    assert [one.code.text for one in resources] == [
        *("1.2 cm nodule", "pneumothorax", "lung nodule", "fracture")
    ]
    assert [one.interpretation[0].coding[0].code for one in resources] == ["POS", "NEG", "POS", "POS"]
    quantities = [part.valueQuantity for part in resources[0].component if part.valueQuantity]
    assert [(float(one.value), one.unit) for one in quantities] == [(12.0, "mm"), (1.2, "cm")]


def test_what_was_asked_about_is_no_observation() -> None:
    assert bundle([("a", read("INDICATION: Pneumonia."))]) == {"resourceType": "Bundle", "type": "collection"}
    Bundle.model_validate(bundle([]))


def test_an_observation_without_a_model_has_the_words() -> None:
    (mention,) = read("Meniscal tear.").mentions
    assert observation("a", mention)["code"] == {"text": mention.text}
