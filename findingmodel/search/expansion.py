"""Expand a query: what its words may stand for in an index, and how much each word weighs.

Each source of expansions is one small function, and belongs to one of `STAGES`. Expansions of all sources are
scored alike (`findingmodel.search.rank`), so a source can be added without changing the others.
"""

from __future__ import annotations

import re
from functools import cached_property
from math import ceil, prod
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.search import thesaurus
from findingmodel.search.meaning import meaning_table
from findingmodel.text.opposites import are_opposites, is_grade_word, same_grade
from findingmodel.text.stem import american, analyze, stem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from findingmodel.search.thesaurus import Form
    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.text.query import Query, Word

STAGES = ("words", "compound", "initials", "meaning", "technical", "similar", "prefix", "typo")

# The quality of the expansions of each source; of the last two the highest possible.
_JOINED = 0.95
_SPLIT = 0.9
_INITIALS = 0.85
_TECHNICAL = 0.8
_PLAIN = 0.75
_COMPLETED = 0.85
_SIMILAR = 0.9  # of the similarity
_CORRECTED = 0.95

_WORTH_SIMILAR = 0.3  # the weight of a word
_ABBREVIATION = range(3, 7)  # letters
_SHORTEST_PART = 3
_SHORTEST_GLUED = 2  # letters of "ti" in "tirads"
_SHORTEST_STEM = 4  # letters after a prefix
_PREFIXES = (
    *("anti", "endo", "extra", "hemi", "hyper", "infra", "inter", "intra", "juxta", "macro", "micro", "mid"),
    *("multi", "non", "para", "peri", "post", "pre", "retro", "semi", "sub", "supra", "trans", "ultra"),
)
_LEVELS = re.compile(r"(?:[ctls]\d{1,2}){2,}")  # vertebrae
_LEVEL = re.compile(r"[ctls]\d{1,2}")
_RUN = re.compile(r"[^\W\d_]+|\d+")
_SHORTEST_COMPOUND = 7
_MAX_COMPLETIONS = 24
_UNFINISHED = 3  # letters: a last word as short may be unfinished
_SYNONYM = 0.85  # an expansion of at least this quality counts in the frequency of its word


class Expansion(NamedTuple):
    """What some words of a query may stand for.

    Attributes:
        places: the positions of the words in the query.
        tokens: the tokens that an entry has instead; all of them, if there are several.
        quality: how well they stand for the words, from 0 to 1.
        stage: one of `STAGES`.
    """

    places: tuple[int, ...]
    tokens: tuple[str, ...]
    quality: float
    stage: str


class Plan:
    """A query with the expansions that an index has.

    Args:
        query: the parsed query.
        expansions: those whose tokens at least one entry has.
        counts: the number of entries that have each of these tokens.
        vocabulary: the words of the index.

    Attributes:
        query, expansions, counts: as given.
        words: the words of the query.
        weights: the weight of each word in this index: its own weight times its rarity.
        label: the text of the query, analysed as a name or synonym would be.
        unknown: places of the words without an expansion.
    """

    def __init__(
        self, query: Query, expansions: Sequence[Expansion], counts: Mapping[str, int], vocabulary: Vocabulary
    ) -> None:
        self._entries = max(vocabulary.entries, 1)
        self.query = query
        self.words = query.words
        self.expansions = expansions
        self.label = " ".join(analyze(query.key))
        self.unknown = frozenset(_unknown_places(query.words, expansions))
        self.counts = counts
        rarity = vocabulary.rarity
        self.weights = [
            word.weight * rarity(self._frequency(place)) for place, word in enumerate(query.words)
        ]

    @cached_property
    def by_token(self) -> dict[str, list[Expansion]]:
        """The expansions by each of their tokens."""
        found: dict[str, list[Expansion]] = {}
        for expansion in self.expansions:
            for token in expansion.tokens:
                found.setdefault(token, []).append(expansion)
        return found

    @cached_property
    def by_place(self) -> list[list[Expansion]]:
        """The expansions of each word, the best first."""
        found: list[list[Expansion]] = [[] for _ in self.words]
        for expansion in sorted(self.expansions, key=lambda one: -one.quality):
            for place in expansion.places:
                found[place].append(expansion)
        return found

    def _frequency(self, place: int) -> int:
        """Return how many entries have the word at *place*, or an expansion that is as good."""
        own = self.by_place[place]
        good = [expansion for expansion in own if expansion.quality >= _SYNONYM] or own
        return max([self._expected(expansion.tokens) for expansion in good], default=0)

    def _expected(self, tokens: Sequence[str]) -> int:
        """Return how many entries would have all of *tokens* if these were independent."""
        share = prod([self.counts[token] / self._entries for token in tokens])
        return ceil(share * self._entries)


