"""Rules for attributes and their values, and for fields that are not known."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from rapidfuzz.distance import OSA

from findingmodel.author.lint.edits import MoveItem, RenameField, SetValue
from findingmodel.author.lint.rules import violation
from findingmodel.model.draft import CHANGE, CHANGE_CORE, CHANGE_PAIRS, PRESENCE_VALUES
from findingmodel.model.finding import (
    ChoiceAttributeIded,
    ChoiceValueIded,
    FindingModelFull,
    IndexCode,
    NumericAttributeIded,
    Organization,
    Person,
)
from findingmodel.model.layout import Members
from findingmodel.model.rules import pointer_to, shown
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from findingmodel.author.lint.rule import Violation
    from findingmodel.model.finding import AttributeIded, Record


class _Standard(NamedTuple):
    missing: str  # the rule for a model without it
    values: str  # the rule for its values
    core: tuple[str, ...]  # values that belong to every model
    pairs: tuple[tuple[str, str], ...] = ()  # opposites that a model may have, both or neither


_STANDARD = {
    "presence": _Standard("missing-presence", "presence-values", PRESENCE_VALUES),
    CHANGE: _Standard("missing-change", "change-values", CHANGE_CORE, CHANGE_PAIRS),
}
"""The first attributes of every model, in order."""

_ASSOCIATED = {"associated finding", "associated findings", "other findings", "additional findings"}


def check_attributes(model: FindingModelFull) -> Iterator[Violation]:
    """Yield attributes and values that contradict themselves or each other."""
    yield from _repeated("repeated-attribute", "/attributes", [item.name for item in model.attributes])
    associated: list[str] = []
    for place, attribute in enumerate(model.attributes):
        pointer = f"/attributes/{place}"
        if isinstance(attribute, ChoiceAttributeIded):
            yield from _check_choice(pointer, attribute)
        else:
            yield from _check_range(pointer, attribute)
        if fold(attribute.name.replace("_", " ")) in _ASSOCIATED:
            associated.append(pointer)
            if len(associated) > 1:
                facts = {"found": shown(attribute.name), "first": associated[0]}
                yield violation("associated-findings", f"{pointer}/name", **facts)


def _check_choice(pointer: str, attribute: ChoiceAttributeIded) -> Iterator[Violation]:
    count = len(attribute.values)
    if attribute.max_selected > count:
        place = f"{pointer}/max_selected"
        facts = {"limit": attribute.max_selected, "count": count}
        yield violation("max-selected", place, SetValue(place, count), **facts)
    yield from _repeated("repeated-value", f"{pointer}/values", [value.name for value in attribute.values])
    for number, value in enumerate(attribute.values):
        if value.value_code.partition(".")[0] != attribute.oifma_id:
            place = f"{pointer}/values/{number}/value_code"
            yield violation("value-code", place, found=shown(value.value_code), expected=attribute.oifma_id)


def _check_range(pointer: str, attribute: NumericAttributeIded) -> Iterator[Violation]:
    low, high = attribute.minimum, attribute.maximum
    if low is not None and high is not None and low > high:
        yield violation("empty-range", pointer, minimum=shown(low), maximum=shown(high))


def _repeated(code: str, pointer: str, names: Sequence[str]) -> Iterator[Violation]:
    first: dict[str, str] = {}
    for place, name in enumerate(names):
        here = f"{pointer}/{place}/name"
        if first.setdefault(fold(name), here) != here:
            yield violation(code, here, name=shown(name), first=first[fold(name)])


def check_standard_attributes(model: FindingModelFull) -> Iterator[Violation]:
    """Yield what is missing or unusual in the two attributes that every model has."""
    names = [attribute.name for attribute in model.attributes]
    folded = [fold(name.replace("_", " ")) for name in names]
    for name, rules in _STANDARD.items():
        if name not in folded:
            yield violation(rules.missing, "/attributes")
            continue
        place = folded.index(name)
        pointer = f"/attributes/{place}"
        if names[place] != name:
            edits = [] if name in names else [SetValue(f"{pointer}/name", name)]
            facts = {"found": shown(names[place]), "usual": shown(name)}
            yield violation("standard-name", f"{pointer}/name", *edits, **facts)
        if reason := _why_not_standard(name, model.attributes[place]):
            yield violation(rules.values, pointer, reason=reason)
    yield from _check_order([name for name in _STANDARD if name in folded], folded)


def _check_order(standard: Sequence[str], names: Sequence[str]) -> Iterator[Violation]:
    """Yield the first standard attribute that is not at its place; the others may only follow from it."""
    for expected, name in enumerate(standard):
        found = names.index(name)
        if found != expected:
            pointer = f"/attributes/{found}"
            facts = {"name": name, "found": found + 1, "expected": expected + 1}
            yield violation("attribute-order", pointer, MoveItem(pointer, expected), **facts)
            return


def _why_not_standard(name: str, attribute: AttributeIded) -> str:
    """Return what is unusual in the values of a standard attribute; "" if nothing is."""
    if not isinstance(attribute, ChoiceAttributeIded):
        return "make it a choice"
    core, pairs = _STANDARD[name].core, _STANDARD[name].pairs
    values = [value.name for value in attribute.values]
    known = {*core, *chain.from_iterable(pairs)}
    missing = [value for value in core if value not in values]
    others = [value for value in values if value not in known]
    single = [
        f"add '{other}', the opposite of '{value}'"
        for pair in pairs
        for value, other in (pair, pair[::-1])
        if value in values and other not in values
    ]
    reasons = [
        f"add {_listed(missing)}" if missing else "",
        f"rename or remove {_listed(others)}" if others else "",
        *single,
    ]
    return "; ".join(filter(None, reasons))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:8])) + ("..." if len(names) > 8 else "")


def check_fields(document: Any) -> Iterator[Violation]:
    """Yield fields whose name is nearly that of a field which is missing.

    Args:
        document: a value from `findingmodel.model.layout.read`.
    """
    for path, part, kind in _parts(document):
        known = kind.model_fields.keys()
        for field in part.keys() - known:
            meant = _nearest(field, known - part.keys())
            if meant:
                pointer = pointer_to((*path, field))
                facts = {"found": shown(field), "meant": shown(meant)}
                yield violation("misspelt-field", pointer, RenameField(pointer, meant), **facts)


def _nearest(field: str, names: Iterable[str]) -> str | None:
    """Return the name that *field* is a typo of, if there is exactly one."""
    bare = fold(field).replace(" ", "_").replace("-", "_")
    most = 1 if len(bare) < 6 else 2
    near = [name for name in names if OSA.distance(bare, name, score_cutoff=most) <= most]
    return near[0] if len(near) == 1 else None


def _parts(document: Any) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], type[Record]]]:
    """Yield each object of a model: its path, itself and its class."""
    if not isinstance(document, Members):
        return
    model = dict(document)
    yield (), model, FindingModelFull
    yield from _coded((), model)
    for path, attribute in _items((), model, "attributes"):
        is_choice = attribute.get("type") == "choice" or "values" in attribute
        yield path, attribute, ChoiceAttributeIded if is_choice else NumericAttributeIded
        yield from _coded(path, attribute)
        for value_path, value in _items(path, attribute, "values"):
            yield value_path, value, ChoiceValueIded
            yield from _coded(value_path, value)
    for path, contributor in _items((), model, "contributors"):
        yield path, contributor, Organization if "code" in contributor else Person


def _coded(
    path: tuple[str | int, ...], part: dict[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], type[Record]]]:
    for code_path, code in _items(path, part, "index_codes"):
        yield code_path, code, IndexCode


def _items(
    path: tuple[str | int, ...], part: dict[str, Any], field: str
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    items = part.get(field)
    for position, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Members):
            yield (*path, field, position), dict(item)
