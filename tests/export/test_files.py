"""Exports of every store: complete, always the same bytes, and no other file is touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt

from findingmodel import FindingModelFull
from findingmodel.export import pages
from findingmodel.export.files import ExportReport, export_ids, export_jsonl, export_markdown, json_lines
from findingmodel.export.pages import RECORD
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, model_bytes, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store

NASTY = "x | **bold** <script>alert(1)</script> [a](javascript:x) `y`\n# heading &amp; ~~z~~"
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.fixture
async def defs(store: Store, tmp_path: Path) -> Path:
    """A directory of three models that are indexed."""
    directory = tmp_path / "defs"
    write_model(directory, "b__two_.fm.json", 2)
    write_model(directory, "chest/a.fm.json", 1)
    write_model(directory, "c.fm.json", 3)
    await indexed(store, directory)
    return directory


async def indexed(store: Store, directory: Path) -> None:
    report = await update(store, directory, UpdateOptions(force=True))
    assert report.ok


def files(directory: Path) -> dict[str, bytes]:
    paths = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


async def test_each_model_has_its_page(store: Store, defs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert await export_markdown(store, out) == ExportReport(3, 4, 0)
    names = {"text/a.md", "text/b__two_.md", "text/c.md"}
    assert files(out).keys() == names | {"index.md", RECORD}
    page = FindingModelFull(**make_model(2)).as_markdown()
    assert (out / "text/b__two_.md").read_text() == f"{page}\n"
    rows = (out / "index.md").read_text().splitlines()
    assert rows[:4] == ["# Finding Model Index", "", "3 entries", ""]
    name = "pulmonary nodule of type 1<br/>[Text](text/a.md) [JSON](../defs/chest/a.fm.json)"
    lists = "lung nodule of type 1, PN1 | CT, chest | TEST | margin, diameter"
    assert rows[6] == f"| OIFM_TEST_000001 | {name} | {lists} |"
    assert len(rows) == 9


async def test_no_page_is_written_or_removed_through_a_link(store: Store, defs: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    await export_markdown(store, out)
    (out / "text").rename(elsewhere)
    (out / "text").symlink_to(elsewhere)
    (defs / "c.fm.json").unlink()
    write_model(defs, "b__two_.fm.json", 2, description="Another description.")
    await indexed(store, defs)
    before = files(elsewhere)
    with pytest.raises(OSError, match="is a link"):
        await export_markdown(store, out, prune=True)
    assert files(elsewhere) == before


async def test_a_record_that_is_a_link_is_not_read(store: Store, defs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / RECORD).symlink_to("/dev/zero")
    assert await export_markdown(store, out) == ExportReport(3, 4, 0)
    assert not (out / RECORD).is_symlink()
    assert defs.is_dir()


async def test_only_what_changed_is_written(store: Store, defs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await export_markdown(store, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert await export_markdown(store, out) == ExportReport(3, 0, 4)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    write_model(defs, "c.fm.json", 3, description="Another description.")
    await indexed(store, defs)
    assert await export_markdown(store, out) == ExportReport(3, 1, 3)
    (out / "text/a.md").write_text("edited")
    assert await export_markdown(store, out) == ExportReport(3, 1, 3)
    assert "edited" not in (out / "text/a.md").read_text()


async def test_prune_removes_pages_of_models_that_are_gone(store: Store, defs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await export_markdown(store, out)
    (out / "text/mine.md").write_text("by hand")
    (defs / "c.fm.json").unlink()
    (defs / "chest/a.fm.json").rename(defs / "z.fm.json")
    await indexed(store, defs)
    kept = await export_markdown(store, out)
    assert kept.stale == ("text/a.md", "text/c.md")
    assert (out / "text/c.md").exists()
    (out / "text/c.md").write_text("edited since")
    pruned = await export_markdown(store, out, prune=True)
    assert (pruned.removed, pruned.stale) == (1, ())
    assert files(out).keys() == {
        "text/b__two_.md", "text/z.md", "text/c.md", "text/mine.md", "index.md", RECORD
    }  # fmt: skip


async def test_a_manipulated_record_removes_nothing_else(store: Store, defs: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim.md"
    victim.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    out.mkdir()
    (out / RECORD).write_text(f"{empty}  text/../../victim.md\n{empty}  {victim}\nnonsense\n")
    report = await export_markdown(store, out, prune=True)
    assert (report.removed, victim.exists()) == (0, True)


async def test_names_cannot_become_markup(store: Store, tmp_path: Path) -> None:
    choice = make_choice(10, name=NASTY[:90])
    write_model(
        tmp_path / "defs",
        "we ird|(x).fm.json",
        1,
        name=NASTY,
        synonyms=[NASTY],
        tags=[NASTY],
        attributes=[choice],
    )
    await indexed(store, tmp_path / "defs")
    await export_markdown(store, tmp_path / "out")
    tokens = MARKDOWN.parse((tmp_path / "out/index.md").read_text())
    inner = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inner)}
    assert [child.content for child in inner if child.type == "html_inline"] == ["<br/>"]  # ours
    assert not kinds & {"html_block", "strong_open", "code_inline", "s_open", "image"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1"]
    assert sum(token.type == "td_open" for token in tokens) == 6
    links = [child.attrs["href"] for child in inner if child.type == "link_open"]
    assert links == ["text/we_ird_x.md", "../defs/we%20ird%7C%28x%29.fm.json"]
    assert (tmp_path / "out" / str(links[0])).is_file()


async def test_exported_ids_have_the_layout_of_collections(store: Store, defs: Path, tmp_path: Path) -> None:
    file = tmp_path / "ids.json"
    assert await export_ids(store, file) == ExportReport(3, 1, 0)
    assert await export_ids(store, file) == ExportReport(3, 0, 1)
    facts = json.loads(file.read_text())
    assert list(facts["oifm_ids"].items()) == [
        ("OIFM_TEST_000001", "chest/a.fm.json"),
        ("OIFM_TEST_000002", "b__two_.fm.json"),
        ("OIFM_TEST_000003", "c.fm.json"),
    ]
    assert facts["attribute_ids"]["OIFMA_TEST_000020"] == ["b__two_.fm.json", "margin"]
    assert len(facts["attribute_ids"]) == 6
    assert len(file.read_text().splitlines()) == 3 + 6 + 6, "an id is a line, for the sake of diffs"


async def test_json_lines_are_the_models_as_in_their_files(store: Store, tmp_path: Path) -> None:
    unusual = model_bytes(1, note={"$x.y": 10**40, "z": "\u2028 脳"}).replace(b"30.5", b"3.050e1")
    (tmp_path / "defs").mkdir()
    (tmp_path / "defs/a.fm.json").write_bytes(b"\xef\xbb\xbf" + unusual)
    (tmp_path / "defs/b.fm.json").write_bytes(model_bytes(2))
    await indexed(store, tmp_path / "defs")
    file = tmp_path / "models.jsonl"
    assert (await export_jsonl(store, file)).models == 2
    lines = file.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [json.loads(unusual), make_model(2)]
    assert b"3.050e1" in lines[0]
    assert (len(lines), lines[-1]) == (3, b"")
    assert "".join([line async for line in json_lines(store)]).encode() == file.read_bytes()


async def test_an_empty_index_writes_and_removes_nothing(store: Store, defs: Path, tmp_path: Path) -> None:
    """It is probably the wrong index."""
    out = tmp_path / "out"
    await export_markdown(store, out)
    await export_ids(store, out / "ids.json")
    await export_jsonl(store, out / "models.jsonl")
    before = files(out)
    for path in [*defs.rglob("*.fm.json")]:
        path.unlink()
    await indexed(store, defs)
    nothing = ExportReport(0, 0, 0)
    assert await export_markdown(store, out, prune=True) == nothing
    assert await export_ids(store, out / "ids.json") == nothing
    assert await export_jsonl(store, out / "models.jsonl") == nothing
    assert files(out) == before


async def test_progress_is_reported(store: Store, defs: Path, tmp_path: Path) -> None:
    told: list[Any] = []
    await export_markdown(store, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)


async def test_every_store_writes_the_same_bytes(store: Store, memory: Store, tmp_path: Path) -> None:
    for number in range(1, 40):
        name = f"{'Ää'[number % 2]}{number % 7} nodule {number}"
        write_model(tmp_path / "defs", f"d{number % 3}/m{number % 20}.fm.json", number, name=name)
    for one, out in ((store, tmp_path / "one"), (memory, tmp_path / "other")):
        await indexed(one, tmp_path / "defs")
        await export_markdown(one, out)
        await export_ids(one, out / "ids.json")
        await export_jsonl(one, out / "models.jsonl")
    assert files(tmp_path / "one") == files(tmp_path / "other")


def links(page: Path) -> list[str]:
    """Return the destinations of all links of a page."""
    tokens = [child for token in MARKDOWN.parse(page.read_text()) for child in token.children or ()]
    return [unquote(str(token.attrs["href"])) for token in tokens if token.type == "link_open"]


@pytest.mark.parametrize(
    ("out", "files"),
    [
        (".", None),
        ("defs", None),
        ("out", None),
        ("defs/out", None),
        ("deep/er/out", "defs"),
        ("out", "defs"),
    ],
)
async def test_every_link_leads_to_a_file(
    store: Store, defs: Path, tmp_path: Path, out: str, files: str | None
) -> None:
    directory = tmp_path / out
    await export_markdown(store, directory, files=files and tmp_path / files)
    found = links(directory / "index.md")
    assert len(found) == 6
    assert [link for link in found if not (directory / link).is_file()] == []


async def test_without_the_files_there_are_no_links_to_them(store: Store, defs: Path, tmp_path: Path) -> None:
    await export_markdown(store, tmp_path / "far/away/out")
    assert links(tmp_path / "far/away/out/index.md") == ["text/a.md", "text/b__two_.md", "text/c.md"]


async def test_a_long_table_is_split_and_listed(
    store: Store, defs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(pages, "ROWS_PER_TABLE", 2)
    assert await export_markdown(store, out) == ExportReport(3, 6, 0)
    assert "pulmonary nodule of type 1 to pulmonary nodule of type 2" in (out / "index.md").read_text()
    assert links(out / "index.md") == ["index_1.md", "index_2.md"]
    assert [len(links(out / name)) for name in links(out / "index.md")] == [4, 2]
    assert await export_markdown(store, out) == ExportReport(3, 0, 6)
    monkeypatch.setattr(pages, "ROWS_PER_TABLE", 3)
    assert (await export_markdown(store, out)).stale == ("index_1.md", "index_2.md")
    assert (await export_markdown(store, out, prune=True)).removed == 2
    assert len(links(out / "index.md")) == 6
