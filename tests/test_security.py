"""Security: texts of files, queries and names are never executed."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import Index, QueryError, Settings
from tests.builders import make_choice, make_organization, make_person, write_model
from tests.cli.commands import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.servers import Server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_directory")]

PACKAGE = Path(__file__).parent.parent / "findingmodel"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J",
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/x.png)",
    "=HYPERLINK(A1)",
    "\u202egnp.exe",
    "line\nbreak\rback",
    "| a | b |",
    "../../../../etc/passwd",
    "$where {$gt: 1} .* ' OR 1=1 --",
)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A directory of models with hostile texts in all fields."""
    directory = tmp_path / "defs"
    for number, text in enumerate(HOSTILE, 1):
        write_model(
            directory,
            f"{number}.fm.json",
            number,
            name=f"{text} {number}",
            description=f"{text} is what it says, at some length",
            synonyms=[f"{text} too {number}"],
            tags=[text],
            contributors=[make_person(name=f"{text} P."), make_organization(name=f"{text} O.")],
            attributes=[make_choice(10 * number, name=text, description=text)],
            unknown={text: text},
        )
    return directory


# injection


@pytest.fixture(params=["sqlite", pytest.param("secantus", marks=pytest.mark.mongo)])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Index]:
    """An index of one model, on each kind of store."""
    url = str(tmp_path / "x.db")
    if request.param == "secantus":
        server: Server = request.getfixturevalue("secantus")
        url = server.url(request.getfixturevalue("database"))
    write_model(tmp_path / "one", "a.fm.json", 1)
    async with Index(url) as opened:
        await opened.update_from_directory(tmp_path / "one")
        yield opened


@pytest.mark.parametrize(
    "text",
    [
        ".*",
        "^pulmonary",
        "pulmonary.nodule",
        "%",
        "_ulmonary nodule of type 1",
        '{"$gt": ""}',
        "$where",
        "' OR '1'='1",
        '" OR ""="',
        "'; DROP TABLE entries_main; --",
        'name:"x" OR *',
        "OIFM_*",
        "{name synonyms} : a*",
    ],
)
async def test_no_key_is_an_operator_or_a_pattern(index: Index, text: str) -> None:
    assert await index.get(text) is None
    assert await index.get_full_batch([text]) == {}
    assert await index.get_person(text) is None
    assert await index.find_by_code(text, text) == []
    assert await index.search("nodule", tags=[text]) == []
    assert await index.remove_entry(text) is False
    assert await index.remove_unused_entries(["a.fm.json", text]) == []
    assert await index.count() == 1


@pytest.mark.parametrize(
    "text",
    ["xyzzy*", "NEAR(xyzzy plugh)", '"xyzzy" OR *', "name : xyzzy", "^xyzzy", "xyzzy NOT", "(((", "$x"],
)
async def test_no_query_reaches_the_language_of_a_database(index: Index, text: str) -> None:
    try:
        assert await index.search(text) == []
    except QueryError:
        assert not any(letter.isalnum() for letter in text)


@pytest.mark.parametrize(
    "text", ["nodule\ud800", "\ud800", "no\0dule", "nodule code:radlex:\0", "tag:\udfff"]
)
async def test_texts_that_no_file_can_contain_are_harmless(index: Index, text: str) -> None:
    assert await index.get(text) is None
    assert await index.suggest(text) in ([], await index.suggest("nodule"))
    try:
        hits = await index.search(text)
    except QueryError:
        return
    assert [hit.oifm_id for hit in hits] in ([], ["OIFM_TEST_000001"])


# output


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "list"],
        ["index", "list", "--json"],
        ["index", "get", "OIFM_TEST_000001", "OIFM_TEST_000006", "OIFM_TEST_000007"],
        ["index", "get", "OIFM_TEST_000001", "--full"],
        ["index", "get", "\x1b[2J", "--json"],
        ["index", "tags"],
        ["index", "contributors"],
        ["index", "contributors", "--json"],
        ["index", "duplicates"],
        ["index", "stats"],
        ["index", "history"],
        ["search", "at some length"],
        ["search", "at some length", "--explain", "--json"],
        ["-v", "index", "diff", "defs", "--db", "other.db"],
        ["-v", "index", "check", "defs"],
        ["-v", "index", "update", "defs", "--rehash"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("hostile")
def test_no_output_controls_the_terminal(arguments: list[str]) -> None:
    assert run("index", "update", "defs", "--db", "x.db").exit_code == 0
    database = [] if "--db" in arguments or "check" in arguments else ["--db", "x.db"]
    result = run(*arguments, *database)
    assert CONTROL.search(result.output) is None, CONTROL.search(result.output)
    if "--json" in arguments:
        json.loads(result.stdout)


@pytest.mark.usefixtures("hostile")
def test_pages_have_only_our_markup_and_stay_in_their_directory(tmp_path: Path) -> None:
    write_model(tmp_path / "defs", "a\u202e\x9b\n](x) b.fm.json", len(HOSTILE) + 1)
    run("index", "update", "defs", "--db", "x.db")
    before = set(tmp_path.rglob("*"))
    result = run("index", "export", "markdown", tmp_path / "pages", "--db", "x.db")
    assert result.exit_code == 0, result.output
    pages = [path for path in set(tmp_path.rglob("*")) - before if path.is_file() and path.suffix == ".md"]
    assert len(pages) == len(HOSTILE) + 2
    assert all(path.is_relative_to(tmp_path / "pages") for path in pages)
    text = "\n".join(path.read_text() for path in pages)
    assert "<script" not in text
    assert re.search(r"(?<!\\)\]\(javascript:", text) is None
    assert re.search(r"(?<!\\)!?\[x\]\(", text) is None
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text) is None


