"""Representations of values: in a console, in a notebook, and as rows of a table."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel import (
    AttributeInfo,
    ChoiceAttribute,
    FindingModelBase,
    FindingModelFull,
    Hits,
    Index,
    IndexEntry,
    Match,
    NumericAttributeIded,
    Page,
    SearchHit,
    UpdateReport,
    parse_model,
    to_dicts,
)
from tests.builders import make_model, make_number, model_bytes, write_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


def entry(**changes: Any) -> IndexEntry:
    return IndexEntry.model_validate(facts(**changes))


def hit(**changes: Any) -> SearchHit:
    more = {"score": 0.5, "matched": [Match("words", "synonym", ("leg", "clot"), 0.5)]}
    return SearchHit.model_validate({**facts(), **more, **changes})


def facts(**changes: Any) -> dict[str, Any]:
    return {
        "oifm_id": "OIFM_TEST_000001",
        "name": "clot",
        "slug_name": "clot",
        "filename": "clot.fm.json",
        "file_hash_sha256": "0" * 64,
        "description": "A clot of blood",
        "synonyms": ["leg clot", "thrombus"],
        "tags": ["US"],
        "contributors": ["TEST"],
        "attributes": [AttributeInfo(attribute_id="OIFMA_TEST_000001", name="presence", type="choice")],
        **changes,
    }


def model(**changes: Any) -> FindingModelFull:
    parsed = parse_model(model_bytes(1, **changes))
    assert parsed.model is not None
    return parsed.model


class Checked(HTMLParser):
    """The cells of an HTML page; it may have only tags of tables, closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert attrs == []
        self.open.append(tag)
        if tag in {"td", "caption"}:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] in {"td", "caption"}:
            self.cells[-1] += data


# in a console


def test_values_have_a_repr_of_one_line() -> None:
    assert repr(entry()) == "IndexEntry(OIFM_TEST_000001 'clot', attributes: 1)"
    assert (
        repr(hit(negated=True)) == "SearchHit(OIFM_TEST_000001 'clot', score 0.500, found by words, denied)"
    )
    full = model()
    assert (
        str(full)
        == repr(full)
        == "FindingModelFull(OIFM_TEST_000001 'pulmonary nodule of type 1', attributes: 2)"
    )
    draft = FindingModelBase.model_validate(make_model(1))
    assert str(draft) == "FindingModelBase('pulmonary nodule of type 1', attributes: 2)"
    assert repr(full.attributes[0]) == "ChoiceAttributeIded(OIFMA_TEST_000010 'margin', values: 3)"
    assert repr(NumericAttributeIded.model_validate(make_number(11))) == (
        "NumericAttributeIded(OIFMA_TEST_000011 'diameter')"
    )
    values = [{"name": "left"}, {"name": "right"}]
    assert str(ChoiceAttribute.model_validate({"name": "side", "values": values})) == (
        "ChoiceAttribute('side', values: 2)"
    )


async def test_the_repr_of_a_report_has_counts_and_failures(tmp_path: Path) -> None:
    write_model(tmp_path / "defs", "1.fm.json", 1)
    (tmp_path / "defs" / "2.fm.json").write_text("{")
    async with Index("sqlite://") as index:
        report = await index.update_from_directory(tmp_path / "defs")
        assert repr(report) == (
            "UpdateReport(added 1, updated 0, removed 0, unchanged 0, moved 0, failed: 1)"
        )
        assert repr(index) == "Index('sqlite:///:memory:', branch='main')"
        (tmp_path / "defs" / "1.fm.json").unlink()
        (tmp_path / "defs" / "2.fm.json").unlink()
        refused = await index.update_from_directory(tmp_path / "defs", dry_run=True)
    assert "refused: would-empty" in repr(refused)
    assert repr(UpdateReport(dry_run=True)).endswith("moved 0, dry run)")


# in a notebook


@pytest.fixture
async def index() -> AsyncIterator[Index]:
    async with Index("sqlite://") as index:
        await index.update_from_directory(SAMPLES)
        yield index


