"""Which rules count: ``.findingmodel.toml`` and the options of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.author.lint.config import FILENAME, LintConfig, load_config
from findingmodel.author.lint.rule import Level
from findingmodel.author.lint.rules import RULES
from findingmodel.author.lint.run import lint
from findingmodel.errors import ConfigError
from tests.author.lint.samples import others, tidy_model, write_collection
from tests.docs.documents import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path


def configured(directory: Path, text: str) -> LintConfig:
    directory.mkdir(exist_ok=True)
    (directory / FILENAME).write_text(text)
    return load_config(directory).lint


def test_without_a_file_every_rule_counts(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    config = load_config(tmp_path)
    assert config.lint.levels == {code: rule.level for code, rule in RULES.items()}
    assert config.not_duplicates == tmp_path / "not-duplicates.txt"


def test_a_file_selects_ignores_and_sets_levels(tmp_path: Path) -> None:
    text = '[lint]\nselect = ["error", "title-case"]\nignore = ["value-code"]\nlevel = {spaces = "error"}'
    levels = configured(tmp_path, text).levels
    errors = {code for code, rule in RULES.items() if rule.level == Level.ERROR}
    assert levels.keys() == errors - {"value-code"} | {"title-case", "spaces"}
    assert levels["spaces"] == Level.ERROR


def test_the_nearest_file_above_counts_up_to_the_repository(tmp_path: Path) -> None:
    configured(tmp_path, '[lint]\nselect = ["spaces"]')
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert load_config(deep / "x.fm.json").lint.levels.keys() == {"spaces"}
    configured(tmp_path / "a", '[lint]\nselect = ["title-case"]')
    assert load_config(deep).lint.levels.keys() == {"title-case"}
    (deep / ".git").mkdir()
    assert load_config(deep).lint.levels.keys() == RULES.keys()


def test_rules_can_be_ignored_in_some_files(tmp_path: Path) -> None:
    bad = tidy_model(name="Pulmonary Embolism")
    write_collection(tmp_path / "defs" / "devices", bad)
    write_collection(
        tmp_path / "defs" / "chest", *others(), tidy_model(4, name="Pleural Effusion", synonyms=...)
    )
    config = configured(tmp_path, '[lint.ignore-in]\n"defs/devices/*" = ["title-case"]')
    report = lint(tmp_path / "defs", config=config)
    assert [file.path for file in report.files] == ["chest/3.fm.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lint\n", "is not TOML: "),
        ("[lnt]\n", "'lnt' is not a table: did you mean 'lint'?"),
        ("lint = 7\n", "lint must be a table"),
        ("[lint]\nselct = []\n", "[lint]: 'selct' is not a key: did you mean 'select'?"),
        ('[lint]\nselect = "all"\n', "lint.select must be a list of names"),
        (
            '[lint]\nignore = ["titlecase"]\n',
            "'titlecase' is not a rule or level: did you mean 'title-case'?",
        ),
        (
            '[lint.level]\nspaces = "fatal"\n',
            'lint.level.spaces must be "error", "warning" or "review", not \'fatal\'',
        ),
        ("[lint]\nlevel = 7\n", "lint.level must be a table"),
        ("[lint]\nignore-in = 7\n", "lint.ignore-in must be a table"),
        ('[lint.ignore-in]\n"*" = ["x"]\n', "lint.ignore-in.*: 'x' is not a rule or level: there are "),
        ("[duplicates]\nnot = 7\n", "duplicates.not must name a file in "),
        ('[duplicates]\nnot = ""\n', "duplicates.not must name a file in "),
        ('[duplicates]\nnot = "/etc/hosts"\n', "duplicates.not must name a file in "),
        ('[duplicates]\nnot = "lists/../../pairs.txt"\n', "duplicates.not must name a file in "),
    ],
)
def test_mistakes_are_named_with_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / FILENAME}")
    assert message in str(raised.value)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / FILENAME).write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_options_replace_the_selection_and_add_to_what_is_ignored(tmp_path: Path) -> None:
    config = configured(tmp_path, '[lint]\nignore = ["spaces"]\nlevel = {title-case = "error"}')
    assert config.narrowed(ignore=["title-case"]).levels.keys() == RULES.keys() - {"spaces", "title-case"}
    assert config.narrowed(select=["title-case", "spaces"]).levels == {
        "title-case": Level.ERROR,
        "spaces": Level.WARNING,
    }
    errors = config.narrowed(min_level=Level.ERROR).levels
    assert "title-case" in errors
    assert set(errors.values()) == {Level.ERROR}
    assert config.narrowed(select=["all"]).levels.keys() == RULES.keys()


def test_the_file_of_pairs_is_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / FILENAME).write_text('[duplicates]\nnot = "lists/pairs.txt"')
    (tmp_path / "defs").mkdir()
    assert load_config(tmp_path / "defs").not_duplicates == tmp_path / "lists" / "pairs.txt"


def test_the_documented_configuration_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs/reference/lint.md").read_text(encoding="utf-8")
    (block,) = (block for block in blocks(page) if block.language == "toml")
    config = configured(tmp_path, block.text)
    assert config.levels.keys() == RULES.keys() - {"name-with"}
    assert config.level_of("missing-change", tmp_path / "defs/devices/stent.fm.json") is None