def test_links_lead_only_to_web_addresses(tmp_path: Path) -> None:
    write_model(tmp_path / "defs", "a.fm.json", 1, contributors=[make_person(url="javascript:alert(1)")])
    result = run("index", "check", "defs")
    assert result.exit_code == 1
    assert "/contributors/0/url" in result.output


def test_csv_results_contain_no_formulas(tmp_path: Path) -> None:
    write_model(tmp_path / "defs", "a.fm.json", 1, name="=cmd|'/c calc'!A1", synonyms=["nodule"])
    run("index", "update", "defs", "--db", "x.db")
    questions = 'n,query,@note\n+1,=1+1,-2.5\n@SUM(A1),nodule,-x\n \uff1d1+1,\ufeff=1+1,"\n=1"\n'
    (tmp_path / "q.csv").write_text(questions)
    run("search", "--batch", "q.csv", "--output", "a.csv", "--db", "x.db")
    with (tmp_path / "a.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert len(rows) == 4
    cells = [cell for row in rows for cell in row]
    number = re.compile(r"[+-]\d+(\.\d+)?")
    assert [c for c in cells if c.startswith(("=", "+", "-", "@", "\t")) and not number.fullmatch(c)] == []
    assert {"' \uff1d1+1", "'\ufeff=1+1", "'\n=1"} <= set(cells)
    assert {"'=1+1", "-2.5", "+1", "'@SUM(A1)", "'-x", "input.@note", "'=cmd|'/c calc'!A1"} <= set(cells)


# files


def modes(*paths: Path) -> Iterator[tuple[str, str]]:
    return ((path.name, oct(stat.S_IMODE(path.stat().st_mode))) for path in paths)


async def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    home = tmp_path / "home" / "index"
    settings = Settings(db=f"sqlite:///{home}/x.db", ledger_max_bytes=10_000)
    former = os.umask(0)
    try:
        async with Index(settings=settings) as index:
            for number in range(40):
                write_model(tmp_path / "defs", "a.fm.json", 1, description=f"Version {number} of the text.")
                await index.update_from_directory(tmp_path / "defs")
            found = dict(modes(home, *home.iterdir()))
    finally:
        os.umask(former)
    assert {"x.db", "x.db-wal", "x.db.ledger.jsonl", "x.db.ledger.jsonl.1"} <= found.keys()
    assert found.pop("index") == "0o700"
    assert set(found.values()) == {"0o600"}


def test_a_page_is_not_written_through_a_prepared_link(tmp_path: Path) -> None:
    from findingmodel.runtime.files import replace_file

    victim, page = tmp_path / "victim", tmp_path / "pages" / "a.md"
    victim.write_text("mine")
    page.parent.mkdir()
    (page.parent / f".a.md.{os.getpid()}.tmp").symlink_to(victim)
    assert replace_file(page, b"text")
    assert (victim.read_text(), page.read_text()) == ("mine", "text")


# the source

FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "xml", "subprocess", "ctypes", "code"}
RUNS_PROGRAMS = {("fix.py", "subprocess")}
"""Modules that run other programs: git with fixed arguments, to ask which files are committed."""
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "loads_unsafe"}


SAFE_YAML = {"safe_load", "safe_dump", "YAMLError"}
"""What may be used of PyYAML, whose other functions make any Python object."""


def test_yaml_is_only_read_as_plain_values() -> None:
    used: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.module == "yaml"), path
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "yaml"
            ):
                used.add(node.attr)
    assert used == SAFE_YAML


def test_the_source_executes_no_input() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            wrong += [(path.name, name) for name in modules if name.partition(".")[0] in FORBIDDEN_MODULES]
            if isinstance(node, ast.Call) and called(node) in FORBIDDEN_CALLS:
                wrong.append((path.name, ast.unparse(node)))
    assert set(wrong) == RUNS_PROGRAMS


def called(node: ast.Call) -> str:
    """The name of a called function, if it is a plain name or belongs to os or builtins."""
    function: Any = node.func
    if isinstance(function, ast.Name):
        return function.id
    is_of_system = isinstance(function, ast.Attribute) and ast.unparse(function.value) in ("os", "builtins")
    return function.attr if is_of_system else ""
