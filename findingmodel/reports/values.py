"""What reading a report gives: `ReportReading` and its parts, which know nothing of how they are shown."""

from __future__ import annotations

from typing import Any, NamedTuple

SECTIONS = ("indication", "history", "technique", "comparison", "findings", "impression")
CHANGES = ("new", "unchanged", "increased", "decreased", "resolved")


class Quote(NamedTuple):
    """Words of the report.

    Attributes:
        start, end: their offsets in the text as given.
        text: the words.
    """

    start: int
    end: int
    text: str


class MentionHit(NamedTuple):
    """A model that a mention may mean.

    Attributes:
        oifm_id, name: of the model.
        score: from 0 to 1, how likely it is the right one.
        label: the name or synonym that fits, as stems; "" if the search found it.
    """

    oifm_id: str
    name: str
    score: float
    label: str = ""


class Measurement(NamedTuple):
    """A measurement.

    Attributes:
        start, end, text: the words of the report.
        values: the numbers; several for "1.8 x 1.2 cm" and for a range.
        unit: as UCUM code (https://ucum.org), such as "mm" or "[hnsf'U]".
        is_range: whether the values are the ends of a range.
    """

    start: int
    end: int
    text: str
    values: tuple[float, ...]
    unit: str
    is_range: bool = False

    @property
    def largest(self) -> float:
        """The greatest of the values."""
        return max(self.values)


class FilledAttribute(NamedTuple):
    """An attribute of a mention's model with the value that the report states.

    Attributes:
        oifma_id, name: of the attribute.
        value_code, value: of a choice; None and "" for a number.
        number, unit: of a numeric attribute, in its unit; None and "" for a choice.
        source: the words that it comes from; None for presence that no cue decides.
        confidence: from 0 to 1.
    """

    oifma_id: str
    name: str
    value_code: str | None
    value: str
    number: float | None
    unit: str
    source: Quote | None
    confidence: float


class Mention(NamedTuple):
    """A finding that a report names.

    Attributes:
        start, end, text: the words that name it.
        certainty: "present", "absent", "possible", "historical" or "indication".
        cue: the words that decided the certainty; None if the section did, or none were needed.
        section: the section of the report.
        hits: the models it may mean, best first; empty if the index has none.
        status: "matched" if the first hit is clearly the best, "ambiguous", or "unmatched".
        laterality: "left", "right", "bilateral", "unilateral", "midline", or "" if not stated.
        level: the spinal level as stated, such as "L4-L5", or "".
        change: one of `CHANGES`, or "" if not stated.
        measurements: those that belong to it.
        attributes: attributes of the first hit that the report states.
        alternatives: ids of models of other readings of the same words, which were given up for this one.
        clause: the offsets of the words that are said of it.
    """

    start: int
    end: int
    text: str
    certainty: str
    section: str
    cue: Quote | None = None
    hits: tuple[MentionHit, ...] = ()
    status: str = "unmatched"
    laterality: str = ""
    level: str = ""
    change: str = ""
    measurements: tuple[Measurement, ...] = ()
    attributes: tuple[FilledAttribute, ...] = ()
    alternatives: tuple[str, ...] = ()
    clause: tuple[int, int] = (0, 0)

    @property
    def best(self) -> MentionHit | None:
        """The first hit, or None."""
        return self.hits[0] if self.hits else None


class NormalStatement(NamedTuple):
    """A statement that something is normal, which names no finding.

    Attributes:
        start, end, text: the statement.
        denies: names of the findings that it certainly denies: a normal heart size denies cardiomegaly.
    """

    start: int
    end: int
    text: str
    denies: tuple[str, ...] = ()

    def touches(self, mention: Mention) -> bool:
        """Return whether the words of *mention* are among its own."""
        return self.start < mention.end and mention.start < self.end


class ReportSection(NamedTuple):
    """A section of a report: its name, its offsets without the heading, and the heading as written."""

    name: str
    start: int
    end: int
    heading: str = ""


class ReportReading(NamedTuple):
    """What a report says.

    Attributes:
        text: the report as given; all offsets are into it.
        sections: its sections, in order.
        mentions: the findings that it names, in order.
        normal: the statements of normality.
        sentences: how many sentences it has.
        region, modality: what was examined and how, as the report tells: "chest", "ct"; or "".
    """

    text: str
    sections: tuple[ReportSection, ...] = ()
    mentions: tuple[Mention, ...] = ()
    normal: tuple[NormalStatement, ...] = ()
    sentences: int = 0
    region: str = ""
    modality: str = ""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return one flat dict per mention, with names beside ids, ready for a table or JSON.

        >>> ReportReading("No PE.").to_dicts()
        []
        """
        return [_row(mention) for mention in self.mentions]


def _row(mention: Mention) -> dict[str, Any]:
    best = mention.best
    return {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "section": mention.section,
        "certainty": mention.certainty,
        "cue": mention.cue.text if mention.cue else "",
        "status": mention.status,
        "oifm_id": best.oifm_id if best else "",
        "name": best.name if best else "",
        "score": best.score if best else 0.0,
        "laterality": mention.laterality,
        "level": mention.level,
        "change": mention.change,
        "measurements": "; ".join(measurement.text for measurement in mention.measurements),
        "attributes": [_facts(filled) for filled in mention.attributes],
        "others": [hit.oifm_id for hit in mention.hits[1:]],
    }


def _facts(filled: FilledAttribute) -> dict[str, Any]:
    facts = filled._asdict()
    facts["source"] = filled.source.text if filled.source else ""
    return facts


def as_document(reading: ReportReading) -> dict[str, Any]:
    """Return all of *reading* as values ready for JSON."""
    return {
        **reading._asdict(),
        "sections": [section._asdict() for section in reading.sections],
        "mentions": [_mention(mention) for mention in reading.mentions],
        "normal": [statement._asdict() for statement in reading.normal],
    }


def _mention(mention: Mention) -> dict[str, Any]:
    return {
        **mention._asdict(),
        "cue": _quote(mention.cue),
        "hits": [hit._asdict() for hit in mention.hits],
        "measurements": [measurement._asdict() for measurement in mention.measurements],
        "attributes": [{**one._asdict(), "source": _quote(one.source)} for one in mention.attributes],
    }


def _quote(quote: Quote | None) -> dict[str, Any] | None:
    return quote._asdict() if quote else None
