"""Index: reading, searching, writing, opening and closing, with SQLite and with each MongoDB server."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, MongoClient

from findingmodel import (
    ConfigError,
    DirectoryError,
    DocumentError,
    FindingModelFull,
    Index,
    LeaseHeldError,
    NotFoundError,
    QueryError,
    SearchHit,
    Settings,
    StoreClosedError,
    StoreSchemaError,
    StoreUnavailableError,
)
from findingmodel.stores.mongo.pool import connection_pool
from tests.builders import make_choice, make_model, make_organization, make_person, write_model
from tests.cli.commands import run
from tests.stores.listening import Commands
from tests.stores.samples import LONG_SECONDS, make_writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.usefixtures("own_directory")

UNREACHABLE = "mongodb://me:secret@127.0.0.1:1/findings?serverSelectionTimeoutMS=50"


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """Five models in two directories; two of them share a synonym."""
    directory = tmp_path / "defs"
    contributors = [make_person(), make_organization()]
    write_model(
        directory,
        "chest/pe.fm.json",
        1,
        name="pulmonary embolism",
        synonyms=["PE", "clot | in a lung artery"],
        contributors=contributors,
    )
    write_model(directory, "chest/nodule.fm.json", 2, name="Pulmonary nodule", synonyms=["lung nodule"])
    write_model(
        directory, "pe.fm.json", 3, name="pericardial effusion", synonyms=["PE"], tags=["US", "heart"]
    )
    write_model(directory, "aaa.fm.json", 4, name="abdominal aortic aneurysm", synonyms=["AAA"], tags=["CT"])
    write_model(directory, "neck.fm.json", 5, name="thyroid nodule", synonyms=..., tags=["US"], origin=2**70)
    return directory


def names(entries: Any) -> list[str]:
    return [entry.name for entry in entries]


class ReadingRules:
    """Rules of reading."""

    async def test_an_empty_index_can_be_read(self, index: Index) -> None:
        assert (await index.count(), await index.count_people(), await index.count_organizations()) == (
            0,
            0,
            0,
        )
        assert await index.get("PE") is None
        assert await index.matches("PE") == []
        assert await index.contains("PE") is False
        assert await index.get_person("test-reader") is None
        assert await index.get_organization("TEST") is None
        assert (await index.get_people(), await index.get_organizations()) == ([], [])
        assert await index.get_full_batch(["OIFM_TEST_000001"]) == {}
        assert await index.all() == ([], 0)
        assert [entry async for entry in index] == []
        assert await index.search("lung") == []
        assert await index.search_batch(["lung"]) == {"lung": []}
        assert await index.search_by_slug("lung") == ([], 0)
        assert await index.suggest("lu") == []
        assert await index.find_by_code("RADLEX", "RID50149") == []
        assert await index.remove_entry("PE") is False
        assert await index.remove_unused_entries([]) == []
        assert "\n0 entries\n" in await index.to_markdown()

    @pytest.mark.parametrize(
        "key",
        [
            "OIFM_TEST_000001",
            "oifm_test_000001",
            "pulmonary embolism",
            "PULMONARY  Embolism",
            "pulmonary_embolism",
            "clot | in a lung artery",
        ],
    )
    async def test_an_entry_is_found_by_each_of_its_keys(self, filled: Index, key: str) -> None:
        entry = await filled.get(key)
        assert entry is not None
        assert (entry.oifm_id, entry.filename) == ("OIFM_TEST_000001", "chest/pe.fm.json")
        assert entry.synonyms == ["PE", "clot | in a lung artery"]
        assert [attribute.type for attribute in entry.attributes] == ["choice", "numeric"]
        assert await filled.contains(key)

    @pytest.mark.parametrize("key", [".*", "pulmonary", "(", "", " ", "OIFM_TEST_000009", "chest/pe.fm.json"])
    async def test_other_text_is_not_a_key(self, filled: Index, key: str) -> None:
        assert await filled.get(key) is None
        assert await filled.matches(key) == []
        assert not await filled.contains(key)

    async def test_all_entries_with_a_shared_key_match_in_order(self, filled: Index) -> None:
        assert names(await filled.matches("pe")) == ["pulmonary embolism", "pericardial effusion"]
        assert names([await filled.get("pe")]) == ["pulmonary embolism"]

    async def test_contributors_are_counted_and_found(self, filled: Index) -> None:
        assert (await filled.count_people(), await filled.count_organizations()) == (1, 1)
        person = await filled.get_person("test-reader")
        organization = await filled.get_organization("TEST")
        assert person is not None
        assert organization is not None
        assert person.model_dump() == make_person()
        assert organization.model_dump() == make_organization()
        assert await filled.get_people() == [person]
        assert await filled.get_organizations() == [organization]
        assert await filled.get_person("nobody") is None
        assert await filled.get_organization("NONE") is None

    async def test_a_complete_model_equals_its_file(self, filled: Index, defs: Path) -> None:
        model = await filled.get_full("OIFM_TEST_000005")
        assert isinstance(model, FindingModelFull)
        assert model.model_dump(mode="json", exclude_unset=True) == json.loads(
            (defs / "neck.fm.json").read_text()
        )

    async def test_an_absent_model_is_a_key_error(self, filled: Index) -> None:
        with pytest.raises(NotFoundError, match="OIFM_TEST_000009"):
            await filled.get_full("OIFM_TEST_000009")
        with pytest.raises(KeyError):
            await filled.get_full("PE")

    async def test_complete_models_are_in_the_order_of_the_ids(self, filled: Index) -> None:
        ids = [f"OIFM_TEST_{number:06d}" for number in (5, 9, 1, 5)]
        models = await filled.get_full_batch(iter(ids))
        assert list(models) == ["OIFM_TEST_000005", "OIFM_TEST_000001"]
        assert models["OIFM_TEST_000001"].name == "pulmonary embolism"

    async def test_pages_are_sorted_and_have_a_total(self, filled: Index) -> None:
        entries, total = await filled.all()
        by_name = names(entries)
        assert by_name == sorted(by_name, key=str.casefold)
        assert total == len(by_name) == 5
        page = await filled.all(limit=2, offset=1, order_dir="desc")
        assert names(page.entries) == by_name[::-1][1:3]
        assert page.total == 5
        by_file = (await filled.all(order_by="filename")).entries
        assert [entry.filename for entry in by_file] == sorted(entry.filename for entry in by_file)
        by_id = (await filled.all(order_by="oifm_id", limit=1)).entries
        assert [entry.oifm_id for entry in by_id] == ["OIFM_TEST_000001"]
        assert await filled.all(offset=5) == ([], 5)

    @pytest.mark.parametrize(
        "wrong", [{"limit": 0}, {"offset": -1}, {"order_by": "score"}, {"order_dir": "up"}]
    )
    async def test_an_argument_of_a_page_out_of_range_is_a_query_error(
        self, index: Index, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(QueryError, match=str(next(iter(wrong.values())))):
            await index.all(**wrong)

    async def test_iteration_yields_all_entries_sorted_by_name(self, filled: Index) -> None:
        assert [entry async for entry in filled] == (await filled.all()).entries

    async def test_markdown_has_a_row_for_each_entry_with_its_text_escaped(
        self, index: Index, defs: Path
    ) -> None:
        write_model(defs, "odd|name (1).fm.json", 6, name="a | *b*\n| c | <i>", synonyms=..., tags=...)
        await index.update_from_directory(defs)
        text = await index.to_markdown()
        head, _, table = text.partition("\n| ID |")
        assert head.splitlines()[0] == "# Finding Model Index"
        assert head.splitlines()[2] == "6 entries"
        rows = table.splitlines()[2:]
        assert len(rows) == 6
        assert all(row.replace(r"\|", "").count("|") == 7 for row in rows)
        assert r"a \| \*b\* \| c \| &lt;i><br/>[Text](text/odd_name_1.md) [JSON](defs/odd%7Cname" in rows[0]
        assert "clot \\| in a lung artery | CT, chest | test-reader, TEST | margin, diameter |" in text
        assert "[JSON](defs/chest/pe.fm.json)" in text


class SearchingRules:
    """Rules of searching and of the cache."""

    async def test_a_hit_is_an_entry_with_a_score_and_reasons(self, filled: Index) -> None:
        best, *others = await filled.search("PE")
        assert isinstance(best, SearchHit)
        entry = await filled.get("pulmonary embolism")
        assert entry is not None
        assert best.model_dump(exclude={"score", "matched", "negated"}) == entry.model_dump()
        assert best.score >= 1
        assert best.matched[0].stage == "exact"
        assert best.matched[0].field == "synonym"
        assert names(others)[0] == "pericardial effusion"
        assert (await filled.search("embolus in the lung"))[0].score < 1

    async def test_hits_have_pages_and_a_filter_by_tag(self, filled: Index) -> None:
        both = names(await filled.search("nodule"))
        assert sorted(both) == ["Pulmonary nodule", "thyroid nodule"]
        assert names(await filled.search("nodule", 1)) == both[:1]
        assert names(await filled.search("nodule", limit=1, offset=1)) == both[1:]
        assert names(await filled.search("nodule", tags=["us"])) == ["thyroid nodule"]
        assert names(await filled.search("", tags=["US"])) == ["pericardial effusion", "thyroid nodule"]

    @pytest.mark.parametrize("text", ["", "   ", "!@#$%^&*()_+-=[]{}|;:,.<>?", "-", '""'])
    async def test_text_without_a_word_matches_nothing(self, filled: Index, text: str) -> None:
        assert await filled.search(text) == []

    async def test_text_of_any_length_can_be_searched(self, filled: Index) -> None:
        assert names(await filled.search("aneurysm " * 2_000)) == ["abdominal aortic aneurysm"]
        assert await filled.search("x" * 10_000) == []

    @pytest.mark.parametrize(
        ("text", "options"),
        [("tag:", {}), ("code:RID1", {}), ("lung", {"limit": 0}), ("lung", {"offset": -1})],
    )
    async def test_an_invalid_search_is_a_query_error(
        self, filled: Index, text: str, options: dict[str, int]
    ) -> None:
        with pytest.raises(QueryError):
            await filled.search(text, **options)

    async def test_cached_answers_are_copied_for_each_caller(self, filled: Index) -> None:
        first = await filled.search("nodule")
        again = await filled.search("  NODULE ")
        assert first == again
        assert filled.cache_statistics.misses == 1
        assert filled.cache_statistics.hits == 1
        again[0].tags.append("mine")
        again.clear()
        assert await filled.search("nodule") == first
        await filled.search("nodule", limit=5)
        assert filled.cache_statistics.misses == 2

    async def test_cached_answers_can_be_forgotten(self, filled: Index) -> None:
        first = await filled.search("nodule")
        filled.invalidate_cache()
        assert await filled.search("nodule") == first
        assert filled.cache_statistics.misses == 2

    async def test_concurrent_equal_searches_are_one(self, filled: Index) -> None:
        answers = await asyncio.gather(*(filled.search("lung nodule") for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)
        assert filled.cache_statistics.misses == 1

    async def test_searches_see_changes_of_this_index_at_once(self, filled: Index, defs: Path) -> None:
        async def lipomas() -> list[str]:
            return names(await filled.search("lipoma"))

        assert await lipomas() == []
        file = write_model(defs, "fat.fm.json", 7, name="lipoma of the colon")
        await filled.add_or_update_entry_from_file(file)
        assert await lipomas() == ["lipoma of the colon"]
        await filled.remove_entry("lipoma of the colon")
        assert await lipomas() == []
        await filled.update_from_directory(defs)
        assert await lipomas() == ["lipoma of the colon"]
        await filled.remove_unused_entries(["pe.fm.json"])
        assert await lipomas() == []

    async def test_a_bad_query_does_not_stop_the_others(self, filled: Index) -> None:
        answers = await filled.search_batch(
            ["AAA", "tag:", "", "thyroid nodule", "AAA", "x" * 9_000], limit=1
        )
        assert {query[:20]: names(hits) for query, hits in answers.items()} == {
            "AAA": ["abdominal aortic aneurysm"],
            "tag:": [],
            "": [],
            "thyroid nodule": ["thyroid nodule"],
            "x" * 20: [],
        }
        assert list(answers.errors) == ["tag:"]
        assert isinstance(answers.errors["tag:"], QueryError)

    async def test_a_batch_has_the_hits_of_single_searches(self, filled: Index) -> None:
        queries = ["nodule", "clot in the lung", "heart", "aneurism", "PE"]
        answers = await filled.search_batch(queries, limit_per_query=5, tags=["CT"])
        assert filled.cache_statistics.misses == len(queries)
        assert answers == {query: await filled.search(query, 5, tags=["CT"]) for query in queries}
        assert filled.cache_statistics.misses == len(queries)
        assert answers.errors == {}
        assert await filled.search_batch([]) == {}
        with pytest.raises(QueryError):
            await filled.search_batch(["PE"], limit=0)
        with pytest.raises(QueryError, match=r"write \['PE'\]"):
            await filled.search_batch("PE")

    async def test_equal_slugs_come_first(self, filled: Index, defs: Path) -> None:
        await filled.add_or_update_entry_from_file(write_model(defs, "n.fm.json", 8, name="nodule"))
        page = await filled.search_by_slug("Nodule")
        assert names(page.entries) == ["nodule", "Pulmonary nodule", "thyroid nodule"]
        assert page.total == 3
        assert names((await filled.search_by_slug("nodule", limit=1, offset=1)).entries) == [
            "Pulmonary nodule"
        ]
        assert (await filled.search_by_slug("nodule", limit=1, offset=1)).total == 3
        assert names((await filled.search_by_slug("pulmonary n", match_type="prefix")).entries) == [
            "Pulmonary nodule"
        ]
        assert names((await filled.search_by_slug("thyroid nodule", match_type="exact")).entries) == [
            "thyroid nodule"
        ]
        for pattern, match_type in (
            ("nodule", "prefix"),
            ("thyroid", "exact"),
            ("PE", "exact"),
            ("**", "contains"),
        ):
            entries, total = await filled.search_by_slug(pattern, match_type=match_type)
            assert (names(entries), total) == ((["nodule"], 1) if match_type == "prefix" else ([], 0))
        with pytest.raises(QueryError, match="fuzzy"):
            await filled.search_by_slug("nodule", match_type="fuzzy")
        with pytest.raises(QueryError, match="limit must be at least 1"):
            await filled.search_by_slug("nodule", limit=0)

    async def test_unfinished_words_are_completed(self, filled: Index) -> None:
        suggestions = await filled.suggest("pul", 2)
        assert [(suggestion.label, suggestion.entry.name) for suggestion in suggestions] == [
            ("pulmonary embolism", "pulmonary embolism"),
            ("Pulmonary nodule", "Pulmonary nodule"),
        ]
        assert [suggestion.label for suggestion in await filled.suggest("lung no")] == ["lung nodule"]

    async def test_an_entry_is_found_by_the_id_of_an_attribute(self, filled: Index) -> None:
        entry = await filled.get("OIFM_TEST_000001")
        assert entry is not None
        for attribute in entry.attributes:
            assert await filled.get_by_attribute(f" {attribute.attribute_id.lower()}") == entry
        for other in ("OIFMA_TEST_999999", "OIFM_TEST_000001", "pulmonary embolism", ""):
            assert await filled.get_by_attribute(other) is None

    async def test_codes_are_found_with_their_place_in_the_model(self, filled: Index) -> None:
        matches = await filled.find_by_code("RadLex", "rid5713", limit=2)
        assert [(match.place, match.name) for match in matches] == [("value", "spiculated")] * 2
        assert matches[0].entry == await filled.get("OIFM_TEST_000001")
        assert matches[0].id == "OIFMA_TEST_000010.2"
        assert names(await filled.matches("code:RadLex:rid5713"))[0] == "pulmonary embolism"
        assert await filled.get("code:RADLEX:RID5713") == matches[0].entry
        assert await filled.get("code:RADLEX:RID0") is None
        with pytest.raises(QueryError, match="code:RADLEX:RID1301"):
            await filled.get("code:RADLEX")

    async def test_a_negated_finding_is_marked(self, filled: Index) -> None:
        (denied,) = await filled.search("No pulmonary embolism.", limit=1)
        (stated,) = await filled.search("There is pulmonary embolism.", limit=1)
        assert (denied.name, denied.negated, stated.negated) == ("pulmonary embolism", True, False)
        assert repr(denied).endswith(", denied)")
        assert denied.model_dump()["negated"] is True

    async def test_tags_are_counted_for_all_hits(self, filled: Index) -> None:
        every = await filled.count_tags()
        assert list(every.values()) == sorted(every.values(), reverse=True)
        assert every["US"] == 2
        assert await filled.count_tags("thyroid") == {"US": 1}
        assert (await filled.count_tags(tags=["us", "heart"])) == {"US": 1, "heart": 1}
        with pytest.raises(QueryError):
            await filled.count_tags("tag:")


class WritingRules:
    """Rules of writing."""

    async def test_an_update_returns_a_report_that_unpacks(self, index: Index, defs: Path) -> None:
        done: list[tuple[int, int]] = []
        report = await index.update_from_directory(
            str(defs), progress=lambda files, total: done.append((files, total))
        )
        added, updated, removed = report
        assert (added, updated, removed) == (5, 0, 0)
        assert report.ok
        assert report.db == index.label
        assert done[-1] == (5, 5)
        assert await index.count() == 5

    async def test_every_option_reaches_the_update(self, filled: Index, defs: Path) -> None:
        would = await filled.update_from_directory(defs, dry_run=True, rehash=True)
        assert (would.dry_run, would.unchanged, tuple(would)) == (True, 5, (0, 0, 0))
        (defs / "aaa.fm.json").unlink()
        (defs / "bad.fm.json").write_text("{")
        refused = await filled.update_from_directory(defs, strict=True)
        assert refused.refused is not None
        assert refused.refused.reason == "strict"
        kept = await filled.update_from_directory(defs, remove=False)
        assert (tuple(kept), [failed.path for failed in kept.failed]) == ((0, 0, 0), ["bad.fm.json"])
        assert tuple(await filled.update_from_directory(defs, allow_duplicate_synonyms=True)) == (0, 0, 1)
        empty = defs / "empty"
        empty.mkdir()
        assert (await filled.update_from_directory(empty)).refused is not None
        assert await filled.count() == 4
        assert tuple(await filled.update_from_directory(empty, force=True)) == (0, 0, 4)

    async def test_a_missing_directory_is_an_error(self, index: Index, tmp_path: Path) -> None:
        with pytest.raises(DirectoryError, match="is not a valid directory"):
            await index.update_from_directory(tmp_path / "nowhere")

    async def test_a_file_is_added_unchanged_and_updated(self, index: Index, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        model = FindingModelFull.model_validate(make_model(1))
        assert await index.add_or_update_entry_from_file(str(file), model) == "added"
        assert await index.add_or_update_entry_from_file(file) == "unchanged"
        write_model(tmp_path, "one.fm.json", 1, description="Edited since then.")
        assert await index.add_or_update_entry_from_file(file, allow_duplicate_synonyms=True) == "updated"
        file.write_text("{}")
        with pytest.raises(DocumentError) as caught:
            await index.add_or_update_entry_from_file(file)
        assert {problem.code for problem in caught.value.problems} == {"missing"}
        entry = await index.get("PN1")
        assert entry is not None
        assert entry.description == "Edited since then."

    async def test_writers_of_one_index_take_turns(self, index: Index, tmp_path: Path) -> None:
        files = [write_model(tmp_path, f"{number}.fm.json", number) for number in range(8)]
        done = await asyncio.gather(*(index.add_or_update_entry_from_file(file) for file in files))
        assert done == ["added"] * 8
        removed, report = await asyncio.gather(
            index.remove_entry("OIFM_TEST_000003"), index.update_from_directory(tmp_path)
        )
        assert removed
        assert report.added == 1
        assert await index.count() == 8

    async def test_the_error_names_another_writer(self, index: Index, tmp_path: Path) -> None:
        await index.setup_indexes()
        lease = make_writer("other", host="far", pid=77)
        await index._store.leases.acquire(lease, LONG_SECONDS)
        file = write_model(tmp_path, "one.fm.json", 1)
        for write in (index.add_or_update_entry_from_file(file), index.update_from_directory(tmp_path)):
            with pytest.raises(LeaseHeldError, match="process 77 on far"):
                await write
        assert await index.count() == 0

    async def test_models_are_validated_against_the_index_and_each_other(self, filled: Index) -> None:
        def model(number: int, **changes: Any) -> FindingModelFull:
            return FindingModelFull.model_validate(make_model(number, **changes))

        same_id = model(9, oifm_id="OIFM_TEST_000001")
        assert await filled.validate_model(model(9)) == []
        assert [error.partition(" '")[0] for error in await filled.validate_model(same_id)] == [
            "Duplicate ID"
        ]
        assert await filled.validate_model(same_id, exclude_oifm_id="OIFM_TEST_000001") == []
        clashes = model(9, name="Pulmonary Embolism", attributes=[make_choice(10)])
        twins = [(clashes, None), (model(8, attributes=[make_choice(10)]), "chest/pe.fm.json")]
        errors = await filled.validate_models_batch(twins)
        assert [error.partition(" '")[0].partition(":")[0] for error in errors["OIFM_TEST_000009"]] == [
            "Duplicate name",
            "Attribute ID conflict",
            "Attribute ID conflict",
        ]
        assert len(errors["OIFM_TEST_000008"]) == 1

    async def test_branches_are_separate(self, filled: Index, url: str) -> None:
        async with Index(url, branch="other") as other:
            assert await other.count() == 0
            assert await other.search("nodule") == []
        assert await filled.count() == 5


class LifecycleRules:
    """Rules of opening and closing."""

    async def test_an_index_opens_on_first_use_and_may_be_closed_twice(self, url: str, filled: Index) -> None:
        index = Index(url)
        try:
            assert await index.count() == 5
        finally:
            await index.close()
            await index.close()

    async def test_a_closed_index_is_an_error_despite_cached_answers(self, filled: Index, defs: Path) -> None:
        await filled.search("nodule")
        await filled.close()
        calls = [
            filled.search("nodule"),
            filled.search_batch(["nodule"]),
            filled.get("PE"),
            filled.count(),
            filled.all(),
            filled.to_markdown(),
            filled.get_full("OIFM_TEST_000001"),
            filled.update_from_directory(defs),
            filled.add_or_update_entry_from_file(defs / "pe.fm.json"),
            filled.remove_entry("PE"),
            filled.setup_indexes(),
            filled.__aenter__(),
        ]
        for call in calls:
            with pytest.raises(StoreClosedError, match="closed"):
                await call

    def test_an_index_serves_several_event_loops_in_turn(self, url: str, defs: Path) -> None:
        index = Index(url)

        async def ask() -> list[str]:
            answers = await asyncio.gather(*(index.search("nodule") for _ in range(5)))
            await index.add_or_update_entry_from_file(defs / "pe.fm.json")
            return names(answers[0])

        assert tuple(asyncio.run(index.update_from_directory(defs))) == (5, 0, 0)
        assert asyncio.run(ask()) == asyncio.run(ask())
        asyncio.run(index.close())
        with pytest.raises(StoreClosedError):
            asyncio.run(index.count())


class Rules(ReadingRules, SearchingRules, WritingRules, LifecycleRules):
    """All rules, for the database of the fixture ``url``."""

    @pytest.fixture
    async def index(self, url: str) -> AsyncIterator[Index]:
        async with Index(url) as index:
            yield index

    @pytest.fixture
    async def filled(self, index: Index, defs: Path) -> Index:
        report = await index.update_from_directory(defs)
        assert report.added == 5
        return index


class TestSQLite(Rules):
    """A SQLite file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/index.db"

    async def test_searches_see_changes_of_another_process_at_once(
        self, url: str, filled: Index, defs: Path
    ) -> None:
        assert names(await filled.search("lipoma")) == []
        async with Index(url) as other:
            await other.add_or_update_entry_from_file(write_model(defs, "fat.fm.json", 7, name="lipoma"))
        assert names(await filled.search("lipoma")) == ["lipoma"]


