"""samples/collection: the template of a repository of models is tidy, and its checks find mistakes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from findingmodel.author.check import check
from findingmodel.author.edit_contributors import read_contributors
from findingmodel.author.lint.config import load_config
from findingmodel.author.lint.run import lint
from findingmodel.author.not_duplicates import read_pairs
from tests.cli.commands import edit

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "samples" / "collection"


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the template under git, with the commands of this environment."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    directory = tmp_path / "collection"
    shutil.copytree(TEMPLATE, directory)
    monkeypatch.chdir(directory)
    subprocess.run(["git", "init", "--quiet"], check=True)
    commit()
    return directory


def commit() -> None:
    """Commit everything in the current directory."""
    names = ("-c", "user.name=Test Reader", "-c", "user.email=reader@example.org")
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", *names, "commit", "--quiet", "--message=models"], check=True)


def test_the_models_follow_the_rules_of_the_collection_and_all_others() -> None:
    assert len(list(TEMPLATE.rglob("*.fm.json"))) >= 3
    for config in (load_config(TEMPLATE).lint, None):
        report = lint(TEMPLATE / "defs", config=config)
        assert (report.check.failed, report.files) == ((), ())


def test_the_models_are_in_canonical_layout(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE / "defs", tmp_path / "defs")
    assert check(tmp_path / "defs", fix_format=True).formatted == ()


def test_the_lists_can_be_read() -> None:
    config = load_config(TEMPLATE)
    assert config.root == TEMPLATE
    assert read_pairs(config.not_duplicates) == frozenset()
    assert read_contributors(TEMPLATE / "contributors.yml").keys() == {"SMPL"}


def test_the_hooks_are_published() -> None:
    config = yaml.safe_load((TEMPLATE / ".pre-commit-config.yaml").read_text())
    published = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for repository in config["repos"] for hook in repository["hooks"]} <= published


@pytest.mark.slow
def test_pre_commit_accepts_the_configuration() -> None:
    file = str(TEMPLATE / ".pre-commit-config.yaml")
    command = [sys.executable, "-W", "ignore", "-m", "pre_commit", "validate-config", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def steps() -> list[str]:
    """The commands of the workflow, after the installation."""
    workflow = yaml.safe_load((TEMPLATE / ".github/workflows/models.yml").read_text())
    assert workflow[True].keys() == {"pull_request", "push"}  # YAML reads "on" as true
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert re.match(r"pip install .*findingmodel-\*\.whl\)\[lint\]", commands[0])
    return commands[1:]


def failures() -> list[str]:
    """The steps of the workflow that fail in the current directory."""
    return [step for step in steps() if subprocess.run(["bash", "-ec", step], check=False).returncode]


@needs_git
@pytest.mark.slow
@pytest.mark.usefixtures("collection")
def test_the_workflow_passes_on_the_template() -> None:
    assert len(steps()) == 4
    assert failures() == []


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"name": "Pleural Plaque"}, ["index check"]),
        ({"name": ""}, ["index check", "index update"]),
        ({"contributors": [{"name": "Another Name", "code": "SMPL"}]}, ["contributors apply"]),
    ],
    ids=["rule", "invalid", "contributor"],
)
def test_the_workflow_fails_on_a_mistake(
    collection: Path, changes: dict[str, object], failing: list[str]
) -> None:
    edit(collection / "defs" / "pleural_plaque.fm.json", **changes)
    commit()
    failed = failures()
    assert len(failed) == len(failing)
    for step, command in zip(failed, failing, strict=True):
        assert step.startswith(f"findingmodel {command}")
