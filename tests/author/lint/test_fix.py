"""--fix: what it changes, what it leaves alone, and that nothing is lost."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.lint.config import LintConfig
from findingmodel.author.lint.document import lint_document
from findingmodel.author.lint.fix import corrected
from findingmodel.author.lint.rules import RULES
from findingmodel.author.lint.run import lint
from findingmodel.model.parse import parse_model
from tests.author.lint.samples import as_file, changed, codes, others, tidy_model, write_collection

if TYPE_CHECKING:
    from pathlib import Path

FIXABLE = [code for code, rule in RULES.items() if rule.fixable]
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def fixed(model: dict[str, Any]) -> dict[str, Any]:
    """The model after every correction that needs no other file."""
    data = as_file(model)
    violations = [found for _, found in lint_document(data).violations]
    result = corrected(data, None, LintConfig(), violations)
    assert result is not None
    document: dict[str, Any] = json.loads(result)
    return document


@st.composite
def untidy(draw: st.DrawFn) -> dict[str, Any]:
    """A model that breaks several fixable rules, possibly at once at one place."""
    spaced = st.sampled_from(["CT", "ct", " CT", "C T", "chest", "chest_wall", "chest wall", "", "  "])
    label = st.sampled_from(
        ["PE", "pe ", "lung clot", "lung_clot", "pulmonary embolism", " Pulmonary  Embolism"]
    )
    model = tidy_model(
        tags=draw(st.lists(spaced, min_size=1, max_size=6)),
        synonyms=draw(st.lists(label, min_size=1, max_size=6)),
        description=draw(st.sampled_from([" A clot.  It is old. ", "A clot in an artery."])),
    )
    model["attributes"] = draw(st.permutations(model["attributes"]))
    for attribute in model["attributes"]:
        attribute["name"] = draw(st.sampled_from([attribute["name"], attribute["name"].title()]))
        attribute["name"] = attribute["name"].replace(" ", draw(st.sampled_from([" ", "_", "  "])))
        if "values" in attribute:
            attribute["max_selected"] = draw(st.integers(1, 12))
    code = {"system": "SNOMED", "code": "59282003"}
    systems = st.sampled_from(["SNOMED", "SNOMEDCT", "snomed-ct"])
    model["index_codes"] = [code | {"system": system} for system in draw(st.lists(systems, min_size=1))]
    return model


@given(untidy())
def test_nothing_fixable_is_left_and_ids_and_meaning_stay(model: dict[str, Any]) -> None:
    result = fixed(copy.deepcopy(model))
    assert [found for _, found in lint_document(as_file(result)).violations if found.edits] == []
    assert fixed(copy.deepcopy(result)) == result
    assert result["oifm_id"] == model["oifm_id"]
    before = {one["oifma_id"]: one for one in model["attributes"]}
    after = {one["oifma_id"]: one for one in result["attributes"]}
    assert before.keys() == after.keys()
    for oifma_id, attribute in before.items():
        kept = {"type", "values", "minimum", "maximum", "unit", "required"}
        assert {k: attribute.get(k) for k in kept} == {k: after[oifma_id].get(k) for k in kept}
    assert result["contributors"] == model["contributors"]


def test_only_active_rules_are_corrected(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(tags=["CT", "ct"], synonyms=["PE", "pe"]), *others())
    lint(directory, config=LintConfig().narrowed(ignore=["repeated-tag"]), fix=True)
    model = json.loads((directory / "1.fm.json").read_bytes())
    assert (model["tags"], model["synonyms"]) == (["CT", "ct"], ["PE"])


def test_files_without_a_correction_are_not_touched(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(name="Pulmonary Embolism"), *others())
    path = directory / "1.fm.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert lint(directory, fix=True).fixed == {}
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_dry_run_writes_nothing_and_says_what_it_would_do(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(tags=["CT", "ct"]), *others())
    before = (directory / "1.fm.json").read_bytes()
    report = lint(directory, fix=True, dry_run=True)
    assert report.fixed == {"1.fm.json": 1}
    assert (directory / "1.fm.json").read_bytes() == before
    assert codes(directory) == {"repeated-tag"}


def test_a_misspelt_field_can_make_a_file_valid_again(tmp_path: Path) -> None:
    model = tidy_model()
    model["descriptio"] = model.pop("description")
    directory = write_collection(tmp_path, model, *others())
    assert [failed.path for failed in lint(directory).check.failed] == ["1.fm.json"]
    report = lint(directory, fix=True)
    assert (report.ok, report.fixed) == (True, {"1.fm.json": 1})


def test_a_file_that_would_not_be_valid_is_left_alone(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(name="ab  c"), *others())
    report = lint(directory, fix=True)
    assert report.not_fixed == {"1.fm.json": "it would not be a valid model afterwards; correct it by hand"}
    assert codes(directory) == {"spaces"}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(tags=["CT", "ct"]))
    (directory / "1.fm.json").rename(directory / "real.fm.json")
    (directory / "1.fm.json").symlink_to("real.fm.json")
    lint(directory / "1.fm.json", fix=True)
    assert (directory / "1.fm.json").is_symlink()
    assert json.loads((directory / "real.fm.json").read_bytes())["tags"] == ["CT"]


def test_the_spelling_of_a_tag_is_taken_from_the_majority_only(tmp_path: Path) -> None:
    tags = (["Chest"], ["chest"], ["chest"])
    directory = write_collection(
        tmp_path,
        *(tidy_model(n, name=f"finding {n}", synonyms=...) | {"tags": tag} for n, tag in enumerate(tags, 1)),
    )
    lint(directory, fix=True)
    assert [json.loads(path.read_bytes())["tags"] for path in sorted(directory.iterdir())] == [["chest"]] * 3


def test_an_even_split_of_spellings_is_not_judged(tmp_path: Path) -> None:
    directory = write_collection(tmp_path, tidy_model(tags=["Chest"]), others()[0] | {"tags": ["chest"]})
    assert codes(directory) == set()


def git(directory: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    names = ("-c", "user.name=Test Reader", "-c", "user.email=reader@example.org")
    subprocess.run(
        ["git", *names, *arguments], cwd=directory, env=environment, check=True, capture_output=True
    )


@needs_git
def test_files_with_uncommitted_changes_are_corrected_only_on_request(tmp_path: Path) -> None:
    untidy = [tidy_model(n, name=f"finding {n}", synonyms=..., tags=["CT", "ct"]) for n in (1, 2, 3)]
    directory = write_collection(tmp_path / "defs", *untidy[:2])
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=two models")
    (directory / "2.fm.json").write_bytes(as_file(untidy[1] | {"description": "Another description."}))
    (directory / "new é.fm.json").write_bytes(as_file(untidy[2]))
    report = lint(directory, fix=True)
    assert report.fixed == {"1.fm.json": 1}
    assert report.not_fixed == dict.fromkeys(("2.fm.json", "new é.fm.json"), "it has uncommitted changes")
    assert lint(directory, fix=True, allow_dirty=True).fixed == {"2.fm.json": 1, "new é.fm.json": 1}


@needs_git
def test_a_repository_cannot_make_git_run_its_programs(tmp_path: Path) -> None:
    directory = write_collection(tmp_path / "defs", tidy_model(tags=["CT", "ct"]))
    git(tmp_path, "init", "--quiet")
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\ntouch run\n")
    program.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(program))
    lint(directory, fix=True)
    assert not list(tmp_path.rglob("run"))


KILLED = """
import os, signal, sys
from pathlib import Path
from findingmodel.author.lint.run import lint
from findingmodel.runtime import files

