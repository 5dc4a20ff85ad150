"""What the parts of the contract share: sample records, and helpers that read a store."""

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
# The store of the fixture is filled once and only read, or the same model is written repeatedly.
on_one_store = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


class OpenStore(Protocol):
    """Opens one more store on the test's own database."""

    async def __call__(self, branch: str = "main") -> Store:
        """Return a store of *branch* that is open; the fixture closes it."""
        ...


async def ids_of(store: Store, query: TermQuery, limit: int | None = 200) -> list[str]:
    return [candidate.oifm_id for candidate in await store.terms.candidates(query, limit=limit)]


async def labels_of(store: Store) -> dict[str, LabelRow]:
    rows = [row async for chunk in store.terms.iter_labels() for row in chunk]
    assert len({row.oifm_id for row in rows}) == len(rows)
    return {row.oifm_id: row for row in rows}


async def contents(store: Store) -> dict[str, Any]:
    """Return everything in a store, sorted; check that its words are those of its names."""
    manifest = sorted(await store.manifest())
    ids = [state.oifm_id for state in manifest]
    labels = await labels_of(store)
    names = [name for row in labels.values() for name in (row.name, *row.synonyms)]
    assert await store.terms.words() in (None, Counter(tokenize("\n".join(names))))
    return {
        "manifest": manifest,
        "entries": await store.get(ids),
        "models": await store.models(ids),
        "people": await store.contributors("person"),
        "organizations": await store.contributors("organization"),
        "labels": labels,
        "counts": await store.counts(),
    }


def does_match(record: Record, query: TermQuery) -> bool:
    """Return whether *record* matches *query*, as `TermQuery` documents it."""
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
    """Return records with all combinations of a few words and facets."""
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
