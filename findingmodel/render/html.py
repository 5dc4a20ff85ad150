"""Finding models, entries and hits as HTML tables for notebooks; all text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from findingmodel.render.markdown import number_range
from findingmodel.render.protocols import is_choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.render.protocols import ChoiceAttribute, Entry, Hit, NumericAttribute, RegisteredFinding

_ENTRY_HEADINGS = ("id", "name", "synonyms", "tags", "description")
_HIT_HEADINGS = ("id", "name", "score", "found by", "tags", "description")


def entry_html(entry: Entry) -> str:
    """Return a table of the fields of *entry*."""
    return facts(entry.name, _entry_facts(entry))


def hit_html(hit: Hit) -> str:
    """Return a table of the fields of *hit*, with its score and the reasons why it was found."""
    return facts(hit.name, [("score", _score(hit)), ("found by", _reasons(hit)), *_entry_facts(hit)])


def entries_html(entries: Iterable[Entry], caption: str = "") -> str:
    """Return a table with a row for each of *entries*."""
    rows = [
        (entry.oifm_id, entry.name, listed(entry.synonyms), listed(entry.tags), entry.description or "")
        for entry in entries
    ]
    return table(_ENTRY_HEADINGS, rows, caption)


def hits_html(hits: Iterable[Hit], caption: str = "") -> str:
    """Return a table with a row for each of *hits*."""
    rows = [
        (hit.oifm_id, hit.name, _score(hit), _reasons(hit), listed(hit.tags), hit.description or "")
        for hit in hits
    ]
    return table(_HIT_HEADINGS, rows, caption)


def _entry_facts(entry: Entry) -> list[tuple[str, str]]:
    return [
        ("id", entry.oifm_id),
        ("description", entry.description or ""),
        ("synonyms", listed(entry.synonyms)),
        ("tags", listed(entry.tags)),
        ("contributors", listed(entry.contributors)),
        ("attributes", listed(attribute.name for attribute in entry.attributes)),
        ("file", entry.filename),
    ]


def _score(hit: Hit) -> str:
    return f"{hit.score:.2f}"


def _reasons(hit: Hit) -> str:
    reasons = dict.fromkeys(f"{match.field}: {' '.join(match.terms)}" for match in hit.matched)
    return "; ".join([*reasons, *(["denied"] if hit.negated else [])])


def listed(texts: Iterable[str] | None) -> str:
    """Return *texts*, joined by commas."""
    return ", ".join(texts or ())


def facts(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a table with a row for each name and text, without empty texts."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows if text)
    return f"<table><caption>{escape(title)}</caption>{body}</table>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table of *rows* below *headings*."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def model_html(model: RegisteredFinding) -> str:
    """Return a table of the fields of *model*, and one of its attributes."""
    about = [
        ("id", model.oifm_id),
        ("description", model.description),
        ("synonyms", listed(model.synonyms)),
        ("tags", listed(model.tags)),
        ("codes", model.index_codes_str or ""),
    ]
    rows = [
        (getattr(attribute, "oifma_id", ""), attribute.name, str(attribute.type), _allowed(attribute))
        for attribute in model.attributes
    ]
    return facts(model.name, about) + table(("id", "attribute", "type", "values"), rows)


def _allowed(attribute: ChoiceAttribute | NumericAttribute) -> str:
    if is_choice(attribute):
        return listed(value.name for value in attribute.values)
    return number_range(attribute)