@pytest.mark.mongo
class TestMongo(Rules):
    """Each MongoDB server."""

    @pytest.fixture
    def url(self, mongo_server: Server, mongo_database: str) -> str:
        return mongo_server.url(mongo_database)

    async def test_processes_share_answers_in_a_cache_file(
        self, url: str, filled: Index, defs: Path, tmp_path: Path
    ) -> None:
        settings = Settings(db=url, cache_file=str(tmp_path / "cache" / "answers.db"))
        answers = []
        for _ in range(2):
            async with Index(settings=settings) as index:
                answers.append(await index.search("nodule", 3))
        assert answers[0] == answers[1] == await filled.search("nodule", 3)
        assert (index.cache_statistics.misses, index.cache_statistics.tier_hits) == (0, 1)
        write_model(defs, "new.fm.json", 8, name="nodule")
        await filled.update_from_directory(defs)
        async with Index(settings=settings) as index:
            assert names(await index.search("nodule", 1)) == ["nodule"]


def test_constructing_an_index_does_nothing(tmp_path: Path) -> None:
    assert repr(Index(f"{tmp_path}/new/x.db")) == f"Index('sqlite:///{tmp_path}/new/x.db', branch='main')"
    assert repr(Index()).startswith(f"Index('sqlite:///{tmp_path}/data/")
    index = Index(UNREACHABLE, branch="work")
    assert repr(index) == "Index('mongodb://me:***@127.0.0.1:1/findings', branch='work')"
    assert list(tmp_path.iterdir()) == []
    assert connection_pool.open_clients() == 0


