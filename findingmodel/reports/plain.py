"""Show a reading as text: the report with numbered marks, and a table of what each mark means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.reports.values import Mention, ReportReading

    Paint = Callable[[str, str], str]

_SIGNS = {"present": "+", "absent": "-", "possible": "?", "historical": "<", "indication": ">"}
COLUMNS = ("#", "words", "certainty", "model", "name", "said of it", "attributes")


def unpainted(text: str, certainty: str) -> str:
    """Return *text*: the paint of a file."""
    return text


def marked_text(reading: ReportReading, paint: Paint = unpainted) -> str:
    """Return the text with each mention in brackets, with its number and a sign of its certainty.

    Signs: "+" present, "-" absent, "?" possible, "<" historical, ">" asked about. *paint* is called with each
    marked text and its certainty.

    >>> from findingmodel.reports.values import Mention, ReportReading
    >>> mention = Mention(3, 5, "PE", "absent", "findings")
    >>> marked_text(ReportReading("No PE.", mentions=(mention,)))
    'No [PE]1-.'
    """
    return "".join(_pieces(reading, paint))


def _pieces(reading: ReportReading, paint: Paint) -> Iterator[str]:
    last = 0
    for number, mention in enumerate(reading.mentions, 1):
        yield reading.text[last : mention.start]
        words = reading.text[mention.start : mention.end]
        yield paint(f"[{words}]{number}{_SIGNS[mention.certainty]}", mention.certainty)
        last = mention.end
    yield reading.text[last:]


def table_rows(reading: ReportReading) -> list[tuple[str, ...]]:
    """Return a row for each mention, with the cells of `COLUMNS`."""
    return [_row(number, mention) for number, mention in enumerate(reading.mentions, 1)]


def _row(number: int, mention: Mention) -> tuple[str, ...]:
    best = mention.best
    sizes = (measurement.text for measurement in mention.measurements)
    said = [part for part in (mention.laterality, mention.level, mention.change, *sizes) if part]
    return (
        f"{number}{_SIGNS[mention.certainty]}",
        " ".join(mention.text.split()),
        mention.certainty + (f": {mention.cue.text}" if mention.cue else ""),
        best.oifm_id if best else "",
        best.name if best else "",
        ", ".join(said),
        "; ".join(_attributes(mention)),
    )


def _attributes(mention: Mention) -> Iterator[str]:
    for filled in mention.attributes:
        value = filled.value if filled.number is None else f"{filled.number:g} {filled.unit}"
        yield f"{filled.name}: {value}"
