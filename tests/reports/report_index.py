"""A small index for tests of reports: some findings of each region of the body."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from findingmodel.reports.lexicon import Lexicon
from findingmodel.reports.reader import ReportReader
from findingmodel.stores.records import LabelRow
from findingmodel.text.terms import analyze_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.reports.values import Mention, ReportReading

FINDINGS: tuple[tuple[str, Sequence[str], Sequence[str]], ...] = (
    ("pneumothorax", ["PTX"], ["chest", "XR"]),
    ("tension pneumothorax", [], ["chest", "XR"]),
    ("pleural effusion", ["pleural fluid"], ["chest"]),
    ("pericardial effusion", [], ["cardiac"]),
    ("pulmonary nodule", ["lung nodule"], ["chest"]),
    ("multiple pulmonary nodules", ["lung nodules"], ["chest"]),
    ("pulmonary mass", ["lung mass"], ["chest"]),
    ("pneumonia", [], ["chest"]),
    ("airspace consolidation", ["consolidation"], ["chest"]),
    ("pulmonary edema", ["interstitial edema"], ["chest"]),
    ("pulmonary vascular congestion", [], ["chest"]),
    ("atelectasis", ["lung collapse"], ["chest"]),
    ("cardiomegaly", ["enlarged heart"], ["cardiac", "chest"]),
    ("pulmonary embolism", ["PE"], ["chest", "CT"]),
    ("mediastinal or hilar lymph node enlargement", [], ["chest"]),
    ("rib fracture", [], ["musculoskeletal"]),
    ("central venous catheter", ["central line"], ["chest"]),
    ("endotracheal tube", ["ETT"], ["chest"]),
    ("thyroid nodule", [], ["neck", "US"]),
    ("gallstone", ["cholelithiasis"], ["abdomen"]),
    ("cholecystitis", [], ["abdomen"]),
    ("renal cyst", [], ["abdomen"]),
    ("kidney stone", ["nephrolithiasis"], ["abdomen"]),
    ("hydronephrosis", [], ["abdomen"]),
    ("hepatomegaly", [], ["abdomen"]),
    ("liver lesion", [], ["abdomen"]),
    ("appendicitis", [], ["abdomen"]),
    ("abdominal aortic aneurysm", ["AAA"], ["vascular"]),
    ("aortic aneurysm", [], ["vascular"]),
    ("portal vein thrombosis", [], ["vascular"]),
    ("intracranial hemorrhage", [], ["neuro"]),
    ("cerebral infarction", [], ["neuro"]),
    ("vertebral compression fracture", [], ["spine"]),
    ("spinal canal stenosis", [], ["spine"]),
    ("joint effusion", [], ["musculoskeletal"]),
    ("breast mass", [], ["breast"]),
    ("scoliosis", [], ["spine"]),
    ("hiatal hernia", [], ["abdomen"]),
    ("fracture", [], ["musculoskeletal"]),
)


def rows() -> list[LabelRow]:
    return [
        LabelRow(f"OIFM_TEST_{number:06}", name, tuple(synonyms), analyze_entry(name, synonyms, "", tags))
        for number, (name, synonyms, tags) in enumerate(FINDINGS)
    ]


@cache
def reader() -> ReportReader:
    return ReportReader(Lexicon(rows()))


def read(text: str, exam: str = "") -> ReportReading:
    return reader().read(text, exam)


def names(text: str, exam: str = "") -> list[str]:
    """Return the name of the first model of each mention; "" if it has none."""
    return [mention.best.name if mention.best else "" for mention in read(text, exam).mentions]


def certainties(text: str) -> list[tuple[str, str]]:
    return [(mention.text.lower(), mention.certainty) for mention in read(text).mentions]


def only(text: str) -> Mention:
    (mention,) = read(text).mentions
    return mention
