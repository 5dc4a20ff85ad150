"""Read a report: from text to sections, sentences, mentions, and how certain each is. No input or output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.reports.document import DATA, parse_document
from findingmodel.reports.exams import Exams
from findingmodel.reports.linking import Linker
from findingmodel.reports.sentence import SentenceReader
from findingmodel.reports.spelling import Corrector
from findingmodel.reports.values import ReportReading, ReportSection
from findingmodel.text.tables import sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from findingmodel.reports.lexicon import Lexicon
    from findingmodel.reports.values import Mention, NormalStatement

_UNREAD = frozenset(("technique",))


class ReportReader:
    """Reads reports with the labels of one index.

    Args:
        lexicon: the labels.

    >>> from findingmodel.stores.records import LabelRow
    >>> from findingmodel.reports.lexicon import Lexicon
    >>> from findingmodel.text.terms import analyze_entry
    >>> rows = [LabelRow("OIFM_X_000001", "pneumothorax", (), analyze_entry("pneumothorax", (), "", ()))]
    >>> reading = ReportReader(Lexicon(rows)).read("No pneumothorax.")
    >>> [(mention.text, mention.certainty, mention.hits[0].name) for mention in reading.mentions]
    [('pneumothorax', 'absent', 'pneumothorax')]
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._exams = Exams(lexicon.concepts, lexicon.kinds.regions)
        self._linker = Linker(lexicon)
        self._corrector = Corrector(lexicon)
        of = lexicon.concepts.of
        self._denials = [(frozenset(of(place)), finding) for place, finding in _denials()]

    def read(self, text: str, exam: str = "", limit: int = 5) -> ReportReading:
        """Return what *text* says.

        Args:
            text: a report, or a part of one.
            exam: the name of the examination, such as "CT chest", where the text does not tell.
            limit: the most hits per mention.
        """
        document = parse_document(text)
        sentences = [self._corrector.corrected(sentence) for sentence in document.sentences]
        examined = self._exams.of(document, exam)
        mentions: list[Mention] = []
        normal: list[NormalStatement] = []
        carried: Mapping[int, float] = {}
        for sentence in sentences:
            if sentence.section in _UNREAD:
                continue
            reading = SentenceReader(self.lexicon, self._linker, text, sentence, examined, carried)
            found = reading.mentions(limit)
            mentions += found
            normal += [
                one._replace(denies=self._denied(one.text))
                for one in reading.normal()
                if not any(one.touches(mention) for mention in found)
            ]
            carried = reading.places() or carried
        return ReportReading(
            text,
            tuple(ReportSection(*section) for section in document.sections),
            tuple(mentions),
            tuple(normal),
            len(sentences),
            examined.region,
            examined.modality,
        )

    def _denied(self, statement: str) -> tuple[str, ...]:
        """Return the findings that a statement of normality denies, if it is about nothing else."""
        concepts = set(self.lexicon.concepts.of(statement))
        places = concepts & self.lexicon.kinds.places
        return tuple(finding for place, finding in self._denials if place <= concepts and places <= place)


def _denials() -> list[tuple[str, str]]:
    """Return the places of the table whose normality denies a finding, each with the finding."""
    pairs = (line.partition(": ") for line in dict(sections(DATA / "normal.txt"))["denied"])
    return [(place, finding) for place, _, finding in pairs]
