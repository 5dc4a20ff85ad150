"""The pre-commit hooks, run by pre-commit in a repository of finding models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.builders import model_bytes, write_model
from tests.docs.documents import ROOT, blocks

HOOKS = ROOT / ".pre-commit-hooks.yaml"
BIN = Path(sys.executable).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of two models, whose hooks run the findingmodel of this environment."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "models"
    for number in (1, 2):
        write_model(directory, f"defs/m{number}.fm.json", number)
    monkeypatch.chdir(directory)
    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.name", "Test Reader")
    git("config", "user.email", "reader@example.org")
    git("add", ".")
    git("commit", "--quiet", "--message=two models")
    return directory


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def use(repository: Path, hook: str) -> None:
    """Let the repository use *hook* as it is published, but for its installation, which needs a network."""
    (published,) = [one for one in yaml.safe_load(HOOKS.read_text()) if one["id"] == hook]
    assert published.pop("language") == "python"
    published.pop("additional_dependencies", None)
    config = {"repos": [{"repo": "local", "hooks": [{**published, "language": "system"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git("add", ".")


def commit() -> subprocess.CompletedProcess[str]:
    """What pre-commit makes of the staged files."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pre_commit", "run", "--color=never", "--verbose"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_pre_commit_accepts_the_manifest() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pre_commit", "validate-manifest", str(HOOKS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_hooks_that_the_guide_names_are_published() -> None:
    guide = (ROOT / "docs/howto/curating.md").read_text(encoding="utf-8")
    (config,) = (yaml.safe_load(block.text) for block in blocks(guide) if block.language == "yaml")
    named = {hook["id"] for repository in config["repos"] for hook in repository["hooks"]}
    assert named == {hook["id"] for hook in yaml.safe_load(HOOKS.read_text())}


def test_changed_models_are_checked(repository: Path) -> None:
    use(repository, "findingmodel-check")
    write_model(repository, "defs/m3.fm.json", 3)
    git("add", ".")
    done = commit()
    assert done.returncode == 0, done.stdout
    assert "1 file checked, all valid" in done.stdout


def test_a_broken_model_cannot_be_committed(repository: Path) -> None:
    use(repository, "findingmodel-check")
    (repository / "defs/m3.fm.json").write_bytes(model_bytes(3, name=7))
    (repository / "defs/m4.fm.json").write_bytes(model_bytes(1, name="another name of it"))
    (repository / "notes.json").write_text("{")
    git("add", ".")
    done = commit()
    assert done.returncode == 1
    assert "defs/m3.fm.json: /name: " in done.stdout
    assert "m4.fm.json" not in done.stdout  # only check-all sees that an unchanged file has the same id
    assert "notes.json" not in done.stdout


def test_a_model_that_breaks_a_rule_cannot_be_committed(repository: Path) -> None:
    (repository / ".findingmodel.toml").write_text(
        '[lint]\nselect = ["spaces"]\nlevel = {spaces = "error"}\n'
    )
    use(repository, "findingmodel-lint")
    write_model(repository, "defs/m3.fm.json", 3, name="two  spaces")
    git("add", ".")
    done = commit()
    assert done.returncode == 1
    assert "defs/m3.fm.json: /name: error: 'two  spaces' has white space" in done.stdout


def test_check_all_compares_with_unchanged_files(repository: Path) -> None:
    use(repository, "findingmodel-check-all")
    (repository / "defs/m4.fm.json").write_bytes(model_bytes(1, name="another name of it"))
    git("add", ".")
    done = commit()
    assert done.returncode == 1
    assert "defs/m4.fm.json: /oifm_id: " in done.stdout
    assert "[duplicate-id]" in done.stdout


def test_a_commit_without_models_skips_the_hooks(repository: Path) -> None:
    use(repository, "findingmodel-check-all")
    git("commit", "--quiet", "--no-verify", "--message=hooks")
    (repository / "README.md").write_text("Our models")
    git("add", ".")
    assert "(no files to check)Skipped" in commit().stdout


def test_the_layout_is_corrected_and_the_commit_stopped_once(repository: Path) -> None:
    use(repository, "findingmodel-format")
    done = commit()
    assert done.returncode == 0, "unchanged files are not formatted"
    path = repository / "defs/m3.fm.json"
    path.write_bytes(model_bytes(3).replace(b"  ", b"\t"))
    git("add", ".")
    done = commit()
    assert (done.returncode, "files were modified by this hook" in done.stdout) == (1, True)
    assert path.read_bytes() == model_bytes(3) + b"\n"
    git("add", ".")
    assert commit().returncode == 0
