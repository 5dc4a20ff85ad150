"""Split a report into sections, sentences and words, all with offsets into the text as given."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.cues import NEGATION
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import stem
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATA = Path(__file__).with_name("data")

FINDINGS = "findings"
_ONE_LINE = frozenset(("indication", "history", "technique"))
_ONE_SENTENCE = "comparison"
_LONGEST_HEADING = 7  # words

_HEADING = re.compile(
    r"(?:(?<=\n)|(?<=[.;] )|(?<=[.;]\n)|^)[ \t]*(?:[-*•]\s*|\(?\d{1,2}[.)]\s+)?"
    r"([^\W\d_][\w/&()+,'-]*(?:[ \t]+[\w/&()+'-]+){0,6})[ \t]*:(?=\s|$|[^\W\d_])"
)
_TITLE_LINE = re.compile(r"^[ \t]*([A-Z][A-Z/& ]{3,40})[ \t]*$", re.MULTILINE)
_WRAPPED = re.compile(r"(?<![.!?;:\n])\r?\n(?=[ \t]*[a-z(])")
_BREAK = re.compile(r"!(?=\s|$)|(?<=\w)\?(?=\s|$)|\.(?=\s|$)|\.(?=[A-Z][a-z])|\r?\n|;")
_ABBREVIATED = re.compile(
    r"\b(?:approx|ca|cf|dr|eg|e\.g|fig|ie|i\.e|incl|max|min|mr|mrs|ms|resp|st|vs|no|prob|poss|[a-z])$",
    re.IGNORECASE,
)
_ITEM_NUMBER = re.compile(r"[\s(]*\d{1,2}")
_WORD = re.compile(
    r"(?<!\w)[wrscdhfby]/[a-z]{0,3}(?![\w/])|(?<![\w-])-ve\b|\?|&|"
    r"\d+(?:[.,]\d+)*(?![\w])|[^\W_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}](?:s|t)?\b)?",
    re.IGNORECASE,
)
_MARKS = ",:;()/-"


class Word(NamedTuple):
    """One word of a report.

    Attributes:
        text: folded, shorthand written out.
        stem: its stem.
        start, end: its offsets in the text.
        mark: the punctuation before it: one of "," ":" "(" ")" "/" "-", or "".
        capitals: whether it is written in capitals.
    """

    text: str
    stem: str
    start: int
    end: int
    mark: str = ""
    capitals: bool = False


class Section(NamedTuple):
    """A part of a report under one heading.

    Attributes:
        name: "indication", "history", "technique", "comparison", "findings" or "impression".
        start, end: its offsets, without the heading.
        heading: the heading as written; "" if it has none.
    """

    name: str
    start: int
    end: int
    heading: str = ""


class Sentence(NamedTuple):
    """A sentence of a report.

    Attributes:
        start, end: its offsets.
        section: the name of its section.
        words: its words.
        topic: the words of a heading such as "LUNGS:" that it stands under.
    """

    start: int
    end: int
    section: str
    words: tuple[Word, ...]
    topic: tuple[Word, ...] = ()


class Document(NamedTuple):
    """A report in parts; sentences without a word are left out."""

    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]


def parse_document(text: str) -> Document:
    r"""Return the sections and sentences of *text*.

    >>> document = parse_document("INDICATION: Cough.\nLungs: clear. No PE.\nIMPRESSION: Normal.")
    >>> [(section.name, section.heading) for section in document.sections]
    [('indication', 'INDICATION'), ('findings', ''), ('impression', 'IMPRESSION')]
    >>> [(one.section, [word.text for word in one.topic]) for one in document.sentences]
    [('indication', []), ('findings', ['lungs']), ('findings', ['lungs']), ('impression', [])]
    """
    headings = list(_headings(text))
    found = tuple(_sections(text, headings))
    topics = [heading for heading in headings if heading.name is None]
    split: list[Sentence] = []
    for section in found:
        split += _sentences(text, section, topics)
    return Document(found, tuple(split))


class _Heading(NamedTuple):
    name: str | None  # of the section, None for the heading of a topic
    start: int
    text_end: int
    end: int  # where its text begins


def _headings(text: str) -> Iterator[_Heading]:
    names = _heading_names()
    found: list[_Heading] = []
    for match in _HEADING.finditer(text):
        name = names.get(fold(match[1]).removesuffix("(s)"))
        if name or len(match[1].split()) <= _LONGEST_HEADING:
            found.append(_Heading(name, match.start(1), match.end(1), match.end()))
    for match in _TITLE_LINE.finditer(text):
        name = names.get(fold(match[1]))
        if name:
            found.append(_Heading(name, match.start(1), match.end(1), match.end()))
    return iter(sorted(found, key=lambda one: one.start))


@cache
def _heading_names() -> Mapping[str, str]:
    return {heading: title for title, body in sections(DATA / "headings.txt") for heading in body}


def _sections(text: str, headings: list[_Heading]) -> Iterator[Section]:
    """Yield the sections; a request ends with its line, and a comparison with its first sentence."""
    name, heading, start = FINDINGS, "", 0
    for one in [*(one for one in headings if one.name), None]:
        end = len(text) if one is None else one.start
        yield from _ended(text, name, heading, start, end)
        if one is not None:
            name, heading, start = one.name or FINDINGS, text[one.start : one.text_end], one.end


def _ended(text: str, name: str, heading: str, start: int, end: int) -> Iterator[Section]:
    limit = end
    if name in _ONE_LINE or name == _ONE_SENTENCE:
        limit = _end_of_request(text, start, end, is_short=name == _ONE_SENTENCE)
    if text[start:limit].strip() or heading:
        yield Section(name, start, limit, heading)
    if limit < end and text[limit:end].strip():
        yield Section(FINDINGS, limit, end)


def _end_of_request(text: str, start: int, end: int, *, is_short: bool) -> int:
    """Return where the text of a request, which begins at *start*, ends."""
    while start < end and text[start].isspace():
        start += 1
    for match in _BREAK.finditer(text, start, end):
        if match[0].endswith("\n"):
            before = text[start : match.start()].rstrip()
            following = text[match.end() : end].lstrip(" \t")
            if before.endswith((".", "!", "?", ";")) or not following[:1].islower():
                return match.end()
        elif is_short and match[0] == "." and not _is_abbreviation(text, start, match.start()):
            return match.end()
    return end


def _sentences(text: str, section: Section, topics: list[_Heading]) -> Iterator[Sentence]:
    topic: tuple[Word, ...] = ()
    topic_line = -1
    inside = [one for one in topics if section.start <= one.start < section.end]
    for start, end in _spans(text, section, inside):
        heading = next((one for one in inside if start == one.start), None)
        if heading is not None:
            topic = tuple(words_of(text, heading.start, heading.text_end))
            topic_line = text.count("\n", 0, start)
            start = heading.end
        elif topic and text.count("\n", 0, start) != topic_line:
            topic = ()
        words = tuple(words_of(text, start, end))
        if words:
            yield Sentence(words[0].start, words[-1].end, section.name, words, topic)


def _spans(text: str, section: Section, topics: list[_Heading]) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each sentence; the heading of a topic begins one."""
    start = section.start
    wrapped = {match.start() for match in _WRAPPED.finditer(text, section.start, section.end)}
    starts = [one.start for one in topics]
    for match in _BREAK.finditer(text, section.start, section.end):
        if match.start() < start or (match[0].endswith("\n") and match.start() in wrapped):
            continue
        if match[0] == "." and _ITEM_NUMBER.fullmatch(text, start, match.start()):
            start = match.end()
            continue
        if match[0] == "." and _is_abbreviation(text, start, match.start()):
            continue
        yield from _cut(start, match.end(), starts)
        start = match.end()
    if start < section.end:
        yield from _cut(start, section.end, starts)


