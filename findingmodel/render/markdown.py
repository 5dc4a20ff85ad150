"""A finding model as a Markdown page for people, in the form that collections of finding models keep.

Each function gives the blocks (headings, paragraphs, lists) of one part; blank lines between them come last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from findingmodel.model.attributes import ChoiceAttribute, ChoiceAttributeIded, Organization

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.model.attributes import (
        ChoiceValue,
        ChoiceValueIded,
        Contributor,
        IndexCode,
        NumericAttribute,
        NumericAttributeIded,
    )
    from findingmodel.model.finding import FindingModelBase, FindingModelFull

    AnyChoice = ChoiceAttribute | ChoiceAttributeIded
    AnyNumeric = NumericAttribute | NumericAttributeIded

__all__ = [
    "escape_destination",
    "escape_paragraph",
    "escape_text",
    "most_chosen",
    "number_range",
    "to_markdown",
]

_BIDIRECTIONAL = (
    0x61C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)  # reorder what is read
_CONTROLS = {
    number: None
    for number in (*range(0x20), *range(0x7F, 0xA0), *_BIDIRECTIONAL)
    if not chr(number).isspace()
}
_MARKUP = re.compile(r"([\\`*\[\]#~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")  # head_neck stays as it is
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]+;)")
_BLOCK_START = re.compile(r"^([0-9]{1,9}(?=[.)])|(?=[-+>]))")
_UNSAFE_IN_DESTINATION = re.compile(f'[{re.escape("".join(map(chr, _CONTROLS)))}\\s\\\\<>()"`]')


def escape_text(text: str) -> str:
    r"""Return *text* for use inside a line; white space becomes single spaces, control characters go.

    >>> print(escape_text("T2* < 3 cm,\n<b>not</b> [x](y)"))
    T2\* < 3 cm, &lt;b>not&lt;/b> \[x\](y)
    """
    line = " ".join(text.translate(_CONTROLS).split())
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", _MARKUP.sub(r"\\\1", line)))


def escape_paragraph(text: str) -> str:
    r"""Return *text* for use as a paragraph, which must not become a list or a quotation.

    >>> print(escape_paragraph("1. not a list"))
    1\. not a list
    """
    return _BLOCK_START.sub(r"\1\\", escape_text(text))


def escape_destination(url: str) -> str:
    """Return *url* for use as the destination of a link: what could end it is percent-encoded (RFC 3986).

    >>> escape_destination("https://example.org/a_(b)?x=1&y=2")
    'https://example.org/a_%28b%29?x=1&amp;y=2'
    """
    return _UNSAFE_IN_DESTINATION.sub(_percent_encoded, url).replace("&", "&amp;")


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def most_chosen(attribute: ChoiceAttribute | ChoiceAttributeIded) -> str:
    """Return how many values may be chosen: ``one``, or ``up to 3``."""
    return "one" if attribute.max_selected == 1 else f"up to {attribute.max_selected}"


def number_range(attribute: NumericAttribute | NumericAttributeIded) -> str:
    """Return the bounds and the unit, those that are stated: ``from 0 to 30 mm``."""
    bounds = [("from", attribute.minimum), ("to", attribute.maximum)]
    stated = [f"{word} {bound}" for word, bound in bounds if bound is not None]
    return " ".join(filter(None, [*stated, attribute.unit]))


_CHOICES = (ChoiceAttribute, ChoiceAttributeIded)
_BREAK = "  \n"  # the next line stays in the paragraph


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
        listed = "\n".join(f"- {_contributor(who)}" for who in contributors)
        blocks += ["---", "**Contributors**", listed]
    return "\n\n".join(blocks)


def _finding(model: FindingModelFull | FindingModelBase, hide_ids: bool) -> Iterator[str]:
    yield f"# {_title(model.name)}{_id(model, 'oifm_id', hide_ids)}"
    yield from _fact("Synonyms", ", ".join(map(escape_text, model.synonyms or ())))
    yield from _fact("Tags", ", ".join(map(escape_text, model.tags or ())))
    yield escape_paragraph(model.description)
    yield from _fact("Codes", _codes(model))


def _attribute(attribute: AnyChoice | AnyNumeric, hide_ids: bool) -> Iterator[str]:
    yield f"### {_title(attribute.name)}{_id(attribute, 'oifma_id', hide_ids)}"
    lines = [escape_paragraph(attribute.description)] if attribute.description else []
    codes = _codes(attribute)
    if codes:
        lines.append(f"**Codes**: {codes}")
    if isinstance(attribute, _CHOICES):
        lines.append(f"*(Select {most_chosen(attribute)})*")
    else:
        lines += _range(attribute)
    if attribute.required:
        lines.append("*(Required)*")
    yield _BREAK.join(lines)
    if isinstance(attribute, _CHOICES):
        yield "\n".join(map(_value, attribute.values))


def _range(attribute: AnyNumeric) -> list[str]:
    facts = {"Minimum": attribute.minimum, "Maximum": attribute.maximum}
    lines = [f"{name}: {limit}" for name, limit in facts.items() if limit is not None]
    if attribute.unit:
        lines.append(f"Unit: {escape_text(attribute.unit)}")
    return lines or ["*(A number)*"]


def _value(value: ChoiceValue | ChoiceValueIded) -> str:
    line = f"- **{escape_text(value.name) or '(unnamed)'}**"
    if value.description:
        line += f": {escape_text(value.description)}"
    codes = _codes(value)
    return f"{line}{_BREAK}_{codes}_" if codes else f"{line}  "


def _fact(label: str, text: str) -> Iterator[str]:
    if text:
        yield f"**{label}:** {text}"


def _id(part: object, field: str, hide_ids: bool) -> str:
    """The id, to stand behind the name of *part*; nothing for drafts, which have none."""
    found = None if hide_ids else getattr(part, field, None)
    return f"—`{found}`" if found else ""


def _contributor(who: Contributor) -> str:
    if isinstance(who, Organization):
        return f"{_link(who.name, who.url)} ({who.code})"
    return f"{_link(who.name, who.url)} ({who.organization_code}), {escape_text(who.email)}"


def _link(text: str, url: str | None) -> str:
    shown = escape_paragraph(text) or "(unnamed)"  # it begins an item of a list
    return f"[{shown}]({escape_destination(url)})" if url else shown


def _codes(part: object) -> str:
    codes: Iterable[IndexCode] | None = getattr(part, "index_codes", None)
    return "; ".join(escape_text(str(code)) for code in codes or ())


def _title(name: str) -> str:
    """The name as a heading; a first word with capitals in it, such as pH, stays as it is."""
    text = escape_text(name) or "(unnamed)"
    return text[0].upper() + text[1:] if text.split()[0].islower() else text
