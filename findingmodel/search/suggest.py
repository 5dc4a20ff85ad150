"""Suggest what a user may mean: names that begin as typed, and ids and tags with a similar spelling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from findingmodel.errors import QueryError
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.terms import facet, is_informative

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

_ID = re.compile(r"(OIFMA?)_([A-Z]+)_([0-9]+)")
_DIGITS = "0123456789"
_ID_DIGITS = 6
_TAG = "tag:"
_MAX_TAGS = 5
_TAG_SIMILARITY = 0.5  # of difflib; tags are short, so one different letter of two counts


def nearest_tags(tag: str, tags: Iterable[str]) -> list[str] | None:
    """Return those of *tags* with a spelling similar to *tag*, the nearest first; None if it is one of them.

    They are compared as filters are, in which spaces are underscores.

    >>> nearest_tags("x-ray", ["XR", "chest"]), nearest_tags("Soft_tissue", ["soft tissue"])
    (['XR'], None)
    """
    from difflib import get_close_matches  # seldom needed, and slow to import

    known = {facet("tag", other).removeprefix(_TAG): other for other in tags}
    name = facet("tag", tag).removeprefix(_TAG)
    if name in known:
        return None
    return [known[other] for other in get_close_matches(name, list(known), _MAX_TAGS, _TAG_SIMILARITY)]


def similar_ids(oifm_id: str, sources: Iterable[str]) -> list[str]:
    """Return the ids that *oifm_id* may be a typo of; most of them do not exist.

    The first is *oifm_id* as ids are written, with leading zeros. The others differ by one digit, one digit
    too many or too few, two swapped neighbours, or another of *sources*, the codes of organizations.

    >>> ids = similar_ids("OIFM_SMLP_000021", ["SMPL"])
    >>> "OIFM_SMPL_000021" in ids, "OIFM_SMLP_000012" in ids, similar_ids("pleural plaque", [])
    (True, True, [])
    """
    found = _ID.fullmatch(oifm_id.strip().upper().replace("-", "_").replace(" ", "_"))
    if found is None:
        return []
    kind, source, number = found.groups()
    numbers = [other for other in (number, *_slips(number)) if len(other.lstrip("0")) <= _ID_DIGITS]
    padded = [other.lstrip("0").rjust(_ID_DIGITS, "0") for other in numbers]
    others = [other for other in (*_swapped(source), *sources) if other != source]
    found_ids = [f"{kind}_{source}_{digits}" for digits in padded]
    found_ids += [f"{kind}_{other}_{digits}" for other in others for digits in padded[:1]]
    return list(dict.fromkeys(found_ids))


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


_MAX_WORDS = 60  # that a prefix may become; with more it does not choose candidates beside another prefix
_CANDIDATES = 300  # enough to choose the shortest labels from
_ALL = 1_000_000  # words: more than any index has


async def suggest(
    store: Store, vocabulary: Vocabulary, text: str, *, limit: int = 10
) -> list[tuple[EntryRow, str]]:
    """Return entries with the name or synonym of each that has a word beginning like each word of *text*.

    Labels that start with *text* come first, then labels of fewer words before longer ones, then by label.
    Text without a word suggests nothing. If more entries fit than can be ranked, those with the rarest words
    are.

    Raises:
        QueryError: *limit* is less than 1.
    """
    if limit < 1:
        raise QueryError(f"limit is {limit}: ask for at least one suggestion")
    prefixes = [american(word) for word in tokenize(text)]
    if not prefixes:
        return []
    known = await vocabulary.words()
    prefixes = [prefix for prefix in prefixes[:-1] if is_informative(stem(prefix))] + prefixes[-1:]
    groups = [_tokens(prefix, known) for prefix in prefixes]
    if not all(groups):
        return []
    counts = await vocabulary.count({token for group in groups for token in group})
    candidates = await store.terms.candidates(TermQuery(_choosing(groups, counts), "all"), limit=_CANDIDATES)
    entries = await store.get([candidate.oifm_id for candidate in candidates])
    start = fold(text)
    found = [
        (entry, label)
        for entry in entries.values()
        if (label := _best_label(entry, start, prefixes)) is not None
    ]
    found.sort(key=lambda one: (_order(one[1], start), one[0]["oifm_id"]))
    return found[:limit]


def _tokens(prefix: str, known: WordList) -> tuple[str, ...]:
    return tuple(dict.fromkeys([stem(word) for word in known.starting(prefix, _ALL)]))


def _choosing(groups: Sequence[tuple[str, ...]], counts: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """Return the tokens to ask for, of so few entries that every store returns the same ones.

    The prefix with the fewest entries chooses; another is used if it may become few words only.
    """
    rarest = min(groups, key=lambda group: sum(counts[token] for token in group))
    chosen: list[str] = []
    entries = 0
    for token in sorted(rarest, key=lambda token: (counts[token], token)):
        entries += counts[token]
        if chosen and entries > _CANDIDATES:
            break
        chosen.append(token)
    others = [group for group in groups if group is not rarest and len(group) <= _MAX_WORDS]
    return (tuple(chosen), *others)


def _best_label(entry: EntryRow, start: str, prefixes: Sequence[str]) -> str | None:
    """Return the name or synonym of *entry* that fits best; None if none fits."""
    labels = [label for label in (entry["name"], *(entry["synonyms"] or ())) if _fits(label, prefixes)]
    return min(labels, key=lambda label: _order(label, start), default=None)


def _order(label: str, start: str) -> tuple[bool, int, str]:
    folded = fold(label)
    return not folded.startswith(start), len(label.split()), folded


def _fits(label: str, prefixes: Sequence[str]) -> bool:
    words = [american(word) for word in tokenize(label)]
    return all(any(word.startswith(prefix) for word in words) for prefix in prefixes)
