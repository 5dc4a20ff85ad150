"""contributors.yml: collected from models, applied to models, and the comments in it stay."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.author.edit_contributors import (
    FILE,
    apply_to_models,
    collect,
    credit,
    nearest,
    read_contributors,
)
from findingmodel.errors import ConfigError, EditError
from tests.builders import make_organization, make_person, write_model

if TYPE_CHECKING:
    from pathlib import Path


def contributors(path: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(path.read_bytes())["contributors"]
    return listed


def test_everyone_is_collected_once_as_most_models_describe_them(tmp_path: Path) -> None:
    for number in (1, 2):
        write_model(tmp_path, f"{number}.fm.json", number, contributors=[make_organization(), make_person()])
    write_model(tmp_path, "3.fm.json", 3, contributors=[make_person(url=...)])
    plan = collect(tmp_path, tmp_path / FILE)
    plan.apply()
    assert read_contributors(tmp_path / FILE) == {"TEST": make_organization(), "test-reader": make_person()}
    assert plan.notes == ("models describe test-reader in 2 ways; the usual one was taken",)
    assert collect(tmp_path, tmp_path / FILE).changes == ()


def test_what_the_file_says_already_stays(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("# ours\n- code: TEST\n  name: The Other Name # new since May", encoding="utf-8")
    write_model(tmp_path, "1.fm.json", 1, contributors=[make_organization(), make_person(name="Zoë Müller")])
    collect(tmp_path, file).apply()
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# ours\n- code: TEST\n  name: The Other Name # new since May\n- github_username")
    assert "Zoë Müller" in text
    apply_to_models(tmp_path, file).apply()
    assert contributors(tmp_path / "1.fm.json")[0] == {"name": "The Other Name", "code": "TEST"}
    assert apply_to_models(tmp_path, file).changes == ()


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    path = write_model(tmp_path / "defs" / "chest", "1.fm.json", 1)
    assert nearest(path) == path.with_name(FILE)
    (tmp_path / FILE).touch()
    (tmp_path / "defs" / FILE).touch()
    assert nearest(path) == tmp_path / "defs" / FILE


def test_a_contributor_whom_the_file_lacks_is_noted_and_stays(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("- {code: ABCD, name: Another Group}\n")
    path = write_model(tmp_path, "1.fm.json", 1)
    plan = apply_to_models(tmp_path, tmp_path / FILE)
    assert plan.changes == ()
    assert "TEST is not in" in plan.notes[0]
    credit([path], ["abcd"], tmp_path / FILE).apply()
    assert [one["code"] for one in contributors(path)] == ["TEST", "ABCD"]
    assert credit([path], ["ABCD"], tmp_path / FILE).changes == ()
    with pytest.raises(EditError, match="does not have 'XYZ'; it has ABCD"):
        credit([path], ["XYZ"], tmp_path / FILE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- [", "is not YAML"),
        ("people: 1", "must be a list"),
        ("- 7", "item 1"),
        ("- {code: ABCD}", "item 1, name: Field required"),
        ("- {code: ABCD, name: Some Group}\n- {code: ABCD, name: Some Group}", "item 2 describes 'ABCD'"),
        ("", "names nobody: findingmodel contributors collect"),
        ("- !!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match=message):
        apply_to_models(tmp_path, tmp_path / FILE)


def test_a_file_that_does_not_exist_names_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names nobody"):
        apply_to_models(tmp_path, tmp_path / FILE)
