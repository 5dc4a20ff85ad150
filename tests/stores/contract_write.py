"""The contract of a store: writing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from findingmodel.stores.records import Counts, LabelRow, Owner, TermQuery, WriteBatch
from tests.stores.contract_support import contents, ids_of, labels_of, on_one_store, some_json, some_text
from tests.stores.samples import NOW_NS, make_id, make_record, moved, organization, person, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store


class WritingRules:
    """Written records read back equal, complete, and once."""

    async def test_a_database_that_does_not_exist_reads_as_empty(self, store: Store) -> None:
        assert await store.generation() == 0
        assert await contents(store) == {
            "manifest": [],
            "entries": {},
            "models": {},
            "people": [],
            "organizations": [],
            "labels": {},
            "counts": Counts(0, 0, 0),
        }
        assert await store.lookup(["mass"]) == []
        assert await store.page(sort="name", descending=False, offset=0, limit=10) == []
        assert await store.terms.candidates(TermQuery((("mass",),)), limit=10) == []
        assert await store.owners(["name:mass"]) == []
        assert await store.credits(["someone"]) == []

    async def test_setup_can_be_repeated_and_loses_nothing(self, filled: Store) -> None:
        before = await contents(filled)
        generation = await filled.advance()
        await filled.setup()
        await filled.setup()
        assert await contents(filled) == before
        assert await filled.generation() == generation

    async def test_an_empty_request_finds_nothing(self, filled: Store) -> None:
        assert await filled.get([]) == {}
        assert await filled.lookup([]) == []
        assert await filled.models([]) == {}
        assert await filled.owners([]) == []
        assert await filled.credits([]) == []
        assert await filled.contributors("person", []) == []

    async def test_an_empty_batch_changes_nothing(self, filled: Store) -> None:
        before = await contents(filled)
        await filled.write(WriteBatch())
        assert await contents(filled) == before

    async def test_written_records_read_back_equal(self, store: Store) -> None:
        record = make_record(
            1,
            "Aortic Dissection",
            path="a dir/aortic.fm.json",
            synonyms=["dissecting aneurysm", "Ménière"],
            description="tear of the wall",
            other="ct presence",
            contributors=[person("ann"), organization("ACR")],
            tags=["CT", "vascular"],
        )
        await store.setup()
        await store.write(upserts(record))
        assert await store.get([make_id(1)]) == {make_id(1): record.entry}
        assert await store.manifest() == [record.file]
        assert await store.models([make_id(1)]) == {
            make_id(1): b'{"oifm_id": "OIFM_TEST_000001", "name": "Aortic Dissection"}'
        }
        assert await labels_of(store) == {
            make_id(1): LabelRow(
                make_id(1), record.entry["name"], ("dissecting aneurysm", "Ménière"), record.terms
            )
        }

    async def test_the_same_batch_twice_changes_nothing(self, store: Store) -> None:
        old = make_record(3, path="old.fm.json", contributors=[person("ann")])
        await store.setup()
        await store.write(upserts(old, make_record(4)))
        batch = WriteBatch(
            upserts=[make_record(1, contributors=[person("ann")]), make_record(2)],
            touches=[old.file._replace(path="new.fm.json")],
            removals=[make_id(4)],
            credits=[person("ann"), organization("ACR")],
            withdrawn=[("person", "bob")],
        )
        await store.write(batch)
        once = await contents(store)
        await store.write(batch)
        assert await contents(store) == once
        assert sorted(once["entries"]) == [make_id(1), make_id(2), make_id(3)]

    async def test_a_new_version_replaces_the_whole_record(self, store: Store) -> None:
        old = make_record(
            1, "mass", synonyms=["lump"], facets=["tag:ct"], contributors=[person("ann")], tags=["CT"]
        )
        new = make_record(1, "node", model=b'{"new": true}')
        await store.setup()
        await store.write(upserts(old))
        await store.write(upserts(new))
        assert await store.get([make_id(1)]) == {make_id(1): new.entry}
        assert await store.manifest() == [new.file]
        assert await store.models([make_id(1)]) == {make_id(1): b'{"new": true}'}
        assert await store.lookup(["mass", "lump"]) == []
        assert await store.owners(["name:mass"]) == []
        assert await store.credits(["ann"]) == []
        assert await ids_of(store, TermQuery((("lump", "mass"),))) == []
        assert await ids_of(store, TermQuery((), facets=(("tag:ct",),))) == []
        assert await ids_of(store, TermQuery((("node",),))) == [make_id(1)]

    async def test_two_models_can_swap_names_and_paths_in_one_batch(self, store: Store) -> None:
        await store.setup()
        await store.write(
            upserts(make_record(1, "mass", path="a.fm.json"), make_record(2, "cyst", path="b.fm.json"))
        )
        one, two = make_record(1, "cyst", path="b.fm.json"), make_record(2, "mass", path="a.fm.json")
        await store.write(upserts(one, two))
        assert await store.get([make_id(1), make_id(2)]) == {make_id(1): one.entry, make_id(2): two.entry}
        assert await store.owners(["name:mass"]) == [Owner("name:mass", make_id(2), "a.fm.json")]
        assert [entry["oifm_id"] for entry in await store.lookup(["cyst"])] == [make_id(1)]

    async def test_a_touch_moves_a_file_and_leaves_its_model(self, store: Store) -> None:
        record = make_record(1, "mass", path="old.fm.json", contributors=[person("ann")])
        after = moved(
            record, "sub/new.fm.json", mtime_ns=NOW_NS + 7, sha256="0" * 64, size=99, indexed_ns=NOW_NS
        )
        await store.setup()
        await store.write(upserts(record))
        await store.write(WriteBatch(touches=[after.file]))
        assert await store.manifest() == [after.file]
        assert await store.get([make_id(1)]) == {make_id(1): after.entry}
        assert await store.lookup(["mass"]) == [after.entry]
        assert await store.credits(["ann"]) == list(after.credits)
        assert await store.owners(["name:mass"]) == [Owner("name:mass", make_id(1), "sub/new.fm.json")]
        assert len((await store.models([make_id(1)]))[make_id(1)]) > 2

    async def test_a_touch_of_an_absent_model_creates_nothing(self, filled: Store) -> None:
        before = await contents(filled)
        await filled.write(WriteBatch(touches=[make_record(999).file]))
        assert await contents(filled) == before

    async def test_removals_delete_models_and_ignore_absent_ids(self, store: Store) -> None:
        record = make_record(1, "mass", facets=["tag:ct"], contributors=[person("ann")])
        await store.setup()
        await store.write(upserts(record, make_record(2)))
        await store.write(WriteBatch(removals=[make_id(1), make_id(77)]))
        assert await store.manifest() == [make_record(2).file]
        assert await store.get([make_id(1)]) == {}
        assert await store.models([make_id(1)]) == {}
        assert await store.lookup(["mass"]) == []
        assert await store.owners(list(record.identity)) == []
        assert await store.credits(["ann"]) == []
        assert await ids_of(store, TermQuery((("mass",),))) == []
        assert await ids_of(store, TermQuery((), facets=(("tag:ct",),))) == []
        assert list(await labels_of(store)) == [make_id(2)]

    async def test_a_batch_may_be_longer_than_any_chunk(self, store: Store) -> None:
        records = [make_record(number) for number in range(1_203)]
        await store.setup()
        await store.write(WriteBatch(upserts=records))
        assert (await store.counts()).models == 1_203
        assert sorted(await store.manifest()) == sorted(record.file for record in records)
        await store.write(WriteBatch(removals=[make_id(number) for number in range(1, 1_203)]))
        assert await store.manifest() == [records[0].file]

    async def test_models_come_back_byte_for_byte(self, store: Store) -> None:
        texts = {
            1: f'{{"big": {10**40}, "float": 1e400, "dup": 1, "dup": 2}}'.encode(),
            2: '{"$set": {"a.b": "\\u0000", "é": "\N{GRINNING FACE}\u2028"}}\n'.encode(),
            3: b"\xef\xbb\xbf[" * 5_000,
            4: bytes(range(256)) * 4_000,
        }
        await store.setup()
        await store.write(
            WriteBatch(upserts=[make_record(number, model=text) for number, text in texts.items()])
        )
        await store.write(
            WriteBatch(upserts=[make_record(number, model=text) for number, text in texts.items()])
        )
        assert await store.models([make_id(number) for number in (1, 2, 3, 4, 5)]) == {
            make_id(number): text for number, text in texts.items()
        }

    @on_one_store
    @given(name=some_text, synonyms=st.lists(some_text, max_size=3), path=some_text, fields=some_json)
    async def test_any_text_and_any_json_survive(
        self, store: Store, name: str, synonyms: list[str], path: str, fields: Any
    ) -> None:
        record = make_record(1, "x", contributors=[person("ann", extra=fields)])
        texts: Any = {"name": name, "description": name, "synonyms": synonyms or None}
        record = record._replace(
            entry_text=json.dumps(record.entry | texts),
            names=(name, *synonyms),
            keys=tuple(dict.fromkeys((name, *synonyms))),
        )
        record = moved(record, path)
        await store.setup()
        await store.write(WriteBatch(upserts=[record], credits=record.credits))
        assert await store.get([make_id(1)]) == {make_id(1): record.entry}
        assert await store.lookup([name]) == [record.entry]
        assert await store.credits(["ann"]) == list(record.credits)
        assert await store.contributors("person") == list(record.credits)
        assert (await labels_of(store))[make_id(1)].synonyms == tuple(synonyms)