def _cut(start: int, end: int, starts: list[int]) -> Iterator[tuple[int, int]]:
    for cut in starts:
        if start < cut < end:
            yield start, cut
            start = cut
    yield start, end


def _is_abbreviation(text: str, start: int, stop: int) -> bool:
    """Return whether the full stop at *stop* belongs to an abbreviation; after one letter text goes on."""
    found = _ABBREVIATED.search(text, max(start, stop - 8), stop)
    if found is None:
        return False
    following = text[stop + 1 : stop + 3].lstrip()
    return len(found[0]) > 1 or following[:1].islower()


def words_of(text: str, start: int, end: int) -> Iterator[Word]:
    """Yield the words of *text* between two offsets.

    >>> [(word.text, word.mark) for word in words_of("Cyst w/o septa, can't exclude PE", 0, 32)]
    [('cyst', ''), ('without', ''), ('septa', ''), ('can', ','), ('not', ''), ('exclude', ''), ('pe', '')]
    """
    last = start
    for match in _WORD.finditer(text, start, end):
        first, stop = match.span()
        mark = _mark(text, last, first)
        written = match[0]
        for one, root in _forms(written):
            yield Word(one, root, first, stop, mark, written.isupper())
            mark = ""
        last = stop


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """Return the stem of a folded word, other than that of its organ if it names an inflammation.

    >>> root("nodules"), root("sinuses"), root("sinusitis")
    ('nodul', 'sinus', 'sinusitis')
    """
    found = stem(word)
    return f"{found}itis" if word.endswith("itis") and not found.endswith("iti") else found


def roots(text: str) -> list[str]:
    """Return the `root` of each word of *text*, in order."""
    return [root(word) for word in tokenize(text)]


def _mark(text: str, start: int, end: int) -> str:
    if end - start == 1 and text[start] == " ":
        return ""
    gap = text[start:end]
    return next((mark for mark in _MARKS if mark in gap), "")


@lru_cache(maxsize=65_536)
def _forms(written: str) -> tuple[tuple[str, str], ...]:
    """Return the folded words, each with its stem, that a written word stands for."""
    word = fold(written)
    if "/" in word:
        return tuple((one, root(one)) for one in _shorthand().get(word, word.replace("/", "")).split())
    if word.endswith("n't") or word == "can't":
        return _contracted(word)
    bare = word.removesuffix("'s").removesuffix("'")
    return ((bare, root(bare)),)


def _contracted(word: str) -> tuple[tuple[str, str], ...]:
    verb = "can" if word == "can't" else word[:-3]
    return ((verb, stem(verb)), ("not", "not"))


@cache
def _shorthand() -> Mapping[str, str]:
    table = NEGATION.with_name("shorthand.txt")
    return dict(line.split(" -> ") for line in lines(table))
