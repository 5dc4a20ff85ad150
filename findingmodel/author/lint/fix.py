"""Correct files: apply the edits of violations until none is left, and replace each file as a whole."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from findingmodel.author.lint.document import lint_document
from findingmodel.author.lint.edits import Remove, apply_edits
from findingmodel.model.parse import parse_model
from findingmodel.runtime.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from findingmodel.author.lint.config import LintConfig
    from findingmodel.author.lint.document import FileLint
    from findingmodel.author.lint.edits import Edit
    from findingmodel.author.lint.rule import Violation

_MAX_ROUNDS = 20  # a correction may uncover another violation; each round corrects some
_GIT_SECONDS = 60


def fix_file(lint: FileLint, config: LintConfig, *, dry_run: bool = False) -> str | None:
    """Correct the violations in a file that need no decision; return why not, or None if it was done.

    The file is replaced as a whole, keeps its ids, and is in canonical layout afterwards.

    Args:
        lint: the violations that were found.
        config: which rules count: what a correction uncovers is corrected too.
        dry_run: whether to change nothing, and only to find out whether it can be done.
    """
    try:
        data = lint.file.read_bytes()
        if hash(data) != lint.fingerprint:
            return "it changed while it was checked; run the command again"
        fixed = corrected(data, lint.file, config, [found for _, found in lint.violations])
        if fixed is None:
            return "it would not be a valid model afterwards; correct it by hand"
        if not dry_run:
            replace_file(lint.file.resolve(), fixed)
    except OSError as error:
        return f"it cannot be read or written: {error.strerror}"
    return None


def corrected(
    data: bytes, path: Path | None, config: LintConfig, violations: Sequence[Violation]
) -> bytes | None:
    """Return the corrected file, or None if it would not be a valid model.

    Args:
        data: the bytes of the file.
        path: the file, for rules that do not count in some files; None if it is nowhere.
        config: which rules count.
        violations: what was found in *data*, also by comparison with other files.
    """
    before = parse_model(data).model
    for _ in range(_MAX_ROUNDS):
        edits = _one_per_place(edit for found in violations for edit in found.edits)
        if not edits:
            break
        data = apply_edits(data, edits)
        violations = [found for _, found in lint_document(data, path, config).violations]
    after = parse_model(data).model
    if after is None or (before is not None and after.oifm_id != before.oifm_id):
        return None
    return data


def _one_per_place(edits: Iterable[Edit]) -> list[Edit]:
    """Return one edit for each pointer, rather its removal; the next round corrects what is left."""
    chosen: dict[str, Edit] = {}
    for edit in edits:
        if isinstance(edit, Remove) or edit.pointer not in chosen:
            chosen[edit.pointer] = edit
    return list(chosen.values())


def uncommitted(files: Iterable[Path]) -> frozenset[Path]:
    """Return those of *files*, resolved, that have changes which git does not have.

    New files count; files outside a git repository do not, and none does without git.
    """
    wanted = {file.resolve() for file in files}
    found: set[Path] = set()
    asked: set[Path] = set()
    for file in sorted(wanted):
        root = next((parent for parent in file.parents if (parent / ".git").exists()), None)
        if root is not None and root not in asked:
            asked.add(root)
            found.update(_changed_below(root))
    return frozenset(wanted & found)


def _changed_below(root: Path) -> set[Path]:
    # A repository's own configuration must not name programs that git would run here.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), "status", "--porcelain=v1", "-z"]
    try:
        done = subprocess.run(  # noqa: S603  # no shell, and no argument from a file
            [*command, "--untracked-files=all", "--no-renames"],
            capture_output=True,
            check=True,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return set()
    return {(root / line[3:].decode(errors="surrogateescape")).resolve() for line in done.stdout.split(b"\0")}