async def test_reading_creates_no_file(tmp_path: Path) -> None:
    async with Index(f"{tmp_path}/x.db") as index:
        assert await index.count() == 0
        assert await index.search("lung") == []
        assert (await index.update_from_directory(tmp_path, dry_run=True)).unchanged == 0
    assert list(tmp_path.iterdir()) == []


def test_arguments_override_settings_and_settings_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINDINGMODEL_DB", "env.db")
    monkeypatch.setenv("FINDINGMODEL_BRANCH", "env")
    assert repr(Index()) == "Index('sqlite:///env.db', branch='env')"
    assert (
        repr(Index("argument.db", branch="argument")) == "Index('sqlite:///argument.db', branch='argument')"
    )
    settings = Settings(db="settings.db", branch="work", cache_size=7)
    assert repr(Index(settings=settings)) == "Index('sqlite:///settings.db', branch='work')"
    assert repr(Index("argument.db", settings=settings)) == "Index('sqlite:///argument.db', branch='work')"


async def test_settings_limit_the_cache(defs: Path) -> None:
    async with Index(settings=Settings(db="x.db", cache_size=1)) as index:
        for text in ("lung", "heart", "lung"):
            await index.search(text)
        assert (index.cache_statistics.size, index.cache_statistics.evictions) == (1, 2)


