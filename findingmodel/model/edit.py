"""Edits of a finding model's document, each of one kind. Ids never change, and unknown fields stay.

A document is what `findingmodel.model.layout.read` returns: its objects are `Members`, its numbers keep their
digits. Each function changes the document in place, so that whatever an edit does not mention stays as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import EditError
from findingmodel.model.draft import PLACEHOLDER
from findingmodel.model.layout import Digits, Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def get(part: Members, name: str) -> Any:
    """Return the value of the field *name*; None if there is none. Of a repeated field the last counts."""
    return next((value for field, value in reversed(part) if field == name), None)


def put(part: Members, name: str, value: Any) -> None:
    """Set the field *name* to *value*, plain JSON or from `read`; None or an empty list removes it."""
    kept = [(field, old) for field, old in part if field != name]
    part[:] = kept if value is None or value == [] else [*kept, (name, as_read(value))]


def as_read(value: Any) -> Any:
    """Return plain JSON as `findingmodel.model.layout.read` would; what it returned stays.

    >>> as_read({"name": "size", "minimum": 0})
    [('name', 'size'), ('minimum', '0')]
    """
    if isinstance(value, dict):
        return Members([(name, as_read(member)) for name, member in value.items()])
    if isinstance(value, list) and not isinstance(value, Members):
        return [as_read(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Digits(json.dumps(value))
    return value


def items(part: Members, name: str) -> list[Any]:
    """Return the list in the field *name*; an empty one if there is none."""
    return get(part, name) or []


def same(one: str, other: str) -> bool:
    """Return whether two texts differ in case and spacing at most."""
    return _key(one) == _key(other)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


# names and synonyms


def rename(model: Members, name: str, *, keep_synonym: bool = False) -> int:
    """Rename *model*, in its descriptions too; return how many of them changed.

    A description follows where it has the old name as whole words, whatever their case: "Pneumothorax is
    absent" starts with a capital afterwards too. Displays of ontology codes are the ontology's own words.

    Args:
        model: the document.
        name: the new name. It is no synonym any more.
        keep_synonym: whether the old name becomes a synonym.
    """
    old, name = get(model, "name"), " ".join(name.split())
    changed = _reword(_described(model), old, name)
    _replace(model, "name", name)
    synonyms = [text for text in items(model, "synonyms") if not same(text, name)]
    if keep_synonym and not same(old, name) and not any(same(old, text) for text in synonyms):
        synonyms.append(old)
    put(model, "synonyms", synonyms)
    return changed


def _reword(parts: Iterable[Members], old: str, new: str) -> int:
    """Replace the name *old* by *new* in the descriptions of *parts*; return how many changed."""
    changed = 0
    for part in parts:
        text = get(part, "description")
        reworded = _reworded(text, old, new) if isinstance(text, str) and old != new else text
        if reworded != text:
            _replace(part, "description", reworded)
            changed += 1
    return changed


def _described(model: Members) -> Iterator[Members]:
    yield model
    for attribute in items(model, "attributes"):
        yield attribute
        yield from items(attribute, "values")


def _replace(part: Members, name: str, value: Any) -> None:
    part[:] = [(field, value if field == name else old) for field, old in part]


_SENTENCE_START = re.compile(r"(?:\A|[.!?:]\s+)\Z")
_AN = re.compile(r"[aeio]|u(?!ni(?!n|m)|ra|re|ri|ro|se|su|te|ti)|(?-i:[FHLMNRSX](?![a-z]))", re.IGNORECASE)
"""How a word begins that takes "an": by its sound, so "a uterine mass" and "an MR finding"."""
_A = re.compile(r"eu|one\b|(?-i:U(?![a-z]))", re.IGNORECASE)
"""Exceptions, which take "a"."""


def article(name: str) -> str:
    """Return "a" or "an", whichever goes before *name*.

    >>> [article(name) for name in ("ulcer", "uterine mass", "MR finding", "CT finding", "unilateral mass")]
    ['an', 'a', 'an', 'a', 'a']
    """
    return "an" if _AN.match(name) and not _A.match(name) else "a"


def _reworded(text: str, old: str, new: str) -> str:
    words = r"\s+".join(map(re.escape, old.split()))
    if not words:
        return text

    def word(found: re.Match[str]) -> str:
        is_capital, was_capital = found["name"][:1].isupper(), old[:1].isupper()
        start = found.start("name")
        begins = _SENTENCE_START.search(text, max(0, start - 9), start)
        name = new
        if is_capital and (begins or not was_capital):
            name = new[:1].upper() + new[1:]
        elif not is_capital and was_capital and new[1:2].islower():
            name = new[:1].lower() + new[1:]
        if found["article"] is None:
            return name
        written = article(new)
        return f"{written.capitalize() if found['article'][0] == 'A' else written}{found['space']}{name}"

    pattern = rf"(?:(?<!\w)(?P<article>an?)(?P<space>\s+))?(?<!\w)(?P<name>{words})(?!\w)"
    return re.sub(pattern, word, text, flags=re.IGNORECASE)


def add_synonym(model: Members, text: str) -> None:
    """Add *text* to the synonyms of *model*.

    Raises:
        EditError: it is the name or a synonym already.
    """
    if same(text, get(model, "name")):
        raise EditError(f"{text!r} is the name of the model already")
    synonyms = items(model, "synonyms")
    if any(same(text, synonym) for synonym in synonyms):
        raise EditError(f"{text!r} is a synonym of the model already")
    put(model, "synonyms", [*synonyms, text])


# tags


def rename_tag(model: Members, old: str, new: str) -> bool:
    """Rename the tag *old*, in any case, to *new*, once; return whether the model changed."""
    tags = items(model, "tags")
    if not any(same(tag, old) for tag in tags):
        return False
    renamed = [new if same(tag, old) or same(tag, new) else tag for tag in tags]
    renamed = list(dict.fromkeys(renamed))
    put(model, "tags", renamed)
    return bool(renamed != tags)


# attributes and values


def find_attribute(model: Members, key: str) -> Members:
    """Return the attribute with this id or name, in any case.

    Raises:
        EditError: there is none.
    """
    attributes: list[Members] = items(model, "attributes")
    for field in ("oifma_id", "name"):
        for attribute in attributes:
            if same(get(attribute, field) or "", key):
                return attribute
    names = ", ".join(repr(get(attribute, "name")) for attribute in attributes)
    raise EditError(f"the model has no attribute {key!r}; it has {names}")


def add_attribute(model: Members, attribute: dict[str, Any], *, place: int | None = None) -> None:
    """Add *attribute*, with its id, as the last or at *place*; values without a code get one.

    Raises:
        EditError: the model has an attribute of this name, or a value is repeated.
    """
    attributes = items(model, "attributes")
    if any(same(get(other, "name"), attribute["name"]) for other in attributes):
        raise EditError(f"the model has an attribute {attribute['name']!r} already; add-value extends it")
    names: list[str] = [value["name"] for value in attribute.get("values", ())]
    for number, name in enumerate(names):
        if any(same(name, other) for other in names[:number]):
            raise EditError(f"the value {name!r} is repeated: state each value once")
    for number, value in enumerate(attribute.get("values", ())):
        value.setdefault("value_code", f"{attribute['oifma_id']}.{number}")
    attributes = list(attributes)
    attributes.insert(len(attributes) if place is None else place, as_read(attribute))
    put(model, "attributes", attributes)


def add_value(attribute: Members, value: dict[str, Any]) -> str:
    """Add *value* as the last of a choice attribute; return its code, the next after the greatest number.

    Raises:
        EditError: the attribute has no values, or has this one.
    """
    name = get(attribute, "name")
    values = items(attribute, "values")
    if not values:
        raise EditError(f"the attribute {name!r} is a number, which has no values")
    if any(same(get(other, "name"), value["name"]) for other in values):
        raise EditError(f"the attribute {name!r} has the value {value['name']!r} already")
    oifma_id = get(attribute, "oifma_id")
    numbers = [int(get(other, "value_code").rpartition(".")[2]) for other in values]
    code = f"{oifma_id}.{max(numbers) + 1}"
    put(attribute, "values", [*values, {"value_code": code, **value}])
    return code


def remove_values(attribute: Members, names: Sequence[str]) -> list[str]:
    """Remove the values with these names from a choice attribute; return the codes of those it had.

    Raises:
        EditError: fewer than two values would be left.
    """
    values = items(attribute, "values")
    gone = [value for value in values if any(same(get(value, "name"), name) for name in names)]
    if gone and len(values) - len(gone) < 2:
        raise EditError(f"the attribute {get(attribute, 'name')!r} must keep two values")
    put(attribute, "values", [value for value in values if value not in gone])
    return [get(value, "value_code") for value in gone]


# merging and succession


class Merged(NamedTuple):
    """What a merge did.

    Attributes:
        added: what the successor got, in words.
        lost: what only the file of the other model says.
    """

    added: tuple[str, ...]
    lost: tuple[str, ...]


def merge(successor: Members, other: Members) -> Merged:
    """Add to *successor* what only *other* has, and record that it replaces *other*.

    Name and synonyms become synonyms; tags, codes, contributors and attributes are added. An attribute of the
    same name and type stays as the successor has it, and gets the values that it lacks. Attributes that move
    keep their ids and codes; their descriptions name the successor, so *other* changes as well.
    """
    _reword(_described(other), get(other, "name"), get(successor, "name"))
    added: list[str] = []
    lost: list[str] = []
    known = [get(successor, "name"), *items(successor, "synonyms")]
    for text in (get(other, "name"), *items(other, "synonyms")):
        if not any(same(text, label) for label in known):
            known.append(text)
            added.append(f"synonym {text!r}")
    put(successor, "synonyms", known[1:])
    for field, key in _LISTS.items():
        added += _add_missing(successor, other, field, key)
    for attribute in items(other, "attributes"):
        _merge_attribute(successor, attribute, added, lost)
    description = get(other, "description")
    if description not in (get(successor, "description"), PLACEHOLDER):
        lost.append(f"description {description!r}")
    succeed(successor, other)
    return Merged(tuple(added), tuple(lost))


_LISTS: dict[str, Callable[[Any], object]] = {
    "tags": _key,
    "index_codes": lambda code: (get(code, "system"), get(code, "code")),
    "contributors": lambda one: get(one, "github_username") or get(one, "code"),
}
"""The lists that a merge unites, and what identifies their items."""
_ITEMS = {"tags": "tag", "index_codes": "code", "contributors": "contributor"}


def _add_missing(
    successor: Members, other: Members, field: str, key: Callable[[Any], object]
) -> Iterator[str]:
    """Add the items of the list *field* that only *other* has; yield what was added."""
    own = items(successor, field)
    keys = set(map(key, own))
    more = [item for item in items(other, field) if key(item) not in keys]
    put(successor, field, [*own, *more])
    for item in more:
        text = item if isinstance(item, str) else " ".join(filter(None, map(str, _words(key(item)))))
        yield f"{_ITEMS[field]} {text!r}"


def _words(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _merge_attribute(successor: Members, attribute: Members, added: list[str], lost: list[str]) -> None:
    name, oifma_id = get(attribute, "name"), get(attribute, "oifma_id")
    twins = [own for own in items(successor, "attributes") if same(get(own, "name"), name)]
    if not twins:
        put(successor, "attributes", [*items(successor, "attributes"), attribute])
        added.append(f"attribute {name!r} ({oifma_id})")
        return
    own = twins[0]
    if get(own, "oifma_id") == oifma_id:
        return
    if get(own, "type") != get(attribute, "type"):
        lost.append(f"attribute {name!r} ({oifma_id}), of another type than {get(own, 'oifma_id')}")
        return
    lost.append(f"attribute id {oifma_id}: {name!r} is {get(own, 'oifma_id')} now")
    present = {_key(get(value, "name")) for value in items(own, "values")}
    for value in items(attribute, "values"):
        if _key(get(value, "name")) not in present:
            copied = {field: member for field, member in value if field != "value_code"}
            added.append(f"value {get(value, 'name')!r} of {name!r} ({add_value(own, copied)})")


def succeed(successor: Members, other: Members) -> None:
    """Record in *successor* that it replaces *other*, and all that *other* replaced."""
    ids = [*items(successor, "replaces"), get(other, "oifm_id"), *items(other, "replaces")]
    put(successor, "replaces", list(dict.fromkeys(ids)))
