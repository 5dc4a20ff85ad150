"""suggest: names for what a user has typed so far; every word may be unfinished, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.tables import tells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["SuggestionRow", "suggest"]

_MOST_WORDS = 60  # of a word begun; one that may become more of them chooses no candidates beside another
_CANDIDATES = 300  # enough to choose the shortest labels from
_EVERY = 1_000_000  # words: more than any index has


class SuggestionRow(NamedTuple):
    """An entry that may be meant, and the name or synonym of it that goes on as typed."""

    entry: EntryRow
    label: str


async def suggest(store: Store, vocabulary: Vocabulary, text: str, *, limit: int = 10) -> list[SuggestionRow]:
    """Return the entries of which one name or synonym has a word for each word of *text*, beginning like it.

    First come those whose label starts with *text*, then labels of fewer words before longer ones, then by
    label. Text without a word suggests nothing. So little may be typed that it fits more entries than can
    be looked at: then those with the rarest words are.

    Raises:
        QueryError: *limit* is less than 1.
    """
    if limit < 1:
        raise QueryError(f"limit is {limit}: ask for at least one suggestion")
    prefixes = [american(word) for word in tokenize(text)]
    if not prefixes:
        return []
    known = await vocabulary.words()
    telling = [prefix for prefix in prefixes[:-1] if tells(stem(prefix))] + prefixes[-1:]
    groups = [_tokens(prefix, known) for prefix in telling]
    if not all(groups):
        return []
    counts = await vocabulary.count({token for group in groups for token in group})
    query = TermQuery(_choosing(groups, counts), "all")
    candidates = await store.candidates(query, limit=_CANDIDATES)
    entries = await store.get([candidate.oifm_id for candidate in candidates])
    typed = fold(text)
    found = [
        SuggestionRow(entry, label)
        for entry in entries.values()
        if (label := _best_label(entry, typed, telling)) is not None
    ]
    found.sort(key=lambda one: (_order(one.label, typed), one.entry["oifm_id"]))
    return found[:limit]


def _tokens(prefix: str, known: WordList) -> tuple[str, ...]:
    return tuple(dict.fromkeys([stem(word) for word in known.starting(prefix, _EVERY)]))


def _choosing(groups: Sequence[tuple[str, ...]], counts: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """Return the tokens to ask for, so few entries having them that every store gives the same ones.

    The word with the fewest entries chooses; another helps if it may become few words only.
    """
    rarest = min(groups, key=lambda group: sum(counts[token] for token in group))
    chosen: list[str] = []
    entries = 0
    for token in sorted(rarest, key=lambda token: (counts[token], token)):
        entries += counts[token]
        if chosen and entries > _CANDIDATES:
            break
        chosen.append(token)
    others = [group for group in groups if group is not rarest and len(group) <= _MOST_WORDS]
    return (tuple(chosen), *others)


def _best_label(entry: EntryRow, typed: str, prefixes: Sequence[str]) -> str | None:
    """Return the name or synonym of *entry* that fits best; None if none fits."""
    labels = [label for label in (entry["name"], *(entry["synonyms"] or ())) if _fits(label, prefixes)]
    return min(labels, key=lambda label: _order(label, typed), default=None)


def _order(label: str, typed: str) -> tuple[bool, int, str]:
    folded = fold(label)
    return not folded.startswith(typed), len(label.split()), folded


def _fits(label: str, prefixes: Sequence[str]) -> bool:
    words = [american(word) for word in tokenize(label)]
    return all(any(word.startswith(prefix) for word in words) for prefix in prefixes)
