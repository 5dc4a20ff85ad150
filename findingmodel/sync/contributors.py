"""Contributors without a model: people and organizations that a caller adds by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.contributors import Organization, Person
from findingmodel.stores.records import Credit, WriteBatch
from findingmodel.sync.single import turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.model.contributors import Contributor
    from findingmodel.stores.records import ContributorKind
    from findingmodel.sync.single import Writing

__all__ = ["put_contributors"]


async def put_contributors(writing: Writing, contributors: Iterable[Contributor]) -> list[str] | None:
    """Write *contributors*; the next update that reads a file which names one believes the file.

    Returns:
        Of whom *contributors* say different things, in which case nothing is written; None if of nobody.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    given = list(contributors)
    if conflicts := [*_conflicts("Person", given, Person), *_conflicts("Organization", given, Organization)]:
        return conflicts
    if given:
        async with turn(writing) as store:
            await store.write(WriteBatch(credits=[*{_key(one): _credit(one) for one in given}.values()]))
    return None


def _conflicts(word: str, given: list[Contributor], kind: type[Contributor]) -> Iterator[str]:
    """Say in one sentence whose data differ."""
    said: dict[str, Contributor] = {}
    differing: dict[str, None] = {}
    for one in given:
        if isinstance(one, kind) and said.setdefault(_key(one), one) != one:
            differing[_key(one)] = None
    if differing:
        yield f"{word} conflicts: {list(differing)}"


def _key(one: Contributor) -> str:
    return one.github_username if isinstance(one, Person) else one.code


def _credit(one: Contributor) -> Credit:
    kind: ContributorKind = "person" if isinstance(one, Person) else "organization"
    return Credit(kind, _key(one), one.model_dump(mode="json", exclude_none=True), 0, "")
