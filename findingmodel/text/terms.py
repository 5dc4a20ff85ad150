"""The analysed text of entries, the tokens of exact filters, and how informative each word is."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.text.normalize import fold
from findingmodel.text.stem import analyze, stem
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DATA = Path(__file__).with_name("data")


@cache
def importance() -> Mapping[str, float]:
    """Return how informative words and stems are, for those below 1.

    >>> importance()["left"] < importance()["lesion"] < 1
    True
    """
    weights: dict[str, float] = {}
    for title, body in sections(_DATA / "importance.txt"):
        weight = float(title.split()[-1])
        words = fold(" ".join(body)).split()
        weights.update(dict.fromkeys([*words, *map(stem, words)], weight))
    return MappingProxyType(weights)


def is_informative(word: str) -> bool:
    """Return whether a word or stem says anything about a finding; words such as "the" do not."""
    return importance().get(word, 1.0) > 0


def expand_shorthand(text: str) -> str:
    """Return *text* with shorthand replaced by words.

    >>> expand_shorthand("Cyst w/o septa, r/o PE")
    'Cyst without septa, rule out PE'
    """
    pattern, words = _shorthand()
    return pattern.sub(lambda found: words[found[0].lower()], text)


@cache
def _shorthand() -> tuple[re.Pattern[str], Mapping[str, str]]:
    words = dict(line.split(" -> ") for line in lines(_DATA / "shorthand.txt"))
    ends = [re.escape(word) + ("" if word.endswith("/") else r"(?![\w/])") for word in words]
    longest_first = "|".join(sorted(ends, key=len, reverse=True))
    return re.compile(rf"(?<![\w/])(?:{longest_first})", re.IGNORECASE | re.ASCII), words


BREAK = "|"
BETWEEN = f" {BREAK} "
"""The separator of two synonyms."""

SMALL_WORDS = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
)
"""Words that do not count in initials, and do not distinguish labels."""

_SHORTEST, _LONGEST = 3, 6
_PLACES = ("model", "attribute", "value")
_CODE = "code:"
CODE_EXAMPLE = "code:RADLEX:RID1301"


class Terms(NamedTuple):
    """The analysed text of one entry: tokens joined by single spaces, one string per field.

    Attributes:
        name: the name.
        synonyms: the synonyms, separated by ``BREAK``, which is not a token of any query.
        description: the description; empty if it only repeats the name.
        other: tags and attribute names, and the initials of name and synonyms, such as ``_aaa``.
    """

    name: str
    synonyms: str
    description: str
    other: str


def analyze_entry(name: str, synonyms: Sequence[str], description: str, other: Sequence[str]) -> Terms:
    """Return the analysed text of one entry.

    >>> analyze_entry("Lung nodules", ["pulmonary nodule", "SPN"], "", ["chest"]).synonyms
    'pulmonari nodul | spn'
    """
    named = analyze(name)
    labels = [analyze(synonym) for synonym in synonyms]
    described = analyze(description) if description else []
    short = [token for label in (name, *synonyms) if (token := initials(label))]
    more = dict.fromkeys([token for text in other for token in _repeated(text)])
    return Terms(
        " ".join(named),
        BETWEEN.join([" ".join(label) for label in labels]),
        "" if described == named else " ".join(described),
        " ".join([*more, *dict.fromkeys(short)]),
    )


def initials(label: str) -> str:
    """Return the token for the initials of *label*, or "" if it has too few or too many words.

    >>> initials("Abdominal aortic aneurysm"), initials("Cyst of the lung"), initials("loss of disc height")
    ('_aaa', '', '_ldh')
    """
    if label.count(" ") + label.count("-") < _SHORTEST - 1:  # most labels; folding them would cost more
        return ""
    words = [word for word in fold(label).replace("-", " ").split() if word not in SMALL_WORDS]
    if not _SHORTEST <= len(words) <= _LONGEST:
        return ""
    letters = "".join([word[0] for word in words])
    return f"_{letters}" if letters.isalpha() else ""


@lru_cache(maxsize=16_384)
def _repeated(text: str) -> tuple[str, ...]:
    """Analyse the name of a tag or attribute; these repeat, so the result is cached."""
    return tuple(analyze(text))


@lru_cache(maxsize=16_384)
def facet(kind: str, value: str) -> str:
    """Return the token of an exact filter, without spaces and case.

    A code is written ``SYSTEM:CODE@PLACE``. Systems are compared without punctuation, and all names of
    SNOMED CT are equal.

    >>> facet("tag", "Soft tissue"), facet("code", "SNOMED-CT:40198004@model")
    ('tag:soft_tissue', 'code:snomedct:40198004@model')
    """
    text = fold(value)
    if kind == "code":
        system, _, code = text.partition(":")
        text = f"{_system(system)}:{code}"
    return f"{kind}:{text.replace(' ', '_')}"


def code_facet(system: str, code: str, place: str) -> str:
    """Return the filter for a code at *place*: "model", "attribute" or "value"."""
    return facet("code", f"{system}:{code}@{place}")


@lru_cache(maxsize=16_384)
def code_facets(system: str, code: str) -> tuple[str, ...]:
    """Return the filters for a code of a model, of an attribute and of a value, in this order.

    >>> code_facets("RadLex", "RID1301")[1]
    'code:radlex:rid1301@attribute'
    """
    return tuple([code_facet(system, code, place) for place in _PLACES])


def is_code_facet(name: str) -> bool:
    """Return whether the filter *name* is for a code."""
    return name.startswith(_CODE)


def parse_code(text: str) -> tuple[str, str]:
    """Return the system and the code of *text*, which is written ``SYSTEM:CODE``.

    Raises:
        QueryError: one of the two is missing.
    """
    system, _, code = text.partition(":")
    if not (system and code):
        raise QueryError(f"{_CODE}{text} does not name a system and a code: write it as in {CODE_EXAMPLE}")
    return system, code


def parse_code_key(key: str) -> tuple[str, str] | None:
    """Return the system and the code that *key* asks for; None if it is an id or a name.

    >>> parse_code_key("code:RADLEX:RID1301"), parse_code_key("PE")
    (('RADLEX', 'RID1301'), None)

    Raises:
        QueryError: the system or the code is missing after ``code:``.
    """
    return parse_code(key[len(_CODE) :]) if key[: len(_CODE)].lower() == _CODE else None


@lru_cache(maxsize=256)
def _system(name: str) -> str:
    bare = "".join([letter for letter in name if letter.isalnum()])
    return "snomedct" if bare in {"snomed", "sct", "snomedct", "snomedctus"} else bare