async def test_settings_limit_a_file(defs: Path) -> None:
    async with Index(settings=Settings(db="x.db", max_file_bytes=100)) as index:
        with pytest.raises(DocumentError, match="too-large"):
            await index.add_or_update_entry_from_file(defs / "pe.fm.json")
        assert len((await index.update_from_directory(defs)).failed) == 5
    write_model(defs, "pe.fm.json", 1, extension=json.loads("[" * 20 + "]" * 20))
    async with Index(settings=Settings(db="x.db", max_nesting=20)) as index:
        with pytest.raises(DocumentError, match="too-deep"):
            await index.add_or_update_entry_from_file(defs / "pe.fm.json")
        (failed,) = (await index.update_from_directory(defs)).failed
        assert (failed.path, failed.problems[0].code) == ("pe.fm.json", "too-deep")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "postgres://x"}, "postgres"),
        ({"url": ""}, "db"),
        ({"branch": "a/b"}, "branch"),
        ({"url": "a.db", "mongodb_uri": "mongodb://b"}, "the same argument under two names"),
        ({"url": "a.db", "db_name": "findings"}, "are for MongoDB"),
        ({"mongodb_uri": "mongodb://a", "db_name": "a b"}, "mongodb_db"),
        ({"mongodb_uri": "mongodb://me:se/cr@a/findings"}, r"mongodb://me:\*\*\*@a/findings: percent-encode"),
        ({"mongodb_uri": "mongodb://me:se[cr@a/findings"}, r"mongodb://me:\*\*\*@a/findings: percent-encode"),
        ({"settings": Settings(db="a.db"), "branch": "a/b"}, "branch"),
        ({"settings": Settings(db="a.db", branch="a/b")}, "branch 'a/b'"),
        ({"settings": Settings(db="postgres://me:se@cr@a")}, "no store handles postgres"),
        ({"settings": Settings(db="a.txt")}, "no store handles 'a.txt'"),
    ],
)
def test_an_invalid_argument_is_a_config_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Index(**arguments)
    assert "cr@" not in str(caught.value)


