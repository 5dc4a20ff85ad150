"""What a user may mean: names that go on as typed, and ids and tags that are spelt alike."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.terms import facet, tells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["SuggestionRow", "similar_ids", "nearest_tags", "suggest"]

_ID = re.compile(r"(OIFMA?)_([A-Z]+)_([0-9]+)")
_DIGITS = "0123456789"
_ID_DIGITS = 6
_TAG = "tag:"
_MOST = 5
_LIKE = 0.5  # of difflib: tags are short, so that one letter of two counts


def nearest_tags(wanted: str, tags: Iterable[str]) -> list[str] | None:
    """Return those of *tags* that are spelt like *wanted*, the nearest first; None if it is one of them.

    They are compared as filters are, in which spaces are underscores.

    >>> nearest_tags("x-ray", ["XR", "chest"]), nearest_tags("Soft_tissue", ["soft tissue"])
    (['XR'], None)
    """
    known = {facet("tag", tag): tag for tag in tags}
    filtered = facet("tag", wanted)
    if filtered in known:
        return None
    bare = {one.removeprefix(_TAG): tag for one, tag in known.items()}
    near = get_close_matches(filtered.removeprefix(_TAG), list(bare), _MOST, _LIKE)
    return [bare[one] for one in near]


def similar_ids(wanted: str, sources: Iterable[str]) -> list[str]:
    """Return the ids for which *wanted* may be a slip of the keyboard; most of them nothing has.

    The first is *wanted* as ids are written, with zeros in front. The others differ by one digit, or by one
    digit too many or too few, by two neighbours that are swapped, or by another of *sources*, the codes of
    organizations.

    >>> slips = similar_ids("OIFM_SMLP_000021", ["SMPL"])
    >>> "OIFM_SMPL_000021" in slips, "OIFM_SMLP_000012" in slips, similar_ids("pleural plaque", [])
    (True, True, [])
    """
    found = _ID.fullmatch(wanted.strip().upper().replace("-", "_").replace(" ", "_"))
    if found is None:
        return []
    kind, source, number = found.groups()
    numbers = [one for one in (number, *_slips(number)) if len(one.lstrip("0")) <= _ID_DIGITS]
    padded = [one.lstrip("0").rjust(_ID_DIGITS, "0") for one in numbers]
    others = [other for other in (*_swapped(source), *sources) if other != source]
    pairs = [*((source, one) for one in padded), *((other, one) for other in others for one in padded[:1])]
    return list(dict.fromkeys(f"{kind}_{code}_{one}" for code, one in pairs))


def _slips(number: str) -> Iterator[str]:
    yield from _swapped(number)
    for place in range(len(number)):
        yield from (number[:place] + digit + number[place + 1 :] for digit in _DIGITS)
        yield number[:place] + number[place + 1 :]
    for place in range(len(number) + 1):
        yield from (number[:place] + digit + number[place:] for digit in _DIGITS)


def _swapped(text: str) -> Iterator[str]:
    for place in range(len(text) - 1):
        yield text[:place] + text[place + 1] + text[place] + text[place + 2 :]


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
