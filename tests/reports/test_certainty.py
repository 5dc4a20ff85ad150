"""What is present, absent, possible, historical or only asked about, by kinds of phrases."""

from __future__ import annotations

import pytest

from findingmodel.text.cues import CueTable, denied
from tests.reports.report_index import certainties, only, read

PRESENT = [
    "Findings most consistent with pneumonia.",
    "Findings compatible with pulmonary edema.",
    "Residual small pneumothorax.",
    "Persistent left pleural effusion, not significantly changed.",
    "Unchanged cardiomegaly.",
    "Cardiomegaly, as before.",
    "Redemonstrated is a hiatal hernia.",
    "Again seen is scoliosis.",
    "Non-displaced rib fracture.",
    "Nonobstructing kidney stone.",
    "Chronic rib fracture.",
    "New rib fracture.",
    "There is a pneumothorax.",
    "CT without contrast shows a kidney stone.",
    "No prior for comparison, cardiomegaly is present.",
    "No previous radiographs. Cardiomegaly.",
    "The pneumothorax has not resolved.",
    "Fracture of rib no. 5.",
    "No change in the pleural effusion.",
    "No significant interval change in cardiomegaly.",
    "Not only scoliosis is seen.",
    "The opacities are consistent with pneumonia.",
    "Findings are in keeping with pulmonary edema.",
    "The hydronephrosis is not increased.",
    "Pleural effusion, not well seen on the prior study.",
]
ABSENT = [
    "There is no focal airspace consolidation, pleural effusion, or pneumothorax.",
    "Without evidence of pulmonary embolism.",
    "CTPA negative for PE.",
    "No CT evidence of acute appendicitis.",
    "No residual or recurrent pneumothorax.",
    "Previously noted effusion not seen today.",
    "Hydronephrosis has not developed.",
    "There has been no development of hydronephrosis.",
    "Neither pneumothorax nor effusion is present.",
    "Pneumothorax: Absent.",
    "Appendicitis - no.",
    "no e/o pneumothorax",
    "Lungs are without consolidation.",
    "Lungs: No consolidation or pneumothorax.",
    "The lungs are clear without consolidation.",
    "No hiatal hernia or other abnormality.",
    "Rib fracture is not demonstrated on this exam.",
    "I do not see a pneumothorax.",
    "We see no evidence of hydronephrosis.",
    "Pulmonary embolism excluded.",
    "Pulmonary embolism has been excluded.",
    "No pneumothorax.",
    "There is no evidence of pneumothorax.",
    "No convincing radiographic evidence of pneumonia.",
    "Negative for pulmonary embolism.",
    "Absence of hydronephrosis.",
    "Pneumothorax has not been seen.",
    "A rib fracture is not identified.",
    "The lungs are free of consolidation.",
    "The patient denied any hiatal hernia.",
    "Clear of consolidation.",
    "Pneumothorax: none.",
    "Pneumothorax:none",
    "Pneumothorax: not seen.",
    "-ve for pneumonia.",
    "Without cholelithiasis.",
    "CT fails to demonstrate appendicitis.",
    "Lack of hydronephrosis.",
    "Neither scoliosis.",
    "Appendicitis was ruled out.",
    "She never developed pneumonia.",
    "No history of pulmonary embolism.",
]
POSSIBLE = [
    "Cannot rule out small pneumothorax.",
    "Findings suggestive of pneumonia.",
    "Pneumonia is a consideration.",
    "Differential includes pneumonia.",
    "Possibly representing pneumonia.",
    "Appearance raises suspicion for appendicitis.",
    "Probable rib fracture.",
    "Questionable hydronephrosis is noted.",
    "? early pneumonia.",
    "Pulmonary edema versus pneumonia.",
    "Pulmonary embolism has not been excluded.",
    "Pneumonia cannot be entirely excluded.",
    "Pneumonia not entirely excluded.",
    "It is difficult to exclude pneumonia.",
    "Underlying pneumonia is not ruled out.",
    "Possible pneumonia.",
    "Opacity, likely pneumonia.",
    "Pneumonia cannot be excluded.",
    "Cannot exclude pneumonia.",
    "A rib fracture is suspected.",
    "This may represent pneumonia.",
    "Suspicious for pulmonary embolism.",
    "Findings raise concern for appendicitis.",
    "Questionable pneumothorax.",
    "? pneumonia",
    "Pulmonary embolism is unlikely.",
    "Pneumonia is not excluded.",
    "Appearances are most likely pulmonary edema.",
    "Could represent atelectasis.",
]
HISTORICAL = [
    "Previously seen pneumothorax has resolved.",
    "Interval resolution of the left pleural effusion.",
    "Status post removal of central line.",
    "The pleural effusion seen on the prior study is no longer visualized.",
    "Prior history of pulmonary embolism.",
    "Known history of kidney stone.",
    "Post cholecystitis.",
    "History of pulmonary embolism.",
    "Status post cholecystitis.",
    "Prior rib fracture.",
    "Old rib fracture.",
    "The pneumothorax has resolved.",
    "Pneumonia has since cleared.",
    "A central line is no longer present.",
    "Interval removal of the central venous catheter.",
]
INDICATION = [
    "Clinical question: PE?",
    "Reason for exam: r/o pneumonia",
    "CT recommended to exclude pulmonary embolism.",
    "If there is concern for pulmonary embolism, CTPA is recommended.",
    "Consider CT to evaluate for pulmonary nodule.",
    "Evaluate for pneumonia.",
    "Rule out appendicitis.",
    "r/o PE",
    "CT is recommended to assess for pulmonary embolism.",
    "MR suggested if fracture remains a concern.",
    "Follow-up of hydronephrosis.",
]


