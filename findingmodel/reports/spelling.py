"""Correct mistyped words of a report, where an index has a word that is one or two letters away."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from findingmodel.reports.document import DATA, root
from findingmodel.search.vocabulary import Speller
from findingmodel.text.cues import NEGATION
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american
from findingmodel.text.terms import importance

if TYPE_CHECKING:
    from findingmodel.reports.document import Sentence, Word
    from findingmodel.reports.lexicon import Lexicon

_SHORTEST = 6  # letters of a word that may be mistyped
_TWO_EDITS = 11  # letters of a word that may have two mistakes
_MOST_KNOWN = 50_000
_TABLES = ("certainty", "grammar", "headings", "exams", "change", "normal", "observations", "units")


@cache
def _words_of_tables() -> frozenset[str]:
    """Return the words of the small tables, which are no typos although they are not in labels."""
    paths = (NEGATION, NEGATION.with_name("grammar.txt"), *(DATA / f"{name}.txt" for name in _TABLES))
    return frozenset(tokenize(" ".join(path.read_text(encoding="utf-8") for path in paths)))


class Corrector:
    """Corrects words that neither the index nor a table has.

    Args:
        lexicon: the labels of the index.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._corrections: dict[str, str] = {}

    def corrected(self, sentence: Sentence) -> Sentence:
        """Return *sentence* with its mistyped words corrected; offsets stay those of the text."""
        changed = [self._corrected(word) for word in sentence.words]
        return (
            sentence
            if all(word is None for word in changed)
            else sentence._replace(
                words=tuple(new or word for new, word in zip(changed, sentence.words, strict=True))
            )
        )

    def _corrected(self, word: Word) -> Word | None:
        text = word.text
        if len(text) < _SHORTEST or not text.isalpha() or not text.isascii() or word.capitals:
            return None
        right = self._corrections.get(text)
        if right is None:
            if len(self._corrections) > _MOST_KNOWN:
                self._corrections.clear()
            right = self._corrections[text] = self._correction(text, word.stem)
        return word._replace(text=right, stem=root(right)) if right else None

    def _correction(self, text: str, stem: str) -> str:
        """Return the word that *text* is a typo of, or ""."""
        if self._lexicon.concepts.knows(stem) or text in importance() or stem in importance():
            return ""
        if text in _words_of_tables():
            return ""
        most = 2 if len(text) >= _TWO_EDITS else 1
        found = [(other, edits) for other, edits in self._speller.similar(american(text)) if edits <= most]
        return found[0][0] if found and found[0][0][0] == text[0] else ""

    @cached_property
    def _speller(self) -> Speller:
        """Finds the words of the labels and of the observations that are similar to another."""
        listed = tokenize((DATA / "observations.txt").read_text(encoding="utf-8"))
        return Speller(sorted({word for word in (*self._lexicon.words, *listed) if word.isalpha()}))
