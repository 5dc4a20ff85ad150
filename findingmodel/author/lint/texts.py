"""Rules for how texts are written: names, synonyms, tags, descriptions."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from findingmodel.author.lint.edits import Remove, SetValue
from findingmodel.author.lint.rules import violation
from findingmodel.model.finding import ChoiceAttributeIded
from findingmodel.model.rules import shown
from findingmodel.text.normalize import fold
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.author.lint.rule import Violation
    from findingmodel.model.finding import FindingModelFull

MAX_NAME_LENGTH = 60  # characters

_PLACEHOLDER = re.compile(
    r"\b(?:TODO|TBD|FIXME)\b|x{4,}|\?{3,}"
    r"|(?i:lorem ipsum|\bplaceholder\b|\bto be (?:defined|written|added)\b)"
)
_PLACEHOLDER_PARTS = ("todo", "tbd", "fixme", "xxxx", "???", "lorem", "placeholder", "to be ")
"""One of these is in every placeholder; looking for them takes a tenth of the time of the pattern."""

_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\W\d_]+)*")
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_ABBREVIATION = re.compile(r"(?=.{0,7}[A-Z].{0,7}[A-Z])[A-Za-z][A-Za-z0-9-]{1,7}")
_PERSON = (
    r"(?:adolescents?|adults?|baby|babies|boys?|child|children|fetus|fetuses|foetus|girls?|infants?|females?"
    r"|males?|man|men|neonates?|newborns?|patients?|teenagers?|toddlers?|woman|women)"
)
_AGE = r"(?:adolescence|adulthood|childhood|infancy|pregnancy)"
_POPULATION = re.compile(
    rf"\bin (?:an? |the )?(?:[\w-]+ ){{0,2}}(?:{_PERSON}|{_AGE})\b"
    rf"(?: or (?:an? )?(?:[\w-]+ )?{_PERSON}\b)?|\bpa?ediatric\b",
    re.IGNORECASE,
)
_LIST = re.compile(r",|;|\bor\b", re.IGNORECASE)
_SLASH = re.compile(r"(?<=\w{3})\s*/\s*(?=\w{3})")
_AND_OR = re.compile(r"\band\s*/\s*or\b", re.IGNORECASE)
_WITH = re.compile(r"\bwith\b", re.IGNORECASE)
_RUNS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")


class Text(NamedTuple):
    """One text of a model.

    Attributes:
        pointer: its place, as a JSON pointer.
        text: as written.
        kind: what it is.
    """

    pointer: str
    text: str
    kind: Literal["name", "synonym", "tag", "attribute", "value", "unit", "description"]


def texts_of(model: FindingModelFull) -> Iterator[Text]:
    """Yield all texts of *model*, in the order of the schema."""
    yield Text("/name", model.name, "name")
    yield Text("/description", model.description, "description")
    for place, synonym in enumerate(model.synonyms or ()):
        yield Text(f"/synonyms/{place}", synonym, "synonym")
    for place, tag in enumerate(model.tags or ()):
        yield Text(f"/tags/{place}", tag, "tag")
    for place, attribute in enumerate(model.attributes):
        pointer = f"/attributes/{place}"
        yield Text(f"{pointer}/name", attribute.name, "attribute")
        if attribute.description is not None:
            yield Text(f"{pointer}/description", attribute.description, "description")
        if isinstance(attribute, ChoiceAttributeIded):
            for number, value in enumerate(attribute.values):
                yield Text(f"{pointer}/values/{number}/name", value.name, "value")
                if value.description is not None:
                    yield Text(f"{pointer}/values/{number}/description", value.description, "description")
        elif attribute.unit is not None:
            yield Text(f"{pointer}/unit", attribute.unit, "unit")


def check_texts(model: FindingModelFull) -> Iterator[Violation]:
    """Yield where texts of *model* are not written as they should be."""
    texts = list(texts_of(model))
    every = "\n".join([text.text for text in texts])
    has_underscore, every = "_" in every, every.lower()
    may_have_placeholder = any(part in every for part in _PLACEHOLDER_PARTS)
    for text in texts:
        yield from _check_spaces(text)
        if may_have_placeholder and text.kind != "tag" and (found := _PLACEHOLDER.search(text.text)):
            yield violation("placeholder", text.pointer, found=shown(found[0]))
    if has_underscore:
        yield from _check_underscores(texts)


def _check_spaces(text: Text) -> Iterator[Violation]:
    is_long = text.kind == "description"
    tidy = _RUNS.sub(" ", text.text.strip()) if is_long else " ".join(text.text.split())
    if tidy != text.text and tidy:
        yield violation("spaces", text.pointer, SetValue(text.pointer, tidy), found=shown(text.text))


def _check_underscores(texts: Sequence[Text]) -> Iterator[Violation]:
    """Yield names with underscores. A model's name is its identity, so a person decides on that one."""
    named = [text for text in texts if text.kind in ("name", "synonym", "attribute", "value")]
    taken = Counter((_siblings(text), fold(text.text)) for text in named)
    for text in named:
        if "_" in text.text:
            tidy = " ".join(text.text.replace("_", " ").split())
            is_free = len(tidy) > 2 and not taken[_siblings(text), fold(tidy)]
            edits = [SetValue(text.pointer, tidy)] if is_free and text.kind != "name" else []
            yield violation("underscore", text.pointer, *edits, found=shown(text.text))


