"""Parse what a user typed, or a sentence of a report, into a `Query`.

The syntax is: words; ``"words in this order"``; ``-unwanted`` and ``-"unwanted words"``; filters such as
``tag:CT``, ``modality:``, ``contributor:``, ``attribute:choice`` and ``code:SYSTEM:CODE``; ``id:OIFM_...`` or
just the id. Everything else is text.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.limits import MAX_QUERY_CHARACTERS
from findingmodel.text.cues import denied, is_denial
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import analyze, stem
from findingmodel.text.terms import (
    CODE_EXAMPLE,
    code_facets,
    expand_shorthand,
    facet,
    importance,
    parse_code,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NUMBER_WEIGHT = 0.1
"""The weight of a number; words that weigh no more do not name a finding."""
_MOST_WORDS = 48
_KEY_WORDS = 7  # text with more words is treated as a sentence
_ABBREVIATION = 5  # letters; longer words in capitals are ordinary words
_SLIGHT_WEIGHT = 0.3

# Between spaces: an optional minus, then NAME:"VALUE", NAME:VALUE, "WORDS" or a word.
_PART = re.compile(
    r'(?<!\S)(-?)(?:(tag|modality|contributor|attribute|code|id):(?:"([^"]*)"|(\S*))|(?:"([^"]*)"|(\S+)))',
    re.IGNORECASE,
)
_ID = re.compile(r"oifm_[a-z0-9]+_\d+", re.IGNORECASE)
_NUMBER = r"(?<![\w.])\d+(?:[.,]\d+)?(?:\s*(?:x|by|-|to)\s*\d+(?:[.,]\d+)?)*"
_MEASURE = re.compile(_NUMBER + r"\s*-?(?:mm|cm|ml|cc|hu|kg|%|millimet\w+|centimet\w+)(?!\w)", re.IGNORECASE)
_LEVEL = re.compile(r"[ctls]\d{1,2}")  # a vertebra
_CLAUSE_END = re.compile(r"([.;:!?](?=\s|$)|\n)")
_MARKED = re.compile(r"([,(])(?=[\s\w]|$)")
_CONTRACTED = re.compile(r"(\bcan|(?<=[a-z])n)['\N{RIGHT SINGLE QUOTATION MARK}]t(?!\w)", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w.])(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?")  # "S.V.C."
_ORDINAL = re.compile(r"(?<!\w)(\d{1,2})(?:st|nd|rd|th)(?!\w)", re.IGNORECASE)
_BULLET = re.compile(r"(?:[\s•*]|-+(?=\s))+")
_QUOTES = str.maketrans(dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}", '"'))
_WRITTEN = re.compile(r"[^\W\d_]+")

_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()  # noqa: SIM905

_EXAMPLES = {
    "tag": "tag:CT",
    "modality": "modality:MR",
    "contributor": "contributor:CDE",
    "attribute": "attribute:numeric",
    "code": CODE_EXAMPLE,
    "id": "id:OIFM_CDE_000195",
}
_MODALITIES = (
    ("ct", "computed tomography"),
    ("mr", "mri", "magnetic resonance imaging"),
    ("us", "ultrasound", "sonography"),
    ("xr", "x-ray", "cr", "dx", "radiograph", "radiography"),
    ("nm", "nuclear medicine", "scintigraphy"),
    ("pt", "pet", "pet/ct", "pet-ct"),
    ("mg", "mammography", "mammogram"),
    ("rf", "fluoroscopy"),
)


class Word(NamedTuple):
    """One word of a query.

    Attributes:
        text: folded, as typed.
        token: its stem.
        weight: how informative it is, from 0 to 1 (`findingmodel.text.terms.importance`).
        negated: whether the query denies it.
        capitals: whether it was typed like an abbreviation, as a short word in capitals.
    """

    text: str
    token: str
    weight: float = 1.0
    negated: bool = False
    capitals: bool = False


class Query(NamedTuple):
    """A parsed query; equal queries are equal values.

    Attributes:
        key: the folded text, to compare with ids, names, slugs and synonyms; "" if there is none.
        words: the distinct informative words in order; if none is informative, all words.
        phrases: stems that must be adjacent in a name, synonym or description.
        excluded: stems that must not be adjacent in a name or synonym.
        facets: groups of exact filters (`findingmodel.text.terms.facet`); an entry has one of each group.
        ids: folded ids.
        narrative: whether it is a sentence of a report rather than key words.
    """

    key: str
    words: tuple[Word, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()
    facets: tuple[tuple[str, ...], ...] = ()
    ids: tuple[str, ...] = ()
    narrative: bool = False


def parse_query(text: str, *, tags: Sequence[str] = ()) -> Query:
    """Return *text* as a query; each of *tags* acts like a ``tag:`` filter.

    Raises:
        QueryError: *text* is empty or too long, or a filter is not valid.

    >>> query = parse_query('lung "ground glass" -chronic tag:CT')
    >>> [word.token for word in query.words], query.phrases, query.excluded, query.facets
    (['lung', 'ground', 'glass'], (('ground', 'glass'),), (('chronic',),), (('tag:ct',),))
    >>> [(word.text, word.negated) for word in parse_query("No 4 mm nodule in the left lung.").words]
    [('nodule', True), ('left', True), ('lung', True)]
    """
    if len(text) > MAX_QUERY_CHARACTERS:
        raise QueryError(
            f"the query has {len(text)} characters, the most are "
            f"{MAX_QUERY_CHARACTERS}: search sentence by sentence"
        )
    reader = _Reader([(facet("tag", tag),) for tag in tags if tag.strip()])
    undotted = _DOTTED.sub(_without_dots, text.translate(_QUOTES))
    plain = _PART.sub(reader.take, _without_bullet(undotted)).strip()
    words = tuple(_words(plain))
    if not (words or reader.facets or reader.ids):
        raise QueryError(
            f"nothing to search for in {text[:60]!r}: give a word, an id, or a filter such as tag:CT"
        )
    return Query(
        fold(plain).rstrip("."),
        words,
        tuple(reader.phrases),
        tuple(reader.excluded),
        tuple(dict.fromkeys(reader.facets)),
        tuple(dict.fromkeys(reader.ids)),
        _is_narrative(plain),
    )


def _without_dots(found: re.Match[str]) -> str:
    """Return "SVC" for "S.V.C."."""
    return found[0].replace(".", "")


def _without_bullet(text: str) -> str:
    """Return *text* without a bullet; a hyphen before the first key word stays an exclusion."""
    bullet = _BULLET.match(text)
    rest = text[bullet.end() :] if bullet else text
    return rest.lstrip("-") if _is_narrative(rest) else rest


def _is_narrative(plain: str) -> bool:
    return plain.endswith(".") or len(plain.split()) > _KEY_WORDS


class _Reader:
    """Collects the operators of a query and leaves its text."""

    def __init__(self, facets: list[tuple[str, ...]]) -> None:
        self.facets = facets
        self.phrases: list[tuple[str, ...]] = []
        self.excluded: list[tuple[str, ...]] = []
        self.ids: list[str] = []

    def take(self, part: re.Match[str]) -> str:
        """Record the operator in *part*, and return the text that remains."""
        minus, name, quoted_value, bare_value, quoted, bare = part.groups()
        if name:
            self._filter(part.group(), name.lower(), (quoted_value or bare_value or "").strip(" ,;"))
            return ""
        value: str = bare if quoted is None else quoted
        if _ID.fullmatch(value) and not minus:
            self.ids.append(value.lower())
            return ""
        tokens = tuple(analyze(value))
        if minus and tokens and value[0].isalpha():
            self.excluded.append(tokens)
            return ""
        if quoted is not None and len(tokens) > 1:
            self.phrases.append(tokens)
        return value

    def _filter(self, part: str, name: str, value: str) -> None:
        if part.startswith("-"):
            raise QueryError(f"{part!r}: a filter cannot be excluded; exclude words, as in -chronic")
        if not value:
            raise QueryError(f"{name}: needs a value, as in {_EXAMPLES[name]}")
        if name == "id":
            self.ids.append(_checked_id(value))
        else:
            self.facets.append(_filters(name, value))


def _checked_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise QueryError(f"id:{value} is not the id of a finding model: write it as in {_EXAMPLES['id']}")
    return value.lower()


def _filters(name: str, value: str) -> tuple[str, ...]:
    """Return the facets of the filter ``name:value``, one of which an entry must have."""
    if name == "modality":
        folded = fold(value)
        names = next((names for names in _MODALITIES if folded in names), (folded,))
        return tuple(facet("tag", modality) for modality in names)
    return code_facets(*parse_code(value)) if name == "code" else (facet(name, value),)


def _words(plain: str) -> Iterator[Word]:
    """Yield the distinct informative words of *plain*; if none is informative, all words."""
    text = expand_shorthand(_CONTRACTED.sub(_uncontracted, _MEASURE.sub(" ", plain)))
    text = _ORDINAL.sub(_ordinal_word, text)
    if _is_in_capitals(text):
        text = text.lower()
    found = [word for clause in _clauses(text) for word in clause]
    informative = {word.token: word for word in reversed(found) if word.weight > 0} or {
        word.token: word for word in reversed(found)
    }
    distinct = list(informative.values())[::-1]
    lightest_first = sorted(distinct, key=lambda word: word.weight)
    surplus = set(lightest_first[: max(len(distinct) - _MOST_WORDS, 0)])
    yield from (word for word in distinct if word not in surplus)


def _ordinal_word(number: re.Match[str]) -> str:
    """Return "second" for "2nd"; ordinals without a word stay as they are."""
    place = int(number[1])
    return _ORDINALS[place] if place < len(_ORDINALS) else number[0]


def _uncontracted(verb: re.Match[str]) -> str:
    """Return "isn't" as "is not", and "can't" as "can not"."""
    return f"{verb[1]} not" if len(verb[1]) > 1 else " not"


def _is_in_capitals(text: str) -> bool:
    """Return whether the whole text is in capitals, as in some reports, so that they mark nothing."""
    return text.isupper() and any(len(word) > _ABBREVIATION for word in _WRITTEN.findall(text))


def _clauses(text: str) -> Iterator[list[Word]]:
    """Yield the words of each clause; a denial after a colon denies the words before it."""
    *parts, last = _CLAUSE_END.split(text)
    clauses, ends = [*parts[::2], last], parts[1::2]
    for clause, end, answer in zip_longest(clauses, ends, clauses[1:], fillvalue=""):
        yield list(_clause(clause, is_denied=end == ":" and is_denial(tokenize(answer))))


def _clause(text: str, *, is_denied: bool) -> Iterator[Word]:
    tokens = tokenize(text)
    negated = range(len(tokens)) if is_denied else denied(tokens, _marks(text, len(tokens)))
    capitals = {
        fold(word) for word in _WRITTEN.findall(text) if word.isupper() and len(word) <= _ABBREVIATION
    }
    for position, token in enumerate(tokens):
        stemmed = stem(token)
        yield Word(token, stemmed, _weight(token, stemmed), position in negated, token in capitals)


def _marks(text: str, count: int) -> list[str]:
    """Return the comma or bracket before each of the *count* words of *text*, or "" for none."""
    pieces = _MARKED.split(text)
    marks: list[str] = []
    for mark, piece in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        words = len(tokenize(piece))
        if words:
            marks += [mark, *[""] * (words - 1)]
    return marks if len(marks) == count else []


def _weight(text: str, token: str) -> float:
    if text.isdigit():
        return NUMBER_WEIGHT
    known = importance().get(token)
    if known is not None:
        return known
    return _SLIGHT_WEIGHT if len(text) == 1 or _LEVEL.fullmatch(text) else 1.0