async def test_opening_a_file_of_another_program_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database" * 100)
    with pytest.raises(StoreSchemaError, match=r"x\.db"):
        await Index("x.db").__aenter__()


async def test_the_error_about_an_unreachable_server_hides_the_password() -> None:
    async with Index(UNREACHABLE) as index:
        with pytest.raises(StoreUnavailableError) as caught:
            await index.get("PE")
    assert "127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_the_error_names_a_model_that_cannot_be_parsed(defs: Path) -> None:
    async with Index("x.db") as index:
        await index.update_from_directory(defs)
        store = index._store
        (record_text,) = (await store.models(["OIFM_TEST_000001"])).values()
        broken = {"OIFM_TEST_000001": record_text.replace(b'"description"', b'"describes"')}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "models", lambda _: asyncio.sleep(0, broken))
            with pytest.raises(DocumentError, match="OIFM_TEST_000001: /description"):
                await index.get_full("OIFM_TEST_000001")


async def test_many_complete_models_are_parsed_in_a_thread(tmp_path: Path) -> None:
    for number in range(30):
        write_model(tmp_path / "many", f"{number}.fm.json", number)
    async with Index("x.db") as index:
        await index.update_from_directory(tmp_path / "many")
        models = await index.get_full_batch(f"OIFM_TEST_{number:06d}" for number in range(40))
    assert [model.oifm_id for model in models.values()] == [f"OIFM_TEST_{n:06d}" for n in range(30)]


