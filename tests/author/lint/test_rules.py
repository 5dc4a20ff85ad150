"""The table of rules: each example is a violation, its correction is none, and --fix does what it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from findingmodel.author.lint.rules import RULES
from findingmodel.author.lint.run import lint
from findingmodel.model.parse import parse_model
from tests.author.lint.samples import changed, codes, others, tidy_model, violations, write_collection

if TYPE_CHECKING:
    from pathlib import Path

ALL = pytest.mark.parametrize("code", RULES)


def with_example(directory: Path, code: str, *, bad: bool) -> Path:
    """A collection whose first model has the example of a rule, or its correction."""
    example = RULES[code].example
    model = changed(tidy_model(), example.pointer, example.bad if bad else example.good)
    return write_collection(directory, model, *others())


def test_the_samples_break_no_rule(tmp_path: Path) -> None:
    report = lint(write_collection(tmp_path, tidy_model(), *others()))
    assert [file.violations for file in report.files] == []
    assert report.ok


@ALL
def test_the_example_of_a_rule_breaks_it(tmp_path: Path, code: str) -> None:
    found = [one for _, one in violations(with_example(tmp_path, code, bad=True)) if one.code == code]
    assert found
    assert {level for level, one in violations(tmp_path) if one.code == code} == {RULES[code].level}


@ALL
def test_the_correction_in_the_example_breaks_no_rule(tmp_path: Path, code: str) -> None:
    assert codes(with_example(tmp_path, code, bad=False)) == set()


@ALL
def test_a_violation_says_what_and_what_to_do_in_one_line(tmp_path: Path, code: str) -> None:
    for _, found in violations(with_example(tmp_path, code, bad=True)):
        assert re.fullmatch(r"[^\n]{20,250}", found.message)
        assert not re.search(r"[{}]", found.message.replace("{score}", ""))
        assert ":" in found.message or "rename" in found.message


@ALL
def test_a_fixable_example_is_corrected_and_stays_the_same_model(tmp_path: Path, code: str) -> None:
    directory = with_example(tmp_path, code, bad=True)
    before = json.loads((directory / "1.fm.json").read_bytes())
    report = lint(directory, fix=True)
    after = (directory / "1.fm.json").read_bytes()
    if not RULES[code].fixable:
        assert all(found.code != code or not found.edits for _, found in violations(directory))
        assert code in codes(directory)
        return
    assert report.fixed.keys() == {"1.fm.json"}
    assert code not in codes(directory)
    model = parse_model(after).model
    assert model is not None
    assert model.oifm_id == before["oifm_id"]
    assert {one.oifma_id for one in model.attributes} == {one["oifma_id"] for one in before["attributes"]}


def test_codes_are_words_and_summaries_are_sentences() -> None:
    for code, rule in RULES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert re.fullmatch(r"[A-Z'].{10,105}\.", rule.summary)