def _siblings(text: Text) -> str:
    """Return the same for texts that must differ from each other."""
    holder = text.pointer.removesuffix("/name").rpartition("/")[0]
    return holder if text.kind in ("attribute", "value") else text.kind


def check_name(model: FindingModelFull) -> Iterator[Violation]:
    """Yield what is wrong with the name of *model*."""
    name, found = model.name, shown(model.name)
    if _is_title_case(name):
        yield violation("title-case", "/name", found=found)
    if len(name) > MAX_NAME_LENGTH:
        yield violation("name-long", "/name", length=len(name), limit=MAX_NAME_LENGTH)
    for inner in _PARENTHESES.findall(name):
        code = "name-abbreviation" if _ABBREVIATION.fullmatch(inner) else "name-parentheses"
        yield violation(code, "/name", found=found, short=inner)
    if fold(model.description).rstrip(".") == fold(name):
        yield violation("description-is-name", "/description")
    yield from _check_scope(name, found)


def _check_scope(name: str, found: str) -> Iterator[Violation]:
    """Yield where a name is of more than one finding, or of less than a finding."""
    population = _POPULATION.search(name)
    if population:
        yield violation("name-population", "/name", found=found, words=population[0])
    if _AND_OR.search(name):
        yield violation("name-and-or", "/name", found=found)
    elif _SLASH.search(name):
        yield violation("name-slash", "/name", found=found)
    elif _LIST.search(_POPULATION.sub("", name)):
        yield violation("name-list", "/name", found=found)
    if _WITH.search(name):
        yield violation("name-with", "/name", found=found)


def _is_title_case(name: str) -> bool:
    """Return whether two or more words, and all but small ones and abbreviations, have a capital."""
    words = [word for word in _WORD.findall(name) if word.lower() not in SMALL_WORDS and not word.isupper()]
    return len(words) > 1 and all(word[0].isupper() and any(map(str.islower, word)) for word in words)


def check_synonyms(model: FindingModelFull) -> Iterator[Violation]:
    """Yield synonyms that repeat the name or each other.

    If only one of two has its accents, a person decides which to keep.
    """
    first = {fold(model.name): ("/name", model.name)}
    for place, synonym in enumerate(model.synonyms or ()):
        pointer = f"/synonyms/{place}"
        there, same = first.setdefault(fold(synonym), (pointer, synonym))
        if there == pointer:
            continue
        edits = [Remove(pointer)] if _without_case(synonym) == _without_case(same) else []
        code = "synonym-is-name" if there == "/name" else "repeated-synonym"
        yield violation(code, pointer, *edits, found=shown(synonym), first=there)


def _without_case(text: str) -> str:
    return " ".join(text.casefold().split())


def tag_key(tag: str) -> str:
    """Return the same for tags that mean the same: no case, accents, hyphens or underscores.

    >>> tag_key("Soft_Tissue") == tag_key("soft tissue")
    True
    """
    return " ".join(fold(tag).replace("_", " ").replace("-", " ").split())


def check_tags(model: FindingModelFull) -> Iterator[Violation]:
    """Yield tags without text, and tags that repeat each other."""
    first: dict[str, str] = {}
    for place, tag in enumerate(model.tags or ()):
        pointer, key = f"/tags/{place}", tag_key(tag)
        if not key:
            yield violation("empty-tag", pointer, Remove(pointer))
        elif first.setdefault(key, pointer) != pointer:
            yield violation("repeated-tag", pointer, Remove(pointer), found=shown(tag), first=first[key])