async def test_hits_are_a_list_and_a_table(index: Index) -> None:
    hits = await index.search("clot in lung artery", limit=2)
    assert isinstance(hits, list)
    assert hits == list(hits)
    cells = Checked(hits._repr_html_()).cells
    assert cells[:4] == ["OIFM_SMPL_000001", "Pulmonary embolism", f"{hits[0].score:.2f}", cells[3]]
    assert "name: Pulmonary embolism" in cells[3]
    assert len(cells) == 2 * 6
    assert Checked((await index.search("xyzzy"))._repr_html_()).cells == []
    assert isinstance(await index.search(" "), Hits)


async def test_pages_and_batches_are_tables(index: Index) -> None:
    page = await index.all(limit=2)
    cells = Checked(page._repr_html_()).cells
    assert cells[0] == "2 of 58"
    assert len(cells) == 1 + 2 * 5
    answers = await index.search_batch(["PE", "<b>"], limit=1)
    assert [cell for cell in Checked(answers._repr_html_()).cells if cell in answers] == ["PE", "<b>"]


def test_an_entry_hit_or_model_is_a_table_of_its_fields() -> None:
    assert Checked(entry(tags=None)._repr_html_()).cells == [
        "clot",
        "OIFM_TEST_000001",
        "A clot of blood",
        "leg clot, thrombus",
        "TEST",
        "presence",
        "clot.fm.json",
    ]
    assert Checked(hit(negated=True)._repr_html_()).cells[1:3] == ["0.50", "synonym: leg clot; denied"]
    cells = Checked(model()._repr_html_()).cells
    assert cells[-8:] == [
        *("OIFMA_TEST_000010", "margin", "choice", "smooth, lobulated, spiculated"),
        *("OIFMA_TEST_000011", "diameter", "numeric", "from 0 to 30.5 mm"),
    ]


@given(name=TEXT, tags=st.lists(TEXT, max_size=3), description=TEXT)
def test_no_text_becomes_markup(name: str, tags: list[str], description: str) -> None:
    one = hit(name=name, tags=tags, description=description, synonyms=[name])
    texts = {one.name, ", ".join(tags), description}
    for page in (one._repr_html_(), Hits([one])._repr_html_(), Page([one], 1)._repr_html_()):
        assert {text for text in texts if text} <= set(Checked(page).cells)


def test_markup_in_a_model_is_escaped() -> None:
    evil = "<script>alert('x')</script> & </td><img src=x onerror=alert(1)>"
    page = model(name=evil, description=evil, synonyms=[evil], tags=[evil])._repr_html_()
    assert Checked(page).cells[0] == evil
    assert "<script" not in page
    assert "<img" not in page


# as rows


def test_rows_are_flat_and_have_the_fields_in_order() -> None:
    (row,) = to_dicts([hit(tags=None)])
    assert list(row) == list(SearchHit.model_fields)
    assert list(to_dicts([entry()])[0]) == list(IndexEntry.model_fields)
    assert row == {
        **facts(),
        "synonyms": "leg clot; thrombus",
        "tags": "",
        "contributors": "TEST",
        "attributes": "presence",
        "replaces": "",
        "score": 0.5,
        "matched": "synonym: leg clot",
        "negated": False,
    }


async def test_rows_of_a_batch_have_query_and_rank(index: Index) -> None:
    answers = await index.search_batch(["tear", "xyzzy", "PE"], limit=2)
    rows = answers.to_dicts()
    assert [(row["query"], row["rank"], row["name"]) for row in rows] == [
        ("tear", 1, answers["tear"][0].name),
        ("tear", 2, answers["tear"][1].name),
        ("xyzzy", 0, None),
        ("PE", 1, "Pulmonary embolism"),
        *([("PE", 2, answers["PE"][1].name)] if len(answers["PE"]) > 1 else []),
    ]
    assert {tuple(row) for row in rows} == {("query", "rank", *SearchHit.model_fields)}


async def test_rows_can_be_written_as_csv(index: Index) -> None:
    page = await index.all(limit=100)
    rows = page.to_dicts()
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    read = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["oifm_id"] for row in read] == [one.oifm_id for one in page.entries]
    assert (await index.search("PE", limit=1)).to_dicts()[0]["oifm_id"] == "OIFM_SMPL_000001"