steps = int(sys.argv[2])
def step(name):
    original = getattr(os, name)
    def call(*args, **kwargs):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)
    setattr(os, name, call)
for name in ("replace", "chmod", "unlink"):
    step(name)
lint(Path(sys.argv[1]), fix=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(1, 8))
def test_a_killed_correction_leaves_each_file_old_or_new(tmp_path: Path, steps: int) -> None:
    untidy = [tidy_model(n, name=f"finding {n}", synonyms=..., tags=["CT", "ct"]) for n in (1, 2, 3)]
    directory = write_collection(tmp_path, *untidy)
    done = subprocess.run([sys.executable, "-c", KILLED, directory, str(steps)], check=False)
    assert done.returncode == -9
    for path in sorted(directory.glob("[0-9].fm.json")):
        model = parse_model(path.read_bytes()).model
        assert model is not None
        assert model.tags in (["CT", "ct"], ["CT"])
    assert len(list(directory.glob("*.fm.json"))) == 3
    lint(directory, fix=True)
    assert [codes(directory, f"{n}.fm.json") for n in (1, 2, 3)] == [set()] * 3


@pytest.mark.parametrize("code", FIXABLE)
def test_a_correction_changes_only_the_place_of_the_example(code: str) -> None:
    example = RULES[code].example
    if example.pointer in ("/attributes", "/index_codes"):
        return  # the place of these is a whole list
    model = changed(tidy_model(), example.pointer, example.bad)
    violations = [one for _, one in lint_document(as_file(model)).violations if one.code == code]
    result = corrected(as_file(model), None, LintConfig().narrowed(select=[code]), violations)
    top = example.pointer.split("/")[1]
    assert result is not None
    rest = {field: value for field, value in json.loads(result).items() if field != top}
    assert rest == {field: value for field, value in model.items() if field != top}