async def make_plan(query: Query, vocabulary: Vocabulary, stages: Collection[str] = STAGES) -> Plan:
    """Return *query* with its expansions of these *stages*.

    The vocabulary is asked for all words at once, and for its list of written words only if a word is unknown
    or unfinished.
    """
    words = query.words
    expansions = await _in_index(_expand(words), stages, vocabulary)
    unknown = _unknown_places(words, [one for one in expansions if one.stage != "similar"])
    is_unfinished = _is_unfinished(query)
    if unknown or is_unfinished:
        guesses = _guess(words, unknown, is_unfinished, await vocabulary.words())
        expansions += await _in_index(guesses, stages, vocabulary)
    counts = await vocabulary.count({token for expansion in expansions for token in expansion.tokens})
    return Plan(query, expansions, counts, vocabulary)


def _expand(words: Sequence[Word]) -> list[Expansion]:
    """Return the expansions of words that are complete and spelled correctly."""
    sources = (
        literal_words,
        joined_words,
        prefixed_words,
        initials,
        meanings,
        technical_words,
        plain_words,
        similar_words,
    )
    return [expansion for source in sources for expansion in source(words)]


def _guess(
    words: Sequence[Word], unknown: Sequence[int], is_unfinished: bool, known: WordList
) -> list[Expansion]:
    """Return expansions of unknown words, which may be in the wrong case, unfinished or mistyped."""
    capitals = [word._replace(capitals=len(word.text) < _ABBREVIATION.stop) for word in words]
    abbreviations = [*initials(capitals), *meanings(capitals)]
    found = [expansion for expansion in abbreviations if not set(expansion.places).isdisjoint(unknown)]
    for place in unknown:
        completed = list(completions(place, words[place], known))
        found += split_words(place, words[place], known)
        found += glued_words(place, words[place])
        found += completed or corrections(words, place, known)
    last = len(words) - 1
    if is_unfinished and last not in unknown:
        found += completions(last, words[last], known)
    return found


def _is_unfinished(query: Query) -> bool:
    last = query.words[-1] if len(query.words) > 1 else None
    return last is not None and len(last.text) <= _UNFINISHED and not last.capitals and not query.narrative


async def _in_index(
    expansions: Sequence[Expansion], stages: Collection[str], vocabulary: Vocabulary
) -> list[Expansion]:
    """Return the *expansions* of these *stages* whose tokens all occur in the index."""
    chosen = [expansion for expansion in expansions if expansion.stage in stages]
    counts = await vocabulary.count({token for expansion in chosen for token in expansion.tokens})
    return [expansion for expansion in chosen if all(counts[token] for token in expansion.tokens)]


def _unknown_places(words: Sequence[Word], expansions: Sequence[Expansion]) -> list[int]:
    known = {place for expansion in expansions for place in expansion.places}
    return [place for place in range(len(words)) if place not in known]


# The sources


def literal_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield the words themselves; "2" in "type 2" is also "II"."""
    for place, word in enumerate(words):
        yield Expansion((place,), (word.token,), 1.0, "words")
        if place and is_grade_word(words[place - 1].token):
            for token in same_grade(word.token):
                yield Expansion((place,), (token,), 1.0, "words")


def joined_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield adjacent words written as one: "pace maker", "acro-osteolysis"."""
    for place in range(len(words) - 1):
        first, second = words[place].text, words[place + 1].text
        if first.isalpha() and second.isalpha():
            yield Expansion((place, place + 1), (stem(first + second),), _JOINED, "compound")


def prefixed_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield a word as its prefix and the rest, as some names are written: "extraaxial", "post-operative"."""
    for place, word in enumerate(words):
        text = american(word.text)
        for prefix in _PREFIXES:
            if text.startswith(prefix) and len(text) - len(prefix) >= _SHORTEST_STEM:
                yield Expansion((place,), (stem(prefix), stem(text[len(prefix) :])), _SPLIT, "compound")


def glued_words(place: int, word: Word) -> Iterator[Expansion]:
    """Yield the parts of an unknown word that was written without spaces: "L5S1", "birads4", "tirads"."""
    levels = _LEVELS.fullmatch(word.text) and _LEVEL.findall(word.text)
    if levels:
        yield Expansion((place,), tuple(map(stem, levels)), _SPLIT, "compound")
        return
    parts = _RUN.findall(word.text)
    letters = parts[0]
    for end in range(_SHORTEST_GLUED, len(letters) - _SHORTEST_PART):
        split = (letters[:end], letters[end:], *parts[1:])
        yield Expansion((place,), tuple(map(stem, split)), _SPLIT, "compound")
    if len(parts) > 1:
        yield Expansion((place,), tuple(map(stem, parts)), _SPLIT, "compound")


def initials(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield short words as the initials of a name: "AAA"."""
    for place, word in enumerate(words):
        if len(word.text) in _ABBREVIATION and word.text.isalpha() and (word.capitals or len(words) == 1):
            yield Expansion((place,), (f"_{word.text}",), _INITIALS, "initials")


