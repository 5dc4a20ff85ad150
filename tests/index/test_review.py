"""The methods of an Index that review models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from findingmodel import ConfigError, FindingModelFull, Index, NotFoundError, QueryError
from tests.author.lint.samples import others, tidy_model, write_collection
from tests.cli.commands import SAMPLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def index() -> AsyncIterator[Index]:
    """An index of the samples."""
    async with Index("sqlite://") as index:
        await index.update_from_directory(SAMPLES)
        yield index


async def test_collisions_have_entries(index: Index) -> None:
    taken, free = await index.find_collisions(["ptx", "xyzzy"])
    assert (taken.verdict, taken.is_taken, taken.synonyms[0].name) == ("synonym", True, "Pneumothorax")
    assert (free.verdict, free.is_taken) == ("free", False)
    (own,) = await index.find_collisions(["ptx"], but="Pneumothorax")
    assert own.verdict == "free"
    (near,) = await index.find_collisions(["pneumothoraxx"])
    assert [(one.entry.name, one.how) for one in near.near] == [("Pneumothorax", "spelling")]


async def test_wrong_arguments_are_refused(index: Index) -> None:
    with pytest.raises(ConfigError, match="a list of names"):
        await index.find_collisions("ptx")
    with pytest.raises(NotFoundError, match="'nothing'"):
        await index.find_duplicates("nothing")
    with pytest.raises(QueryError, match="several models have the synonym 'MS'"):
        await index.find_duplicates("MS")
    with pytest.raises(ConfigError, match="at least one"):
        await index.lint()


async def test_duplicates_have_entries(index: Index) -> None:
    (pair,) = await index.find_duplicates("multiple sclerosis", min_score=0.2)
    assert {pair.first.name, pair.second.name} == {"Multiple sclerosis", "Mitral stenosis"}
    known = [frozenset((pair.first.oifm_id, pair.second.oifm_id))]
    assert await index.find_duplicates("multiple sclerosis", min_score=0.2, known=known) == []


@pytest.mark.parametrize("form", ["model", "text", "bytes"])
async def test_a_draft_is_reviewed_in_any_form(index: Index, form: str) -> None:
    draft = tidy_model(name="Pneumo Thorax", synonyms=["PTX"])
    text = json.dumps(draft)
    review = await index.review_model(
        {"model": FindingModelFull.model_validate(draft), "text": text, "bytes": text.encode()}[form]
    )
    assert review.problems == ()
    assert [found.code for _, found in review.violations] == ["title-case"]
    assert [one.verdict for one in review.collisions][1] == "synonym"


async def test_a_model_does_not_collide_with_itself(index: Index) -> None:
    review = await index.review_model(await index.get_full("OIFM_SMPL_000002"))
    assert [one.verdict for one in review.collisions if one.is_taken] == []


@pytest.mark.parametrize("text", ["", "{", '{"name": "\\ud800"}', "\ud800"])
async def test_a_broken_draft_has_problems(index: Index, text: str) -> None:
    review = await index.review_model(text)
    assert review.problems
    assert review.collisions == []


async def test_files_are_linted_with_the_rules_of_their_collection(index: Index, tmp_path: Path) -> None:
    directory = write_collection(
        tmp_path / "defs", tidy_model(tags=["CT", "ct"], description="TODO: it"), *others()
    )
    assert (await index.lint(directory)).by_rule.keys() == {
        ("placeholder", "error"),
        ("repeated-tag", "warning"),
    }
    (tmp_path / ".findingmodel.toml").write_text('[lint]\nselect = ["repeated-tag"]\n')
    report = await index.lint(directory, fix=True)
    assert (report.fixed, report.files) == ({"1.fm.json": 1}, ())


def test_the_methods_work_without_async(tmp_path: Path) -> None:
    with Index.sync("sqlite://") as index:
        index.update_from_directory(SAMPLES)
        assert index.find_collisions(["ptx"])[0].is_taken
        assert index.find_duplicates() == []
        assert index.review_model("{}").problems
        assert index.lint(write_collection(tmp_path, tidy_model())).ok
