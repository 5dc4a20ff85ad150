"""What the parts of the contract have in common: a crowd of records, and how to look at a store."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from findingmodel.text.normalize import tokenize
from tests.stores.samples import make_record

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import LabelRow, Record, TermQuery

WORDS = ("lung", "mass", "nodule", "heart", "cyst", "left")
TAGS = ("tag:ct", "tag:mr", "code:radlex:rid1@model")

some_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | some_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(some_text, inner, max_size=3),
    max_leaves=5,
)
# The store behind the fixture is filled once and only read, or the same model is written again and again.
on_one_store = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class OpenStore(Protocol):
    """Opens one more store on the test's own database."""

    async def __call__(self, branch: str = "main") -> Store:
        """Return a store of *branch* that is open; the fixture closes it."""
        ...


async def ids_of(store: Store, query: TermQuery, limit: int | None = 200) -> list[str]:
    return [candidate.oifm_id for candidate in await store.candidates(query, limit=limit)]


async def lexicon_of(store: Store) -> dict[str, LabelRow]:
    rows = [row async for chunk in store.iter_labels() for row in chunk]
    assert len({row.oifm_id for row in rows}) == len(rows)
    return {row.oifm_id: row for row in rows}


async def contents(store: Store) -> dict[str, Any]:
    """Everything that a store has to say of its models, in an order of ours; its words must be its names'."""
    manifest = sorted(await store.manifest())
    ids = [state.oifm_id for state in manifest]
    iter_labels = await lexicon_of(store)
    names = [name for row in iter_labels.values() for name in (row.name, *row.synonyms)]
    assert await store.words() in (None, Counter(tokenize("\n".join(names))))
    return {
        "manifest": manifest,
        "entries": await store.get(ids),
        "models": await store.models(ids),
        "people": await store.contributors("person"),
        "organizations": await store.contributors("organization"),
        "lexicon": iter_labels,
        "counts": await store.counts(),
    }


def does_match(record: Record, query: TermQuery) -> bool:
    """What `TermQuery` promises, in Python."""
    text = set(" ".join(record.terms).split())
    names = set(f"{record.terms.name} {record.terms.synonyms}".split())
    groups = [bool(text & set(group)) for group in query.groups if group]
    facets = all(set(group) & set(record.facets) for group in query.facets if group)
    if not groups and not any(query.facets):
        return False
    has_words = (all(groups) if query.match == "all" else any(groups)) if groups else True
    return has_words and facets and not names & set(query.excluded)


def pid_of_a_dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def crowd() -> list[Record]:
    """Records with every mixture of a few words and facets."""
    return [
        make_record(
            number,
            f"{WORDS[number % 6]} n{number}",
            synonyms=[WORDS[(number + 1) % 6]] if number % 2 else [],
            description=WORDS[(number // 2) % 6],
            other=WORDS[(number // 5) % 6],
            facets=[tag for bit, tag in enumerate(TAGS) if number >> bit & 1],
        )
        for number in range(36)
    ]
