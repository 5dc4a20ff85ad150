"""Finding models as Markdown pages, in the form that the public collection has.

Functions return blocks (headings, paragraphs, lists), which `to_markdown` joins with blank lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from findingmodel.render.protocols import is_choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.render.protocols import (
        ChoiceAttribute,
        Contributor,
        Finding,
        NumericAttribute,
        Value,
    )

_BIDIRECTIONAL = (
    0x61C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)  # these reorder text
_CONTROLS = {
    number: None
    for number in (*range(0x20), *range(0x7F, 0xA0), *_BIDIRECTIONAL)
    if not chr(number).isspace()
}
_MARKUP = re.compile(r"([\\`*\[\]#~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")  # head_neck is not markup
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]+;)")
_BLOCK_START = re.compile(r"^([0-9]{1,9}(?=[.)])|(?=[-+>]))")
_UNSAFE_IN_DESTINATION = re.compile(f'[{re.escape("".join(map(chr, _CONTROLS)))}\\s\\\\<>()"`]')


def escape_text(text: str) -> str:
    r"""Return *text* for use inside a line: with single spaces, and without control characters.

    >>> print(escape_text("T2* < 3 cm,\n<b>not</b> [x](y)"))
    T2\* < 3 cm, &lt;b>not&lt;/b> \[x\](y)
    """
    line = " ".join(text.translate(_CONTROLS).split())
    return _TAG.sub("&lt;", _ENTITY.sub("&amp;", _MARKUP.sub(r"\\\1", line)))


def escape_paragraph(text: str) -> str:
    r"""Return *text* for use as a paragraph: it does not become a list or a quotation.

    >>> print(escape_paragraph("1. not a list"))
    1\. not a list
    """
    return _BLOCK_START.sub(r"\1\\", escape_text(text))


def escape_destination(url: str) -> str:
    """Return *url* as the destination of a link: characters that could end it are percent-encoded (RFC 3986).

    >>> escape_destination("https://example.org/a_(b)?x=1&y=2")
    'https://example.org/a_%28b%29?x=1&amp;y=2'
    """
    return _UNSAFE_IN_DESTINATION.sub(_percent_encoded, url).replace("&", "&amp;")


def _percent_encoded(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def most_chosen(attribute: ChoiceAttribute) -> str:
    """Return how many values may be chosen: ``one`` or ``up to 3``."""
    return "one" if attribute.max_selected == 1 else f"up to {attribute.max_selected}"


def number_range(attribute: NumericAttribute) -> str:
    """Return the bounds and the unit, if stated: ``from 0 to 30 mm``."""
    bounds = [("from", attribute.minimum), ("to", attribute.maximum)]
    stated = [f"{word} {bound}" for word, bound in bounds if bound is not None]
    return " ".join(filter(None, [*stated, attribute.unit]))


_BREAK = "  \n"  # a line break within the paragraph


def to_markdown(model: Finding, *, hide_ids: bool = False) -> str:
    """Return *model* as a Markdown page: the finding, its attributes with their values, its contributors.

    All text of the model is escaped, so that it cannot become markup, HTML or a heading.

    Args:
        model: a finding model, with or without ids.
        hide_ids: omit the ids of the finding and its attributes; ontology codes stay.

    Returns:
        The page, without a final newline.
    """
    blocks = [*_finding(model, hide_ids), "## Attributes"]
    for attribute in model.attributes:
        blocks += _attribute(attribute, hide_ids)
    contributors = getattr(model, "contributors", None)
    if contributors:
        listed = "\n".join(f"- {_contributor(who)}" for who in contributors)
        blocks += ["---", "**Contributors**", listed]
    return "\n\n".join(blocks)


def _finding(model: Finding, hide_ids: bool) -> Iterator[str]:
    yield f"# {_title(model.name)}{_id(model, 'oifm_id', hide_ids)}"
    yield from _fact("Synonyms", ", ".join(map(escape_text, model.synonyms or ())))
    yield from _fact("Tags", ", ".join(map(escape_text, model.tags or ())))
    yield escape_paragraph(model.description)
    yield from _fact("Codes", _codes(model))


def _attribute(attribute: ChoiceAttribute | NumericAttribute, hide_ids: bool) -> Iterator[str]:
    yield f"### {_title(attribute.name)}{_id(attribute, 'oifma_id', hide_ids)}"
    lines = [escape_paragraph(attribute.description)] if attribute.description else []
    if codes := _codes(attribute):
        lines.append(f"**Codes**: {codes}")
    values = attribute.values if is_choice(attribute) else ()
    lines += [f"*(Select {most_chosen(attribute)})*"] if is_choice(attribute) else _range(attribute)
    if attribute.required:
        lines.append("*(Required)*")
    yield _BREAK.join(lines)
    if values:
        yield "\n".join(map(_value, values))


def _range(attribute: NumericAttribute) -> list[str]:
    facts = {"Minimum": attribute.minimum, "Maximum": attribute.maximum}
    lines = [f"{name}: {limit}" for name, limit in facts.items() if limit is not None]
    if attribute.unit:
        lines.append(f"Unit: {escape_text(attribute.unit)}")
    return lines or ["*(A number)*"]


def _value(value: Value) -> str:
    line = f"- **{escape_text(value.name) or '(unnamed)'}**"
    if value.description:
        line += f": {escape_text(value.description)}"
    codes = _codes(value)
    return f"{line}{_BREAK}_{codes}_" if codes else f"{line}  "


def _fact(label: str, text: str) -> Iterator[str]:
    if text:
        yield f"**{label}:** {text}"


def _id(part: object, field: str, hide_ids: bool) -> str:
    """Return the suffix of a heading that shows the id; "" for a draft, which has no ids."""
    found = None if hide_ids else getattr(part, field, None)
    return f"—`{found}`" if found else ""


def _contributor(who: Contributor) -> str:
    name = _link(who.name, who.url)
    email, employer = getattr(who, "email", None), getattr(who, "organization_code", None)
    if email and employer:
        return f"{name} ({employer}), {escape_text(email)}"
    return f"{name} ({getattr(who, 'code', '')})"


def _link(text: str, url: str | None) -> str:
    shown = escape_paragraph(text) or "(unnamed)"  # starts a list item
    return f"[{shown}]({escape_destination(url)})" if url else shown


def _codes(part: object) -> str:
    codes: Iterable[object] | None = getattr(part, "index_codes", None)
    return "; ".join(escape_text(str(code)) for code in codes or ())


def _title(name: str) -> str:
    """Return *name* as a heading, capitalized; a first word with capitals, such as pH, is not changed."""
    text = escape_text(name) or "(unnamed)"
    return text[0].upper() + text[1:] if text.split()[0].islower() else text
