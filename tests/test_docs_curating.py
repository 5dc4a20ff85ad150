"""docs/howto/curating.md: the hooks that it shows are those of this repository."""

from __future__ import annotations

import yaml

from tests.documents import ROOT, blocks

GUIDE = (ROOT / "docs/howto/curating.md").read_text(encoding="utf-8")


def test_the_hooks_that_it_names_are_published() -> None:
    (config,) = (yaml.safe_load(block.text) for block in blocks(GUIDE) if block.language == "yaml")
    named = {hook["id"] for repository in config["repos"] for hook in repository["hooks"]}
    assert named == {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
