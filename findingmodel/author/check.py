"""check: whether files are valid, and agree with each other. No index is opened."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import Problem
from findingmodel.limits import MAX_FILE_BYTES, MAX_NESTING
from findingmodel.model.parse import parse_model
from findingmodel.update.compare import compare
from findingmodel.update.contributors import Credits
from findingmodel.update.decide import conflict_problem
from findingmodel.update.identity import Claim, Identity
from findingmodel.update.load import UnreadableError, read_stable
from findingmodel.update.record import credits_of, identity_keys
from findingmodel.update.report import FileReport
from findingmodel.update.scan import SUFFIX, Scan, SourceFile, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.update.report import CreditConflict

__all__ = ["CheckReport", "Limits", "check"]


class CheckReport(NamedTuple):
    """What a check found.

    Attributes:
        files: how many files were looked at.
        failed: files that an index would not take, by path.
        warnings: valid files in which something is odd, by path.
        seconds: wall time.
        formatted: files that were written anew in canonical layout, by path.
        conflicts: contributors about whom files disagree.
    """

    files: int
    failed: tuple[FileReport, ...]
    warnings: tuple[FileReport, ...]
    seconds: float
    formatted: tuple[str, ...] = ()
    conflicts: tuple[CreditConflict, ...] = ()

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
        }


class _Findings(NamedTuple):
    failed: list[FileReport]
    warnings: list[FileReport]
    formatted: list[str]
    credits: Credits


class Limits(NamedTuple):
    """What is read.

    Attributes:
        file_bytes: larger files fail.
        nesting: files that are nested deeper fail.
    """

    file_bytes: int = MAX_FILE_BYTES
    nesting: int = MAX_NESTING


_USUAL = Limits()


def check(*paths: Path, fix_format: bool = False, limits: Limits = _USUAL) -> CheckReport:
    """Check finding model files, each on its own and all against each other.

    Of two files that want the same id, name or attribute id the one with the later path fails, as it would in
    an update of an empty index. Files of a single directory are reported by their path below it, others by
    the path that leads to them.

    Args:
        paths: files, and directories, of which every finding model file counts.
        fix_format: whether to write valid files anew that are not in canonical layout.
        limits: what is read.

    Raises:
        DirectoryError: a directory cannot be listed.
    """
    started = time.perf_counter()
    found = _find(paths)
    identity = Identity(compare(found, ()))
    findings = _Findings(list(found.failed), [], [], Credits())
    for file in found.files:
        full_path = found.root / file.path
        data = _check_file(full_path, file, limits, identity, findings)
        if fix_format and data is not None:
            _fix_format(full_path, file.path, data, findings)
    for claim, conflicts in identity.resolve({}):
        problems = tuple(conflict_problem(claim.keys, conflict) for conflict in conflicts)
        findings.failed.append(FileReport(claim.path, problems))
    return CheckReport(
        len(found.files) + len(found.failed),
        tuple(sorted(findings.failed)),
        tuple(findings.warnings),
        time.perf_counter() - started,
        tuple(findings.formatted),
        findings.credits.conflicts(),
    )


def _find(paths: tuple[Path, ...]) -> Scan:
    """Return all files that *paths* stand for, each once."""
    if len(paths) == 1 and not paths[0].is_file():
        return scan(paths[0])
    files: dict[str, SourceFile] = {}
    failed: set[FileReport] = set()
    for path in paths:
        below = _named(path) if path.is_file() else _prefixed(path)
        for one in below:
            if isinstance(one, SourceFile):
                files.setdefault(os.path.realpath(one.path), one)
            else:
                failed.add(one)
    return Scan(Path(), sorted(files.values()), tuple(sorted(failed)))


def _named(path: Path) -> Iterator[SourceFile | FileReport]:
    name = path.as_posix()
    if path.name.endswith(SUFFIX):
        found = path.stat()
        yield SourceFile(name, found.st_size, found.st_mtime_ns)
    else:
        message = f"the file's name must end with {SUFFIX}, or no update will find it"
        yield FileReport(name, (Problem("", "bad-name", message),))


def _prefixed(directory: Path) -> Iterator[SourceFile | FileReport]:
    found = scan(directory)
    for file in found.files:
        yield file._replace(path=(directory / file.path).as_posix())
    for failed in found.failed:
        yield failed._replace(path=(directory / failed.path).as_posix())


def _check_file(
    full_path: Path, file: SourceFile, limits: Limits, identity: Identity, findings: _Findings
) -> bytes | None:
    """Note what is wrong with a file; return its bytes if they are a valid model."""
    try:
        data, _ = read_stable(str(full_path), limits.file_bytes)
    except UnreadableError as error:
        findings.failed.append(FileReport(file.path, (error.problem,)))
        return None
    parsed = parse_model(data, max_nesting=limits.nesting)
    if parsed.model is None:
        findings.failed.append(FileReport(file.path, parsed.problems))
        return None
    claim = Claim(file.path, parsed.model.oifm_id, identity_keys(parsed.model))
    verdict = identity.judge(claim, {})
    if parsed.warnings and not verdict.conflicts:
        findings.warnings.append(FileReport(file.path, parsed.warnings))
    if not verdict.conflicts:
        findings.credits.add(credits_of(parsed.model, file.path, file.mtime_ns), None)
    return data


def _fix_format(full_path: Path, path: str, data: bytes, findings: _Findings) -> None:
    """Write the file anew if *data*, what it holds, is not in canonical layout; a link stays a link."""
    from findingmodel.model.layout import canonical
    from findingmodel.runtime.files import replace_file

    wanted = canonical(data)
    if wanted == data:
        return
    try:
        replace_file(full_path.resolve(), wanted)
    except OSError as error:
        problem = Problem("", "unwritable", f"the file cannot be written: {error.strerror}")
        findings.failed.append(FileReport(path, (problem,)))
    else:
        findings.formatted.append(path)
