"""Arguments of the wrong type: an error of the package that names the argument and the value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import (
    ConfigError,
    DirectoryError,
    DocumentError,
    FindingModelError,
    Index,
    MissingFileError,
    QueryError,
)
from tests.builders import write_model

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    Call = Callable[[Index], Coroutine[Any, Any, object]]

CALLS: list[tuple[str, Call]] = [
    ("id_or_name_or_syn must be text, not None", lambda index: index.get(None)),  # type: ignore[arg-type]
    ("id_or_name_or_syn must be text, not 7", lambda index: index.contains(7)),  # type: ignore[arg-type]
    ("id_or_name_or_syn must be text, not nan", lambda index: index.matches(math.nan)),  # type: ignore[arg-type]
    ("oifma_id must be text, not None", lambda index: index.get_by_attribute(None)),  # type: ignore[arg-type]
    ("github_username must be text", lambda index: index.get_person(1)),  # type: ignore[arg-type]
    ("code must be text", lambda index: index.get_organization(b"TEST")),  # type: ignore[arg-type]
    ("oifm_id must be text", lambda index: index.get_full(None)),  # type: ignore[arg-type]
    (r"for one write \['OIFM_TEST_000001'\]", lambda index: index.get_full_batch("OIFM_TEST_000001")),
    (r"oifm_ids\[1\] must be text", lambda index: index.get_full_batch(["x", None])),  # type: ignore[list-item]
    ("oifm_ids must be a list of texts, not 5", lambda index: index.get_full_batch(5)),  # type: ignore[arg-type]
    ("query must be text, not None", lambda index: index.search(None)),  # type: ignore[arg-type]
    (r"tags must be a list .* \['chest'\]", lambda index: index.search("nodule", tags="chest")),
    (r"tags\[0\] must be text, not 1", lambda index: index.search("nodule", tags=[1])),  # type: ignore[list-item]
    ("limit must be a whole number, not nan", lambda index: index.search("x", math.nan)),  # type: ignore[arg-type]
    ("limit must be a whole number, not '3'", lambda index: index.search("x", "3")),  # type: ignore[arg-type]
    ("limit must be a whole number, not True", lambda index: index.search("x", limit=True)),
    ("limit must be at least 1, not 0", lambda index: index.search("", limit=0)),
    ("offset must be at least 0, not -1", lambda index: index.search("x", offset=-1)),
    ("queries must be a list of texts", lambda index: index.search_batch(None)),  # type: ignore[arg-type]
    ("tags must be a list", lambda index: index.search_batch(["x"], tags="chest")),
    ("limit must be a whole number", lambda index: index.search_batch(["x"], limit=1.5)),  # type: ignore[arg-type]
    ("tags must be a list", lambda index: index.count_tags(tags="chest")),
    ("query must be text", lambda index: index.count_tags(3)),  # type: ignore[arg-type]
    ("pattern must be text", lambda index: index.search_by_slug(None)),  # type: ignore[arg-type]
    ("text must be text", lambda index: index.suggest(None)),  # type: ignore[arg-type]
    ("system must be text", lambda index: index.find_by_code(None, "RID1")),  # type: ignore[arg-type]
    ("limit must be a whole number", lambda index: index.all("name")),  # type: ignore[arg-type]
    ("id_or_name must be text", lambda index: index.remove_entry(None)),  # type: ignore[arg-type]
    ("active_filenames must be a list", lambda index: index.remove_unused_entries("a.fm.json")),
]


@pytest.mark.parametrize(("message", "call"), CALLS, ids=[message for message, _ in CALLS])
async def test_a_wrong_value_is_an_error_that_names_it(message: str, call: Call) -> None:
    async with Index("sqlite://") as index:
        with pytest.raises(QueryError, match=message):
            await call(index)


async def test_in_a_batch_each_wrong_query_has_its_own_error(tmp_path: Path) -> None:
    defs = write_model(tmp_path / "defs", "a.fm.json").parent
    async with Index("sqlite://") as index:
        await index.update_from_directory(defs)
        queries: list[Any] = ["nodule", None, 7, "tag:"]
        answers = await index.search_batch(queries)
    assert list(answers) == queries
    assert [len(hits) for hits in answers.values()] == [1, 0, 0, 0]
    assert {query: str(error)[:20] for query, error in answers.errors.items() if query != "tag:"} == {
        None: "a query must be text",
        7: "a query must be text",
    }


@pytest.mark.parametrize("path", [None, 7, math.nan, "a\0b"])
async def test_what_is_no_path_is_an_error_that_names_it(path: Any) -> None:
    async with Index("sqlite://") as index:
        with pytest.raises(DirectoryError, match="directory must be a path, not"):
            await index.update_from_directory(path)
        with pytest.raises(DirectoryError, match="filename must be a path, not"):
            await index.add_or_update_entry_from_file(path)


async def test_a_path_that_does_not_exist_is_an_error_that_names_it(tmp_path: Path) -> None:
    async with Index("sqlite://") as index:
        with pytest.raises(DirectoryError, match=r"nowhere is not a valid directory: it does not exist"):
            await index.update_from_directory(tmp_path / "nowhere")
        for path, what in (
            ("a.fm.json", "the file does"),
            ("nowhere/a.fm.json", "the directory .*nowhere does"),
        ):
            with pytest.raises(MissingFileError, match=rf"{path}: .*{what} not exist") as caught:
                await index.add_or_update_entry_from_file(tmp_path / path)
            assert isinstance(caught.value, DocumentError | FileNotFoundError | FindingModelError)


@pytest.mark.parametrize("seconds", [None, "5", math.nan, -1])
async def test_a_wait_is_a_number_of_seconds(tmp_path: Path, seconds: Any) -> None:
    async with Index("sqlite://") as index:
        with pytest.raises(ConfigError, match="wait_seconds must be a number of seconds, not"):
            await index.update_from_directory(tmp_path, wait_seconds=seconds)
