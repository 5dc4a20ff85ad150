"""What is kept of an entry's text so that it can be found, and how much each word tells. Pure."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.normalize import fold
from findingmodel.text.stem import analyze, stem
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BETWEEN",
    "BREAK",
    "SMALL_WORDS",
    "Terms",
    "analyze_entry",
    "code_facets",
    "facet",
    "importance",
    "initials",
    "negation",
    "tells",
    "written_out",
]

_DATA = Path(__file__).with_name("data")


@cache
def importance() -> Mapping[str, float]:
    """Return by word and by stem how much a word tells, where that is less than 1.

    >>> importance()["left"] < importance()["lesion"] < 1
    True
    """
    weights: dict[str, float] = {}
    for title, body in sections(_DATA / "importance.txt"):
        weight = float(title.split()[-1])
        words = fold(" ".join(body)).split()
        weights.update(dict.fromkeys([*words, *map(stem, words)], weight))
    return MappingProxyType(weights)


def tells(word: str) -> bool:
    """Return whether a word or stem tells anything about a finding, as small words do not."""
    return importance().get(word, 1.0) > 0


@cache
def negation() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return the cues of each kind, by the titles in the file, as their words, the longest first."""
    return MappingProxyType(
        {
            title: tuple(sorted((tuple(cue.split()) for cue in body), key=len, reverse=True))
            for title, body in sections(_DATA / "negation.txt")
        }
    )


def written_out(text: str) -> str:
    """Return *text* with its shorthand written out.

    >>> written_out("Cyst w/o septa, r/o PE")
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
"""What stands between two synonyms."""

SMALL_WORDS = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with")
)
"""Words that neither make initials nor tell labels apart."""

_SHORTEST, _LONGEST = 3, 6
_PLACES = ("model", "attribute", "value")


class Terms(NamedTuple):
    """The analysed text of one entry: tokens joined by single spaces, one string a field.

    Attributes:
        name: the name.
        synonyms: the synonyms, each set off from the next by ``BREAK``, which is no token of any query.
        description: the description; empty where it only repeats the name.
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
    """Return the token for the initials of *label*, or "" where nobody would use them.

    >>> initials("Abdominal aortic aneurysm"), initials("Cyst of the lung"), initials("loss of disc height")
    ('_aaa', '', '_ldh')
    """
    if label.count(" ") + label.count("-") < _SHORTEST - 1:  # most labels: not worth folding
        return ""
    words = [word for word in fold(label).replace("-", " ").split() if word not in SMALL_WORDS]
    if not _SHORTEST <= len(words) <= _LONGEST:
        return ""
    letters = "".join([word[0] for word in words])
    return f"_{letters}" if letters.isalpha() else ""


@lru_cache(maxsize=16_384)
def _repeated(text: str) -> tuple[str, ...]:
    """Analyse a tag or an attribute's name: a few thousand of them name everything."""
    return tuple(analyze(text))


@lru_cache(maxsize=16_384)
def facet(kind: str, value: str) -> str:
    """Return the token of an exact filter: no spaces, no case.

    A code is ``SYSTEM:CODE@PLACE``; systems are compared without punctuation, and the names of SNOMED CT are
    one.

    >>> facet("tag", "Soft tissue"), facet("code", "SNOMED-CT:40198004@model")
    ('tag:soft_tissue', 'code:snomedct:40198004@model')
    """
    text = fold(value)
    if kind == "code":
        system, _, code = text.partition(":")
        text = f"{_system(system)}:{code}"
    return f"{kind}:{text.replace(' ', '_')}"


@lru_cache(maxsize=16_384)
def code_facets(system: str, code: str) -> tuple[str, ...]:
    """Return the filters for a code at the model itself, at an attribute, and at a value, in this order.

    >>> code_facets("RadLex", "RID1301")[1]
    'code:radlex:rid1301@attribute'
    """
    anywhere = facet("code", f"{system}:{code}@")
    return tuple(anywhere + place for place in _PLACES)


@lru_cache(maxsize=256)
def _system(name: str) -> str:
    bare = "".join([letter for letter in name if letter.isalnum()])
    return "snomedct" if bare in {"snomed", "sct", "snomedct", "snomedctus"} else bare