def meanings(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield other words for the same thing, from the thesaurus."""
    tokens = [word.token for word in words]
    for place, word in enumerate(words):
        for meaning, places in thesaurus.meanings_at(tokens, place):
            if meaning.capitals and not (word.capitals or len(words) == 1):
                continue
            for others, quality in meaning.others:
                yield Expansion(places, others, quality, "meaning")


def technical_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield technical words made of a body part and an observation: "big heart" makes "cardiomegaly"."""
    if len(words) < 2:
        return
    tokens = [word.token for word in words]
    observations = _forms_in(tokens, thesaurus.forms("observations"))
    parts = _forms_in(tokens, thesaurus.forms("parts")) if observations else []
    for observation, observed_at in observations:
        for part, part_at in parts:
            if set(part_at).isdisjoint(observed_at):
                for word in _compounds(part, observation):
                    yield Expansion((*part_at, *observed_at), (stem(word),), _TECHNICAL, "technical")


def plain_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield technical words in plain ones: "prostatomegaly" is an enlarged prostate."""
    for place, word in enumerate(words):
        if len(word.text) >= _SHORTEST_COMPOUND:
            for part, observation in thesaurus.decompose(american(word.text)):
                yield Expansion((place,), (*part, *observation), _PLAIN, "technical")


def similar_words(words: Sequence[Word]) -> Iterator[Expansion]:
    """Yield the words nearest in meaning, from the learned table."""
    for place, word in enumerate(words):
        if word.weight >= _WORTH_SIMILAR:
            for token, similarity in meaning_table().neighbours(word.token):
                yield Expansion((place,), (token,), _SIMILAR * similarity, "similar")


def _forms_in(tokens: Sequence[str], forms: Sequence[Form]) -> list[tuple[str, tuple[int, ...]]]:
    """Return those of *forms* whose words stand in *tokens*, with the places of the words."""
    found = []
    for form in forms:
        if form.words[0] in tokens:
            first = tokens.index(form.words[0])
            if tuple(tokens[first : first + len(form.words)]) == form.words:
                found.append((form.form, tuple(range(first, first + len(form.words)))))
    return found


def _compounds(part: str, observation: str) -> tuple[str, ...]:
    """Return the words that two forms make: "cardi" and "-megaly", "brady-" and "cardi"."""
    if observation.startswith("-"):
        return (part + observation[1:], f"{part}o{observation[1:]}")
    return (observation[:-1] + part, f"{observation[:-1]}{part}us", f"{observation[:-1]}{part}ia")


def split_words(place: int, word: Word, known: WordList) -> Iterator[Expansion]:
    """Yield an unknown word as two known ones: "groundglass"."""
    text = american(word.text)
    for end in range(_SHORTEST_PART, len(text) - _SHORTEST_PART + 1):
        if text[:end] in known and text[end:] in known:
            yield Expansion((place,), (stem(text[:end]), stem(text[end:])), _SPLIT, "compound")


def completions(place: int, word: Word, known: WordList) -> Iterator[Expansion]:
    """Yield the words that begin like an unfinished word: "pneum"."""
    prefix = american(word.text)
    for text in known.starting(prefix, _MAX_COMPLETIONS):
        if text != prefix:
            quality = _COMPLETED * (0.5 + 0.5 * len(prefix) / len(text))
            yield Expansion((place,), (stem(text),), quality, "prefix")


def corrections(words: Sequence[Word], place: int, known: WordList) -> Iterator[Expansion]:
    """Yield the known words nearest to a mistyped word, and their meanings.

    A word in capitals is an abbreviation, and never a typo of another. No word is a typo of its opposite.
    """
    if words[place].capitals:
        return
    for text, distance in known.similar(american(words[place].text)):
        if are_opposites(words[place].token, stem(text)):
            continue
        quality = _CORRECTED * (1 - distance / len(text))
        corrected = [*words[:place], words[place]._replace(text=text, token=stem(text)), *words[place + 1 :]]
        yield Expansion((place,), (stem(text),), quality, "typo")
        for expansion in meanings(corrected):
            if place in expansion.places:
                yield expansion._replace(quality=quality * expansion.quality, stage="typo")