async def test_iteration_reads_all_pages(tmp_path: Path) -> None:
    for number in range(1_003):
        write_model(tmp_path / "many", f"{number}.fm.json", number)
    async with Index("x.db") as index:
        await index.update_from_directory(tmp_path / "many")
        ids = [entry.oifm_id async for entry in index]
    assert sorted(ids) == [f"OIFM_TEST_{number:06d}" for number in range(1_003)]


@pytest.mark.parametrize(("models", "total"), [(1, "1 entry"), (3, "3 entries")])
def test_the_markdown_equals_the_page_of_an_export(tmp_path: Path, models: int, total: str) -> None:
    for number in range(models):
        write_model(tmp_path / "defs", f"{number}/a model.fm.json", number)
    with Index.sync(str(tmp_path / "some.db")) as index:
        index.update_from_directory(tmp_path / "defs")
        text = index.to_markdown()
    run("index", "export", "markdown", tmp_path, "--db", tmp_path / "some.db")
    assert text == (tmp_path / "index.md").read_text()
    assert f"\n{total}\n" in text


@pytest.mark.mongo
@pytest.mark.parametrize("client_class", [AsyncIOMotorClient, AsyncMongoClient])
async def test_a_client_passed_in_is_used_and_stays_open(
    secantus: Server, database: str, defs: Path, client_class: Any
) -> None:
    client = client_class(secantus.uri)
    async with Index(client=client, db_name=database) as index:
        assert tuple(await index.update_from_directory(defs)) == (5, 0, 0)
        assert connection_pool.open_clients() == 0
        assert repr(index) == f"Index('mongodb://(client)/{database}', branch='main')"
    assert await client[database]["index_entries_main"].count_documents({}) == 5
    closing = client.close()
    if closing is not None:
        await closing


