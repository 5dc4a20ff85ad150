"""Correct mistyped words of a report, where an index has a word that is one or two letters away."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from findingmodel.reports.concepts import SEARCH_TABLES
from findingmodel.reports.document import DATA, root
from findingmodel.search.vocabulary import Speller
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american
from findingmodel.text.terms import importance

if TYPE_CHECKING:
    from findingmodel.reports.document import Sentence, Word
    from findingmodel.reports.lexicon import Lexicon

_SHORTEST = 6  # letters of a word that may be mistyped
_TWO_EDITS = 11  # letters of a word that may have two mistakes
_MOST_KNOWN = 50_000


@cache
def _known_words() -> frozenset[str]:
    """Return the words of all tables: none of them is a typo, and a typo may be of one."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted([*DATA.glob("*.txt"), *SEARCH_TABLES.glob("*.txt")])
    ]
    return frozenset(american(word) for text in texts for word in tokenize(text) if word.isalpha())


class Corrector:
    """Corrects words that neither the index nor a table has.

    Args:
        lexicon: the labels of the index.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon_words = lexicon.words
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
        speller, stems = self._known
        if stem in stems or text in importance():
            return ""
        most = 2 if len(text) >= _TWO_EDITS else 1
        found = [(other, edits) for other, edits in speller.similar(american(text)) if edits <= most]
        return found[0][0] if found and found[0][0][0] == text[0] else ""

    @cached_property
    def _known(self) -> tuple[Speller, frozenset[str]]:
        """The words to correct to, and the stems of words that are not typos."""
        known = _known_words() | {word for word in self._lexicon_words if word.isalpha()}
        return Speller(sorted(known)), frozenset(map(root, known)) | frozenset(importance())
