"""A finding model as a Markdown page for people.

Each function gives the blocks (headings, paragraphs, lists) of one part; blank lines between them come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.attributes import ChoiceAttribute, ChoiceAttributeIded
from findingmodel.model.contributors import Organization
from findingmodel.model.escape import escape_destination, escape_paragraph, escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.model.attributes import (
        ChoiceValue,
        ChoiceValueIded,
        NumericAttribute,
        NumericAttributeIded,
    )
    from findingmodel.model.codes import IndexCode
    from findingmodel.model.contributors import Contributor
    from findingmodel.model.finding import FindingModelBase, FindingModelFull

    AnyChoice = ChoiceAttribute | ChoiceAttributeIded
    AnyNumeric = NumericAttribute | NumericAttributeIded

__all__ = ["to_markdown"]

_CHOICES = (ChoiceAttribute, ChoiceAttributeIded)


def to_markdown(model: FindingModelFull | FindingModelBase, *, hide_ids: bool = False) -> str:
    """Write *model* as a Markdown page: the finding, its attributes with their values, its contributors.

    Text of the model is escaped, so that nothing in it can become markup, HTML or a heading.

    Args:
        model: a finding model, with ids or without.
        hide_ids: leave out the ids of the finding and its attributes; codes of ontologies stay.

    Returns:
        The page, without a newline at its end.
    """
    blocks = [*_finding(model, hide_ids), "## Attributes"]
    for attribute in model.attributes:
        blocks += _attribute(attribute, hide_ids)
    contributors = getattr(model, "contributors", None)
    if contributors:
        blocks += ["## Contributors", "\n".join(f"- {_contributor(who)}" for who in contributors)]
    return "\n\n".join(blocks)


def _finding(model: FindingModelFull | FindingModelBase, hide_ids: bool) -> Iterator[str]:
    yield f"# {_title(model.name)}"
    oifm_id = getattr(model, "oifm_id", None)
    if oifm_id and not hide_ids:
        yield f"`{oifm_id}`"
    yield escape_paragraph(model.description)
    facts = {
        "Synonyms": ", ".join(map(escape_text, model.synonyms or ())),
        "Tags": ", ".join(map(escape_text, model.tags or ())),
        "Codes": _codes(getattr(model, "index_codes", None)),
    }
    yield from filter(None, ["\n".join(f"- **{label}:** {text}" for label, text in facts.items() if text)])


def _attribute(attribute: AnyChoice | AnyNumeric, hide_ids: bool) -> Iterator[str]:
    yield f"### {_title(attribute.name)}"
    oifma_id = getattr(attribute, "oifma_id", None)
    facts = [f"`{oifma_id}`"] if oifma_id and not hide_ids else []
    facts.append(_choice_rule(attribute) if isinstance(attribute, _CHOICES) else _range(attribute))
    if attribute.required:
        facts.append("required")
    yield " · ".join(facts)
    if attribute.description:
        yield escape_paragraph(attribute.description)
    codes = _codes(getattr(attribute, "index_codes", None))
    if codes:
        yield f"Codes: {codes}"
    if isinstance(attribute, _CHOICES):
        yield "\n".join(map(_value, attribute.values))


def _choice_rule(attribute: AnyChoice) -> str:
    count = attribute.max_selected
    if count == 1:
        return "choose one"
    return "choose any" if count >= len(attribute.values) else f"choose up to {count}"


def _range(attribute: AnyNumeric) -> str:
    low, high = attribute.minimum, attribute.maximum
    unit = f" {escape_text(attribute.unit)}" if attribute.unit else ""
    if low is not None and high is not None:
        return f"a number from {low} to {high}{unit}"
    if low is not None:
        return f"a number of at least {low}{unit}"
    if high is not None:
        return f"a number of at most {high}{unit}"
    return f"a number in{unit}" if unit else "a number"


def _value(value: ChoiceValue | ChoiceValueIded) -> str:
    line = f"- **{escape_text(value.name) or '(unnamed)'}**"
    if value.description:
        line += f": {escape_text(value.description)}"
    codes = _codes(getattr(value, "index_codes", None))
    return f"{line} *({codes})*" if codes else line


def _contributor(who: Contributor) -> str:
    if isinstance(who, Organization):
        return f"{_link(who.name, who.url)} ({who.code})"
    return f"{_link(who.name, who.url)} ({who.organization_code}), {escape_text(who.email)}"


def _link(text: str, url: str | None) -> str:
    shown = escape_paragraph(text) or "(unnamed)"  # it begins an item of a list
    return f"[{shown}]({escape_destination(url)})" if url else shown


def _codes(codes: Iterable[IndexCode] | None) -> str:
    return "; ".join(escape_text(str(code)) for code in codes or ())


def _title(name: str) -> str:
    """The name as a heading; a first word with capitals in it, such as pH, stays as it is."""
    text = escape_text(name) or "(unnamed)"
    return text[0].upper() + text[1:] if text.split()[0].islower() else text
