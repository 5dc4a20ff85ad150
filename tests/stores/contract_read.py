"""The contract of a store: reading and searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.stores.records import Counts, Owner, PageMark, TermQuery, WriteBatch
from tests.stores.contract_support import TAGS, WORDS, crowd, does_match, ids_of, labels_of, on_one_store
from tests.stores.samples import make_id, make_record, organization, person, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Record


class LookupRules:
    """Entries are found by id, by key, by owner and by page."""

    async def test_ids_that_are_absent_are_left_out(self, filled: Store) -> None:
        assert list(await filled.get([make_id(3), "", "OIFM_NONE_000001", make_id(3).lower()])) == [
            make_id(3)
        ]

    async def test_a_read_may_have_more_ids_than_any_chunk(self, filled: Store) -> None:
        ids = [make_id(number) for number in range(2_500)]
        assert len(await filled.get(ids)) == 36
        assert len(await filled.models(ids)) == 36
        assert len(await filled.lookup([oifm_id.lower() for oifm_id in ids])) == 36

    async def test_an_entry_is_found_by_every_key_and_once(self, store: Store) -> None:
        record = make_record(1, "mass", synonyms=["lump", 'it\'s "a $mass" (2.5*)'])
        await store.setup()
        await store.write(upserts(record))
        for key in record.keys:
            assert await store.lookup([key]) == [record.entry]
        assert await store.lookup([*record.keys, "other"]) == [record.entry]
        assert await store.lookup(["Mass", "mas", "mass ", "", ".*", "m"]) == []

    async def test_every_entry_with_a_shared_key_is_found(self, store: Store) -> None:
        await store.setup()
        await store.write(
            WriteBatch(upserts=[make_record(number, synonyms=["shared"]) for number in range(5)])
        )
        found = await store.lookup(["shared", "finding 1"])
        assert sorted(entry["oifm_id"] for entry in found) == [make_id(number) for number in range(5)]

    async def test_every_owner_of_a_key_is_returned(self, store: Store) -> None:
        same = [make_record(number)._replace(identity=(f"own {number}", "name:same")) for number in (1, 2)]
        await store.setup()
        await store.write(upserts(*same))
        assert sorted(await store.owners(["name:same", "own 2", "nobody's"])) == [
            Owner("name:same", make_id(1), "finding_1.fm.json"),
            Owner("name:same", make_id(2), "finding_2.fm.json"),
            Owner("own 2", make_id(2), "finding_2.fm.json"),
        ]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["name", "oifm_id", "filename"])
    async def test_pages_are_sorted_and_complete(self, store: Store, sort: str, descending: bool) -> None:
        names = ["b", "A", "c", "Ä", "a b", "Z", "z1"]
        records = [
            make_record(number, name, path=f"{number * 7 % 5}/{name}.fm.json")
            for number, name in enumerate(names)
        ]
        await store.setup()
        await store.write(upserts(*records))
        pages = [
            await store.page(sort=sort, descending=descending, offset=offset, limit=3)
            for offset in (0, 3, 6, 9)
        ]

        def key(record: Record) -> str:
            values = {
                "name": record.entry["name"].lower(),
                "oifm_id": make_id(0),
                "filename": record.file.path,
            }
            return values[sort] if sort != "oifm_id" else record.entry["oifm_id"]

        expected = [record.entry for record in sorted(records, key=key, reverse=descending)]
        assert [len(page) for page in pages] == [3, 3, 1, 0]
        assert [entry for page in pages for entry in page] == expected

    async def test_a_page_of_no_entries_is_empty(self, filled: Store) -> None:
        assert await filled.page(sort="name", descending=False, offset=0, limit=0) == []

    @pytest.mark.parametrize("sort", ["name", "oifm_id", "filename"])
    @pytest.mark.parametrize("descending", [False, True])
    async def test_a_page_follows_the_last_entry_of_another(
        self, filled: Store, sort: str, descending: bool
    ) -> None:
        twins = [make_record(n, "Lung N6", path="twin.fm.json") for n in (50, 51, 52)]
        await filled.write(WriteBatch(upserts=twins))
        everything = await filled.page(sort=sort, descending=descending, offset=0, limit=100)
        found, after = [], None
        while page := await filled.page(sort=sort, descending=descending, offset=0, limit=2, after=after):
            found += page
            after = PageMark.of(page[-1], sort)
        assert found == everything
        assert len(found) == 39

    async def test_one_page_may_hold_everything(self, filled: Store) -> None:
        page = await filled.page(sort="oifm_id", descending=False, offset=0, limit=100_000)
        assert [entry["oifm_id"] for entry in page] == [make_id(number) for number in range(36)]

    async def test_contributors_are_stored_by_kind_and_ordered_by_key(self, store: Store) -> None:
        people = [person("bob"), person("ann", email="ann@example.org"), person("Zoe")]
        await store.setup()
        await store.write(WriteBatch(credits=[*people, organization("ACR"), organization("ann")]))
        assert await store.contributors("person") == sorted(people, key=lambda credit: credit.key)
        assert await store.contributors("organization") == [organization("ACR"), organization("ann")]
        assert await store.contributors("person", ["bob", "ACR", "nobody"]) == [people[0]]
        assert await store.counts() == Counts(0, 3, 2)

    async def test_a_contributor_is_replaced_whole_and_withdrawn_by_kind(self, store: Store) -> None:
        await store.setup()
        await store.write(WriteBatch(credits=[person("ann", email="ann@example.org"), organization("ann")]))
        await store.write(WriteBatch(credits=[person("ann")]))
        assert await store.contributors("person") == [person("ann")]
        await store.write(WriteBatch(withdrawn=[("person", "ann"), ("person", "nobody")]))
        assert await store.contributors("person") == []
        assert await store.contributors("organization") == [organization("ann")]

    async def test_credits_are_what_the_newest_model_states(self, store: Store) -> None:
        old = make_record(1, contributors=[person("ann", name="A."), organization("ACR")])
        one = make_record(
            2, contributors=[person("ann", name="Ann"), organization("ACR"), organization("ann")]
        )
        two = make_record(3, contributors=[person("ann", name="Ann B.", tags=["x"])])
        await store.setup()
        await store.write(upserts(two, one, old))
        found = await store.credits(["ann", "nobody"])
        assert sorted(found, key=lambda credit: credit.kind) == [one.credits[2], two.credits[0]]
        assert await store.credits(["ACR"]) == [one.credits[1]]


class SearchRules:
    """Candidates match the query, best first."""

    @on_one_store
    @given(
        groups=st.lists(st.lists(st.sampled_from((*WORDS, "absent")), max_size=2).map(tuple), max_size=3).map(
            tuple
        ),
        match=st.sampled_from(["all", "any"]),
        excluded=st.lists(st.sampled_from(WORDS), max_size=1).map(tuple),
        facets=st.lists(st.lists(st.sampled_from(TAGS), max_size=2).map(tuple), max_size=2).map(tuple),
    )
    async def test_candidates_are_those_that_match_and_no_others(self, filled: Store, **parts: Any) -> None:
        query = TermQuery(**parts)
        expected = {record.entry["oifm_id"] for record in crowd() if does_match(record, query)}
        found = await ids_of(filled, query)
        assert len(found) == len(set(found))
        assert set(found) == expected
        assert sorted(await ids_of(filled, query, limit=None)) == sorted(found)

    async def test_a_candidate_carries_its_terms(self, filled: Store) -> None:
        record = crowd()[7]
        found = await filled.terms.candidates(TermQuery((("n7",),)), limit=5)
        assert [(candidate.oifm_id, candidate.terms) for candidate in found] == [(make_id(7), record.terms)]

    async def test_a_limit_keeps_the_best(self, store: Store) -> None:
        weak = [make_record(number, description="mass") for number in range(20)]
        await store.setup()
        await store.write(upserts(*weak, make_record(20, "mass"), make_record(21, "lung mass")))
        query = TermQuery((("lung",), ("mass",)))
        assert (await ids_of(store, query, limit=1)) == [make_id(21)]
        assert set(await ids_of(store, query, limit=2)) == {make_id(20), make_id(21)}
        assert len(await ids_of(store, query, limit=200)) == 22
        assert await ids_of(store, query, limit=0) == []

    async def test_facets_alone_are_ordered_by_id(self, filled: Store) -> None:
        expected = [record.entry["oifm_id"] for record in crowd() if "tag:ct" in record.facets]
        assert await ids_of(filled, TermQuery((), facets=(("tag:ct",),))) == expected
        assert await ids_of(filled, TermQuery((), facets=(("tag:ct",),)), limit=4) == expected[:4]

    @pytest.mark.parametrize(
        "token", ['"', "-", "(", "*", "$", ".", "-mass", '"mass', "mass*", "$where", "OR", "a:b", "'"]
    )
    async def test_no_token_is_an_operator(self, filled: Store, token: str) -> None:
        asked = TermQuery(groups=((token,),), match="all")
        assert await ids_of(filled, asked) == []
        beside = TermQuery(groups=((token,), ("n7",)), match="any", excluded=(token,))
        assert await ids_of(filled, beside) == [make_id(7)]
        assert await ids_of(filled, TermQuery((("n7",),), facets=((token,),))) == []

    async def test_odd_tokens_that_were_stored_are_found(self, store: Store) -> None:
        odd = ["c++", "x-ray", "$ref", "a.b", "o'neill", "β2"]
        await store.setup()
        await store.write(
            WriteBatch(upserts=[make_record(n, description=f"{t} y") for n, t in enumerate(odd)])
        )
        for number, token in enumerate(odd):
            assert await ids_of(store, TermQuery(((token,),))) == [make_id(number)]

    async def test_frequencies_count_entries_or_are_not_offered(self, filled: Store) -> None:
        frequencies = await filled.terms.frequencies(["lung", "n7", "absent"])
        texts = [set(" ".join(record.terms).split()) for record in crowd()]
        expected = {
            token: count for token in ("lung", "n7") if (count := sum(token in text for text in texts))
        }
        assert frequencies is None or (frequencies.entries == 36 and dict(frequencies.counts) == expected)

    async def test_frequencies_of_all_tokens_are_those_of_each(self, filled: Store) -> None:
        everything = await filled.terms.frequencies(None)
        if everything is not None:
            assert {"lung", "n7"} <= everything.counts.keys()
            assert await filled.terms.frequencies([*everything.counts, "absent"]) == everything

    async def test_the_labels_contain_every_entry(self, filled: Store) -> None:
        iter_labels = await labels_of(filled)
        assert {oifm_id: row.terms for oifm_id, row in iter_labels.items()} == {
            record.entry["oifm_id"]: record.terms for record in crowd()
        }

    async def test_reading_labels_may_stop_early(self, filled: Store) -> None:
        async for chunk in filled.terms.iter_labels():
            assert chunk
            break
        assert len(await labels_of(filled)) == 36
