"""What an examination is of: where findings are that are named without a place."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.document import DATA, roots
from findingmodel.text.tables import sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from findingmodel.reports.concepts import Concepts
    from findingmodel.reports.document import Document

_WORD_VOTES = 4  # of a word that names the examination, against one of each place
_MODALITIES = {
    "xr": (
        "cxr",
        "radiograph",
        "radiographs",
        "x ray",
        "portable",
        "xray",
        "ap",
        "pa",
        "kub",
        "film",
        "plain",
    ),
    "ct": ("ct", "ctpa", "cta", "hounsfield", "hu", "tomography", "attenuation", "cect", "ncct"),
    "mr": ("mr", "mri", "t1", "t2", "flair", "dwi", "adc", "gadolinium", "mra", "signal", "stir"),
    "us": (
        "us",
        "ultrasound",
        "sonographic",
        "sonography",
        "echogenic",
        "hypoechoic",
        "doppler",
        "echogenicity",
        "hyperechoic",
    ),
    "mg": ("mammogram", "mammography", "birads", "bi rads", "tomosynthesis"),
}


class Exam(NamedTuple):
    """The examination that a report is about.

    Attributes:
        region: a title of ``places.txt``, or "" if the report does not tell.
        modality: "xr", "ct", "mr", "us", "mg", or "".
        places: the concepts of its default places, each with how surely.
    """

    region: str
    modality: str
    places: Mapping[int, float]


class Exams:
    """Recognizes examinations."""

    def __init__(self, concepts: Concepts, regions: Mapping[int, str]) -> None:
        self._concepts = concepts
        self._regions = regions
        self._places = {
            region: _graded(concepts.of_stems(roots(place))[:1] for place in places)
            for region, (_, places) in _table().items()
        }

    def of(self, document: Document, described_as: str = "") -> Exam:
        """Return the examination of *document*; *described_as* is its name, if it is known."""
        texts = [" ".join([word.text for word in sentence.words]) for sentence in document.sentences]
        texts.append(" ".join(described_as.lower().replace("/", " ").split()))
        text = f" {' '.join(texts)} "
        votes: Counter[str] = Counter()
        for region, (words, _) in _table().items():
            votes[region] += _WORD_VOTES * sum(f" {word} " in text for word in words)
        stems = [word.stem for sentence in document.sentences for word in (*sentence.topic, *sentence.words)]
        stems += roots(described_as)
        for term in self._concepts.terms(stems):
            for concept in term.concepts:
                if concept in self._regions:
                    votes[self._regions[concept]] += 1
        most = max(votes.values(), default=0)
        region = max(votes, key=lambda one: votes[one]) if most else ""
        return Exam(region, _modality(text), self._places.get(region, {}))


def _graded(places: Iterable[list[int]]) -> dict[int, float]:
    """Return each place with how surely a finding without a place is there, the first most."""
    return {ids[0]: 0.5 - 0.04 * number for number, ids in enumerate(places) if ids}


def _modality(text: str) -> str:
    counts = {name: sum(f" {word} " in text for word in words) for name, words in _MODALITIES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


@cache
def _table() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = {}
    for region, body in sections(DATA / "exams.txt"):
        fields = {name: rest for name, _, rest in (line.partition(": ") for line in body)}
        words = tuple(word.strip() for word in fields.get("words", "").split(",") if word.strip())
        places = tuple(place.strip() for place in fields["places"].split(","))
        found[region] = (words, places)
    return found
