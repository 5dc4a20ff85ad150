"""check: whether files are valid, each on its own and all against each other. No index is opened."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import Problem
from findingmodel.model.parse import parse_model
from findingmodel.update.compare import compare
from findingmodel.update.contributors import Credits
from findingmodel.update.identity import Claim, KeyAssignment, identity_keys
from findingmodel.update.load import UnreadableError, read_stable
from findingmodel.update.options import UpdateOptions
from findingmodel.update.record import credits_of
from findingmodel.update.report import FileReport
from findingmodel.update.scan import SUFFIX, Scan, SourceFile, is_model_name, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.model.parse import Parsed
    from findingmodel.update.report import CreditConflict

    Inspect = Callable[[str, Path, bytes, Parsed], None]
    """Called with the name of a file in reports, its path, its bytes and what they are."""


class CheckReport(NamedTuple):
    """The result of a check.

    Attributes:
        files: the number of files.
        failed: files that an index would not accept, sorted by path.
        warnings: valid files with warnings, sorted by path.
        seconds: wall time.
        formatted: files that were rewritten in canonical layout, sorted by path.
        conflicts: contributors whom files describe differently.
        skipped: files that are named almost like finding model files, such as backups, sorted.
    """

    files: int
    failed: tuple[FileReport, ...]
    warnings: tuple[FileReport, ...]
    seconds: float
    formatted: tuple[str, ...] = ()
    conflicts: tuple[CreditConflict, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if no file failed."""
        return not self.failed

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "files": self.files,
            "failed": [report.as_dict() for report in self.failed],
            "warnings": [report.as_dict() for report in self.warnings],
            "seconds": round(self.seconds, 3),
            "formatted": list(self.formatted),
            "conflicts": [conflict.as_dict() for conflict in self.conflicts],
            "skipped": list(self.skipped),
        }


def check(
    *paths: Path,
    fix_format: bool = False,
    options: UpdateOptions | None = None,
    inspect: Inspect | None = None,
) -> CheckReport:
    """Check finding model files, each on its own and all against each other.

    If two files want the same id, name or attribute id, the one with the later path fails, as in an update of
    an empty index. Files of a single directory are reported by their path below it, others by their path.

    Args:
        paths: files, and directories whose finding model files are checked.
        fix_format: whether to rewrite valid files that are not in canonical layout.
        options: the limits of files; nothing else in them applies.
        inspect: called with every file that can be read, in order; what it raises ends the check.

    Raises:
        DirectoryError: a directory cannot be listed.
    """
    started = time.perf_counter()
    files = _find(paths)
    checks = _Checks(files, options or UpdateOptions(), inspect)
    for file in files.files:
        path = files.root / file.path
        data = checks.add(path, file)
        if fix_format and data is not None:
            checks.fix_format(path, file.path, data)
    for verdict in checks.keys.resolve({}):
        checks.fail(verdict.claim.path, *verdict.problems())
    return CheckReport(
        len(files.files) + len(files.failed),
        tuple(sorted(checks.failed)),
        tuple(checks.warnings),
        time.perf_counter() - started,
        tuple(checks.formatted),
        checks.credits.conflicts(),
        files.skipped,
    )


def root_of(paths: Sequence[Path]) -> Path:
    """Return the directory that reports of a check of *paths* name files from."""
    return paths[0] if _is_one_directory(paths) else Path()


def _is_one_directory(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and not paths[0].is_file()


def _find(paths: tuple[Path, ...]) -> Scan:
    """Return all files that *paths* stand for, each once."""
    if _is_one_directory(paths):
        return scan(paths[0])
    files: dict[str, SourceFile] = {}
    failed: set[FileReport] = set()
    skipped: set[str] = set()
    for path in paths:
        if not path.is_file():
            below = scan(path)
            failed.update(report._replace(path=(path / report.path).as_posix()) for report in below.failed)
            skipped.update((path / name).as_posix() for name in below.skipped)
            sources = [file._replace(path=(path / file.path).as_posix()) for file in below.files]
        elif is_model_name(path.name):
            sources = [SourceFile.of(path.as_posix(), path.stat())]
        else:
            message = f"the file's name must end with {SUFFIX}, or updates will not find it"
            failed.add(FileReport(path.as_posix(), (Problem("", "bad-name", message),)))
            sources = []
        for source in sources:
            files.setdefault(os.path.realpath(source.path), source)
    return Scan(Path(), sorted(files.values()), tuple(sorted(failed)), skipped=tuple(sorted(skipped)))


class _Checks:
    """What was learned from the files so far."""

    def __init__(self, files: Scan, options: UpdateOptions, inspect: Inspect | None) -> None:
        self._options = options
        self._inspect = inspect
        self.keys = KeyAssignment(compare(files, ()))
        self.failed = list(files.failed)
        self.warnings: list[FileReport] = []
        self.formatted: list[str] = []
        self.credits = Credits()

    def fail(self, path: str, *problems: Problem) -> None:
        self.failed.append(FileReport(path, problems))

    def add(self, path: Path, file: SourceFile) -> bytes | None:
        """Check one file; return its bytes if they are a valid model."""
        try:
            data, _ = read_stable(str(path), self._options.max_file_bytes)
        except UnreadableError as error:
            self.fail(file.path, error.problem)
            return None
        parsed = parse_model(data, max_nesting=self._options.max_nesting)
        if self._inspect is not None:
            self._inspect(file.path, path, data, parsed)
        if parsed.model is None:
            self.fail(file.path, *parsed.problems)
            return None
        claim = Claim(file.path, parsed.model.oifm_id, identity_keys(parsed.model))
        if not self.keys.judge(claim, {}).conflicts:
            self.credits.add(credits_of(parsed.model, file.path, file.mtime_ns), None)
            if parsed.warnings:
                self.warnings.append(FileReport(file.path, parsed.warnings))
        return data

    def fix_format(self, path: Path, name: str, data: bytes) -> None:
        """Rewrite the file unless *data*, its content, is in canonical layout; a link stays a link."""
        from findingmodel.model.layout import canonical
        from findingmodel.runtime.files import replace_file

        layout = canonical(data)
        if layout == data:
            return
        try:
            replace_file(path.resolve(), layout)
        except OSError as error:
            self.fail(name, Problem("", "unwritable", f"the file cannot be written: {error.strerror}"))
        else:
            self.formatted.append(name)
