"""Lint files: check them, find the violations of the rules, and correct what needs no decision."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.author.check import check, root_of
from findingmodel.author.lint.codes import can_check_units
from findingmodel.author.lint.collection import Collection
from findingmodel.author.lint.config import LintConfig
from findingmodel.author.lint.document import FileLint, violations_of
from findingmodel.author.lint.fix import fix_file, uncommitted
from findingmodel.author.lint.rule import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from findingmodel.author.check import CheckReport
    from findingmodel.author.lint.rule import Violation
    from findingmodel.model.parse import Parsed
    from findingmodel.update.options import UpdateOptions


class LintReport(NamedTuple):
    """The result of linting.

    Attributes:
        check: whether the files are valid.
        files: the files with violations, sorted by path; after corrections, what is left.
        fixed: how many violations were corrected, or would be, by file.
        not_fixed: why a file was not corrected, by file.
        units_checked: whether the library for units is installed.
        root: the directory that the paths are relative to.
    """

    check: CheckReport
    files: tuple[FileLint, ...]
    fixed: Mapping[str, int]
    not_fixed: Mapping[str, str]
    units_checked: bool
    root: Path

    @property
    def ok(self) -> bool:
        """True if all files are valid and no violation is an error."""
        return self.check.ok and not self.counts[Level.ERROR]

    @property
    def counts(self) -> Counter[Level]:
        """The number of violations of each level."""
        return Counter(level for file in self.files for level, _ in file.violations)

    @property
    def by_rule(self) -> dict[tuple[str, Level], int]:
        """The number of violations of each rule, the most frequent first."""
        counts = Counter((found.code, level) for file in self.files for level, found in file.violations)
        return dict(counts.most_common())

    @property
    def fixable(self) -> int:
        """The number of violations that can be corrected."""
        return sum(map(_fixable, self.files))

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        violations = [
            {
                "path": file.path,
                "pointer": found.pointer,
                "code": found.code,
                "level": level.value,
                "message": found.message,
                "fixable": bool(found.edits),
            }
            for file in self.files
            for level, found in file.violations
        ]
        return self.check.as_dict() | {
            "violations": violations,
            "counts": {level.value: self.counts[level] for level in Level},
            "by_rule": {code: count for (code, _), count in self.by_rule.items()},
            "fixed": dict(self.fixed),
            "not_fixed": dict(self.not_fixed),
            "units_checked": self.units_checked,
        }


def lint(
    *paths: Path,
    config: LintConfig | None = None,
    fix: bool = False,
    dry_run: bool = False,
    allow_dirty: bool = False,
    options: UpdateOptions | None = None,
) -> LintReport:
    """Check files as `check` does, and against the rules of a collection.

    Args:
        paths: files, and directories whose finding model files are checked. Rules about several models
            compare these files only.
        config: which rules count; by default all of them.
        fix: whether to correct violations that need no decision. A file is replaced as a whole, in canonical
            layout, and only if it is a valid model afterwards.
        dry_run: whether to report what *fix* would correct, and write nothing.
        allow_dirty: whether to correct files that have changes which git does not have.
        options: the limits of files.

    Raises:
        DirectoryError: a directory cannot be listed.
    """
    config = config or LintConfig()
    report, files = _find(paths, config, options)
    fixed: dict[str, int] = {}
    not_fixed: dict[str, str] = {}
    fixable = [file for file in files if fix and _fixable(file)]
    dirty = frozenset() if allow_dirty else uncommitted(file.file for file in fixable)
    for file in fixable:
        is_dirty = file.file.resolve() in dirty
        reason = "it has uncommitted changes" if is_dirty else fix_file(file, config, dry_run=dry_run)
        if reason is None:
            fixed[file.path] = _fixable(file)
        else:
            not_fixed[file.path] = reason
    if fixed and not dry_run:
        report, files = _find(paths, config, options)
    return LintReport(report, files, fixed, not_fixed, can_check_units(), root_of(paths))


def _fixable(file: FileLint) -> int:
    return sum(bool(found.edits) for _, found in file.violations)


def _find(
    paths: Sequence[Path], config: LintConfig, options: UpdateOptions | None
) -> tuple[CheckReport, tuple[FileLint, ...]]:
    """Return whether the files are valid, and those with violations."""
    collection = Collection()
    files: dict[str, tuple[Path, int]] = {}
    found: defaultdict[str, list[tuple[Level, Violation]]] = defaultdict(list)

    def add(name: str, violation: Violation) -> None:
        level = config.level_of(violation.code, files[name][0])
        if level is not None:
            found[name].append((level, violation))

    def inspect(name: str, path: Path, data: bytes, parsed: Parsed) -> None:
        files[name] = path, hash(data)
        for violation in violations_of(data, parsed):
            add(name, violation)
        if parsed.model is not None:
            collection.add(name, parsed.model)

    report = check(*paths, options=options, inspect=inspect)
    for name, violation in collection.violations():
        add(name, violation)
    return report, tuple(FileLint(name, *files[name], tuple(found[name])) for name in sorted(found))