@pytest.mark.parametrize(
    ("certainty", "text"),
    [
        *(("present", text) for text in PRESENT),
        *(("absent", text) for text in ABSENT),
        *(("possible", text) for text in POSSIBLE),
        *(("historical", text) for text in HISTORICAL),
        *(("indication", text) for text in INDICATION),
    ],
)
def test_certainty_of_the_finding(certainty: str, text: str) -> None:
    mentions = [one for one in read(text).mentions if one.text.lower() != "opacity"]
    assert [mention.certainty for mention in mentions] == [certainty] * len(mentions)
    assert mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No pneumothorax, pneumonia or atelectasis.", ["absent", "absent", "absent"]),
        ("No pneumothorax, small pleural effusion.", ["absent", "present"]),
        ("No pneumothorax but pneumonia.", ["absent", "present"]),
        ("Without pneumonia or atelectasis.", ["absent", "absent"]),
        ("No pneumothorax and the heart is enlarged.", ["absent", "present"]),
        ("Pneumothorax and rib fracture are absent.", ["absent", "absent"]),
        ("Scoliosis, pneumothorax is not seen.", ["present", "absent"]),
        ("Cardiomegaly with possible pneumonia.", ["present", "possible"]),
        ("Suspicious for pneumonia or pulmonary embolism.", ["possible", "possible"]),
        ("Effusion: none, pneumothorax: none", ["absent", "absent"]),
        ("PNEUMONIA:none ATELECTASIS: none", ["absent", "absent"]),
        ("No pneumothorax is seen; hiatal hernia.", ["absent", "present"]),
        ("Pneumonia versus atelectasis.", ["possible", "possible"]),
        ("No evidence of pneumonia; however, scoliosis is noted.", ["absent", "present"]),
    ],
)
def test_scopes_in_lists(text: str, expected: list[str]) -> None:
    assert [certainty for _, certainty in certainties(text)] == expected


def test_a_request_is_asked_about_but_its_history_is_history() -> None:
    text = "INDICATION: Cough, pneumonia. History of pulmonary embolism.\nFINDINGS: Pneumothorax."
    assert [certainty for _, certainty in certainties(text)] == ["indication", "historical", "present"]
    assert only("HISTORY: Appendicitis.").certainty == "historical"
    assert only("COMPARISON: CT in May, when pulmonary embolism was seen.").certainty == "historical"


@pytest.mark.parametrize(
    "text",
    [
        "Family history of aortic aneurysm.",
        "His mother had a pulmonary embolism.",
        "Pulmonary embolism protocol.",
        "AAA screening.",
    ],
)
def test_what_is_not_said_of_the_patient_is_not_a_mention(text: str) -> None:
    assert read(text).mentions == ()


def test_the_cue_that_decided_is_quoted() -> None:
    text = "There is no evidence of pneumothorax."
    cue = only(text).cue
    assert cue is not None
    assert cue.text == text[cue.start : cue.end] == "no evidence of"


def test_words_a_sentence_denies() -> None:
    words = ["no", "nodule", "or", "mass", "but", "a", "cyst"]
    assert {words[position] for position in denied(words)} == {"nodule", "or", "mass"}
    assert denied(["study", "without", "contrast", "shows", "stone"]) == frozenset()


def test_a_table_of_cues_may_have_gaps_and_alternatives() -> None:
    table = CueTable({"absent before": ["no * evidence of/for"], "stop": ["but"]})
    words = ["no", "clear", "ct", "evidence", "for", "stone", "but", "cyst"]
    (scope,) = table.scopes(words)
    assert words[scope.start : scope.end] == ["stone"]
