"""Count how many models have each tag, and how many each contributor made."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.stores.paging import iter_pages
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import ContributorKind, EntryRow

_KINDS: tuple[ContributorKind, ...] = ("person", "organization")


class ContributorCount(NamedTuple):
    """A contributor and how many models name it.

    Attributes:
        kind: "person" or "organization".
        key: the GitHub user name, or the organization's code.
        name: in full.
        organization: a person's organization, as a code; None for an organization.
        models: how many.
    """

    kind: ContributorKind
    key: str
    name: str
    organization: str | None
    models: int


class TagCounter:
    """Counts the models of each tag; spellings that differ in case or accents are one tag."""

    def __init__(self) -> None:
        self._spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._models: Counter[str] = Counter()

    def add(self, entries: Iterable[EntryRow]) -> None:
        """Count the tags of *entries*; one that an entry has in two spellings counts once."""
        for entry in entries:
            tags = entry["tags"] or ()
            for tag in tags:
                self._spellings[fold(tag)][tag] += 1
            self._models.update({fold(tag) for tag in tags})

    def counts(self) -> dict[str, int]:
        """Return the models by tag, in its usual spelling; the most frequent tag first, then by name."""
        found = [(_usual(self._spellings[key]), models) for key, models in self._models.items()]
        return dict(sorted(found, key=lambda count: (-count[1], fold(count[0]))))


async def count_tags(store: Store) -> dict[str, int]:
    """Return how many models have each tag of the index, the most frequent first, then by name."""
    counter = TagCounter()
    async for entries in iter_pages(store, "oifm_id"):
        counter.add(entries)
    return counter.counts()


async def count_contributors(store: Store) -> list[ContributorCount]:
    """Return all people and organizations that models name, those of most models first, then by name."""
    models: Counter[str] = Counter()
    for state in await store.manifest():
        models.update(state.contributors)
    found = [
        ContributorCount(
            credit.kind,
            credit.key,
            str(credit.fields.get("name", "")),
            credit.fields.get("organization_code") if credit.kind == "person" else None,
            models[credit.key],
        )
        for kind in _KINDS
        for credit in await store.contributors(kind)
    ]
    return sorted(found, key=lambda one: (-one.models, fold(one.name), one.kind, one.key))


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda tag: (-spellings[tag], tag))
