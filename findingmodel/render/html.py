"""A finding model as HTML for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from findingmodel.model.attributes import ChoiceAttributeIded
from findingmodel.render.markdown import number_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.index.results import IndexEntry, SearchHit
    from findingmodel.model.attributes import AttributeIded
    from findingmodel.model.finding import FindingModelFull

__all__ = ["entries_html", "entry_html", "facts", "hit_html", "hits_html", "listed", "model_html", "table"]

_ENTRY_HEADINGS = ("id", "name", "synonyms", "tags", "description")
_HIT_HEADINGS = ("id", "name", "score", "found by", "tags", "description")


def entry_html(entry: IndexEntry) -> str:
    """Return all that *entry* says, a fact in each row."""
    return facts(entry.name, _entry_facts(entry))


def hit_html(hit: SearchHit) -> str:
    """As `entry_html`, with the score of *hit* and why it was found."""
    return facts(hit.name, [("score", _score(hit)), ("found by", _reasons(hit)), *_entry_facts(hit)])


def entries_html(entries: Iterable[IndexEntry], caption: str = "") -> str:
    """Return a table with a row for each of *entries*."""
    rows = [
        (entry.oifm_id, entry.name, listed(entry.synonyms), listed(entry.tags), entry.description or "")
        for entry in entries
    ]
    return table(_ENTRY_HEADINGS, rows, caption)


def hits_html(hits: Iterable[SearchHit], caption: str = "") -> str:
    """Return a table with a row for each of *hits*."""
    rows = [
        (hit.oifm_id, hit.name, _score(hit), _reasons(hit), listed(hit.tags), hit.description or "")
        for hit in hits
    ]
    return table(_HIT_HEADINGS, rows, caption)


def _entry_facts(entry: IndexEntry) -> list[tuple[str, str]]:
    return [
        ("id", entry.oifm_id),
        ("description", entry.description or ""),
        ("synonyms", listed(entry.synonyms)),
        ("tags", listed(entry.tags)),
        ("contributors", listed(entry.contributors)),
        ("attributes", listed(attribute.name for attribute in entry.attributes)),
        ("file", entry.filename),
    ]


def _score(hit: SearchHit) -> str:
    return f"{hit.score:.2f}"


def _reasons(hit: SearchHit) -> str:
    reasons = dict.fromkeys(f"{match.field}: {' '.join(match.terms)}" for match in hit.matched)
    return "; ".join([*reasons, *(["denied"] if hit.negated else [])])


def listed(texts: Iterable[str] | None) -> str:
    """Return *texts* in one line."""
    return ", ".join(texts or ())


def facts(title: str, told: Iterable[tuple[str, str]]) -> str:
    """Return a table called *title* with a fact in each row; those without a text are left out."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in told if text)
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table of *rows* below *headings*."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def model_html(model: FindingModelFull) -> str:
    """Return what *model* is, and a table of its attributes."""
    told = [
        ("id", model.oifm_id),
        ("description", model.description),
        ("synonyms", listed(model.synonyms)),
        ("tags", listed(model.tags)),
        ("codes", model.index_codes_str or ""),
    ]
    rows = [
        (attribute.oifma_id, attribute.name, attribute.type.value, _may_be(attribute))
        for attribute in model.attributes
    ]
    return facts(model.name, told) + table(("id", "attribute", "type", "values"), rows)


def _may_be(attribute: AttributeIded) -> str:
    if isinstance(attribute, ChoiceAttributeIded):
        return listed(value.name for value in attribute.values)
    return number_range(attribute)