@pytest.mark.mongo
async def test_a_blocking_client_is_a_config_error(secantus: Server) -> None:
    with MongoClient[dict[str, Any]](secantus.uri) as client, pytest.raises(ConfigError, match="blocking"):
        Index(client=client)


@pytest.mark.mongo
async def test_the_argument_overrides_the_database_of_the_uri(
    secantus: Server, database: str, defs: Path
) -> None:
    async with Index(mongodb_uri=secantus.url("admin"), db_name=database) as index:
        await index.update_from_directory(defs)
    async with Index(secantus.url(database)) as index:
        assert await index.count() == 5


@pytest.mark.mongo
async def test_reads_send_few_commands(secantus: Server, database: str, defs: Path) -> None:
    commands = Commands()
    client: Any = AsyncIOMotorClient(secantus.uri, event_listeners=[commands])
    index = Index(client=client, db_name=database)
    await index.update_from_directory(defs)
    assert await commands.of(index.__aenter__()) == []
    assert await commands.of(index.get("PE")) == ["find"]
    assert await commands.of(index.contains("PE")) == ["find"]
    assert await commands.of(index.matches("PE")) == ["find"]
    assert await commands.of(index.get_full("OIFM_TEST_000001")) == ["find"]
    assert await commands.of(index.get_full_batch(f"OIFM_TEST_{n:06d}" for n in range(5))) == ["find"]
    assert await commands.of(index.get_person("test-reader")) == ["find"]
    await index.search("nodule")
    assert await commands.of(index.search("nodule")) == []
    await index.close()
    client.close()


@pytest.mark.mongo
async def test_indexes_of_one_server_share_a_client(secantus: Server, database: str) -> None:
    url = secantus.url(database)
    async with Index(url) as one, Index(url, branch="other") as other:
        assert await asyncio.gather(one.count(), other.count()) == [0, 0]
        assert connection_pool.open_clients() == 1
    assert connection_pool.open_clients() == 0
