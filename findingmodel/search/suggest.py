"""suggest: names for what a user has typed so far; every word may be unfinished, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.tables import importance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["Suggestion", "suggest"]

_MOST_WORDS = 60
_CANDIDATES = 200


class Suggestion(NamedTuple):
    """An entry that may be meant, and the name or synonym of it that goes on as typed."""

    entry: EntryRow
    label: str


async def suggest(store: Store, vocabulary: Vocabulary, text: str, *, limit: int = 10) -> list[Suggestion]:
    """Return the entries of which one name or synonym has a word for each word of *text*, beginning like it.

    First come those whose label starts with *text*, then shorter labels before longer ones, names before
    synonyms. Text without a word suggests nothing.
    """
    prefixes = [american(word) for word in tokenize(text)]
    if not prefixes:
        return []
    known = await vocabulary.words()
    telling = [prefix for prefix in prefixes[:-1] if importance().get(stem(prefix), 1.0) > 0] + prefixes[-1:]
    groups = tuple(_tokens(prefix, known) for prefix in telling)
    if not all(groups):
        return []
    candidates = await store.candidates(TermQuery(groups, "all"), limit=_CANDIDATES)
    entries = await store.get([candidate.oifm_id for candidate in candidates])
    found = [
        (order, entry["oifm_id"], Suggestion(entry, label))
        for entry in entries.values()
        for order, label in _best_label(entry, fold(text), telling)
    ]
    return [suggestion for _, _, suggestion in sorted(found, key=lambda one: one[:2])[:limit]]


def _tokens(prefix: str, known: WordList) -> tuple[str, ...]:
    return tuple(dict.fromkeys([stem(word) for word in known.starting(prefix, _MOST_WORDS)]))


_Order = tuple[bool, int, str]


def _best_label(entry: EntryRow, typed: str, prefixes: Sequence[str]) -> list[tuple[_Order, str]]:
    """Return the label of *entry* that fits best with its order; nothing if none fits."""
    labels = (entry["name"], *(entry["synonyms"] or ()))
    fitting = [
        ((not fold(label).startswith(typed), len(label.split()), fold(label)), label)
        for label in labels
        if _fits(label, prefixes)
    ]
    return [min(fitting)] if fitting else []


def _fits(label: str, prefixes: Sequence[str]) -> bool:
    words = [american(word) for word in tokenize(label)]
    return all(any(word.startswith(prefix) for word in words) for prefix in prefixes)
