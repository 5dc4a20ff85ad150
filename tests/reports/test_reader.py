"""Where reports name findings, and which models these are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.reports.values import as_document
from tests.reports.report_index import names, only, read, reader


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pneumothorax.", ["pneumothorax"]),
        ("PTX", ["pneumothorax"]),
        ("Lung nodule.", ["pulmonary nodule"]),
        ("Nodules in both lungs.", ["multiple pulmonary nodules"]),
        ("A nodule in the right upper lobe.", ["pulmonary nodule"]),
        ("Nodule of the thyroid.", ["thyroid nodule"]),
        ("Fluid in the left pleural space.", ["pleural effusion"]),
        ("The right and left pleural effusions are larger.", ["pleural effusion"]),
        ("The heart is enlarged.", ["cardiomegaly"]),
        ("Cardiac silhouette enlarged.", ["cardiomegaly"]),
        ("The abdominal aorta is aneurysmal.", ["abdominal aortic aneurysm"]),
        ("The gallbladder contains several small stones.", ["gallstone"]),
        ("Two nonobstructing stones in the left kidney.", ["kidney stone"]),
        ("Hilar lymphadenopathy.", ["mediastinal or hilar lymph node enlargement"]),
        ("Left lower lobe collapse.", ["atelectasis"]),
        ("Thrombus in the portal vein.", ["portal vein thrombosis"]),
        ("T11 compression fracture.", ["vertebral compression fracture"]),
        ("Mild hydronephrosis and perinephric stranding.", ["hydronephrosis", ""]),
        ("Enlarged liver.", ["hepatomegaly"]),
        ("Pnuemothorax and cholecystitsi.", ["pneumothorax", "cholecystitis"]),
        (
            "Atelectasis, pneumothorax, cardiomegaly, pleural effusion, hiatal hernia and scoliosis.",
            [
                *("atelectasis", "pneumothorax", "cardiomegaly", "pleural effusion"),
                *("hiatal hernia", "scoliosis"),
            ],
        ),
        (
            "Cardiomegaly with pulmonary vascular congestion and interstitial edema.",
            ["cardiomegaly", "pulmonary vascular congestion", "pulmonary edema"],
        ),
    ],
)
def test_the_right_model_is_first(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("text", "exam", "expected"),
    [
        ("CXR. No effusion.", "", "pleural effusion"),
        ("No effusion.", "MR knee", "joint effusion"),
        ("Mass at 3 o'clock.", "mammogram", "breast mass"),
        ("LUNGS: 4 mm nodule.", "", "pulmonary nodule"),
        ("The thyroid is heterogeneous. There is a nodule in the right lobe.", "", "thyroid nodule"),
        ("Acute hemorrhage.", "CT head", "intracranial hemorrhage"),
    ],
)
def test_a_finding_without_a_place_is_where_the_exam_or_the_heading_says(
    text: str, exam: str, expected: str
) -> None:
    assert expected in names(text, exam)


@pytest.mark.parametrize(
    "text",
    [
        "The lungs are clear.",
        "Heart size is normal.",
        "The gallbladder is unremarkable.",
        "The common bile duct measures 4 mm.",
        "The appendix is normal.",
        "Bowel gas pattern is nonobstructive.",
        "The aorta is of normal caliber.",
        "Liver, spleen and pancreas appear normal.",
        "The trachea is midline.",
        "The portal vein is patent.",
        "The menisci are intact.",
        "The kidneys are within normal limits.",
    ],
)
def test_statements_of_normality_name_no_finding(text: str) -> None:
    reading = read(text)
    assert [one for one in reading.mentions if one.certainty == "present"] == []


def test_statements_of_normality_are_listed() -> None:
    text = "No pneumothorax. The heart is normal in size and the lungs are clear."
    assert [one.text for one in read(text).normal] == ["The heart is normal in size", "the lungs are clear"]


def test_a_normal_size_denies_that_it_is_enlarged_and_nothing_else_is_concluded() -> None:
    heart, valves, spleen = read(
        "Heart size is normal. The heart valves are normal. The spleen is unremarkable."
    ).normal
    assert (heart.denies, valves.denies, spleen.denies) == (("cardiomegaly",), (), ("splenomegaly",))


def test_a_heading_may_name_the_finding() -> None:
    mention = only("PNEUMOTHORAX: small, on the left.")
    assert (mention.text, mention.certainty, mention.laterality) == ("PNEUMOTHORAX", "present", "left")


def test_what_is_said_of_a_mention() -> None:
    nodule, effusion = read(
        "A 6 x 4 mm nodule in the left lung is unchanged. Right pleural effusion has increased."
    ).mentions
    assert (nodule.laterality, nodule.change) == ("left", "unchanged")
    assert [(one.values, one.unit) for one in nodule.measurements] == [((6.0, 4.0), "mm")]
    assert (effusion.laterality, effusion.change, effusion.measurements) == ("right", "increased", ())


def test_levels_are_stated_alone_in_lists_and_in_headings() -> None:
    assert only("Compression fracture of T12.").level == "T12"
    assert only("T11 and T12 compression fractures.").level == "T11, T12"
    assert only("L4-L5: Spinal canal stenosis.").level == "L4-L5"


def test_a_measurement_belongs_to_the_finding_that_it_measures() -> None:
    first, second = read("Renal cyst measuring 2 cm and a 5 mm kidney stone.").mentions
    assert [one.text for one in first.measurements] == ["2 cm"]
    assert [one.text for one in second.measurements] == ["5 mm"]


def test_a_finding_that_the_index_lacks_is_a_mention_without_a_model() -> None:
    mention = only("Meniscal tear.")
    assert (mention.hits, mention.status, mention.best) == ((), "unmatched", None)


def test_status_tells_whether_the_first_model_is_clearly_the_best() -> None:
    assert only("Left pneumothorax.").status == "matched"


def test_hits_are_limited() -> None:
    assert len(only("Lung nodules.").hits) > 1
    assert [len(one.hits) for one in reader().read("Lung nodules.", limit=1).mentions] == [1]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_and_its_offsets_are_of_the_text(text: str) -> None:
    reading = read(text)
    last = 0
    for mention in reading.mentions:
        assert reading.text[mention.start : mention.end] == mention.text
        assert last <= mention.start < mention.end
        last = mention.end
    assert as_document(reading)["text"] == text


PIECES = [
    "No",
    "pneumothorax",
    ",",
    "or",
    "pleural effusion",
    ".",
    "possible",
    "nodule",
    "in the left lung",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_reading_twice_gives_the_same_and_mentions_do_not_overlap(pieces: list[str]) -> None:
    text = " ".join(pieces)
    reading = read(text)
    assert reading == read(text)
    ends = [mention.end for mention in reading.mentions]
    starts = [mention.start for mention in reading.mentions]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
