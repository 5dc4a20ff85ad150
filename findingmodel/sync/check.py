"""check: whether the files below a directory are valid, and agree with each other. No index is opened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.model.parse import parse_model
from findingmodel.sync.compare import compare
from findingmodel.sync.identity import Claim, Identity
from findingmodel.sync.load import UnreadableError, read_stable
from findingmodel.sync.reconcile import conflict_problem
from findingmodel.sync.record import identity_keys
from findingmodel.sync.report import FileReport
from findingmodel.sync.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CheckReport", "check"]

_MAX_FILE_BYTES = 20_000_000


class CheckReport(NamedTuple):
    """What a check found.

    Attributes:
        files: how many files were looked at.
        failed: files that an index would not take, by path.
        warnings: valid files in which something is odd, by path.
        seconds: wall time.
    """

    files: int
    failed: tuple[FileReport, ...]
    warnings: tuple[FileReport, ...]
    seconds: float

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
        }


class _Findings(NamedTuple):
    failed: list[FileReport]
    warnings: list[FileReport]


def check(directory: Path, *, max_file_bytes: int = _MAX_FILE_BYTES) -> CheckReport:
    """Check every finding model file below *directory*, each on its own and all against each other.

    Of two files that want the same id, name or attribute id the one with the later path fails, as it would in
    an update of an empty index.

    Raises:
        DirectoryError: *directory* cannot be listed.
    """
    started = time.perf_counter()
    found = scan(directory)
    identity = Identity(compare(found, ()))
    findings = _Findings(list(found.failed), [])
    for file in found.files:
        _check_file(directory / file.path, file.path, max_file_bytes, identity, findings)
    for claim, conflicts in identity.resolve({}).items():
        problems = tuple(conflict_problem(claim.keys, conflict) for conflict in conflicts)
        findings.failed.append(FileReport(claim.path, problems))
    return CheckReport(
        len(found.files) + len(found.failed),
        tuple(sorted(findings.failed)),
        tuple(findings.warnings),
        time.perf_counter() - started,
    )


def _check_file(
    full_path: Path, path: str, max_file_bytes: int, identity: Identity, findings: _Findings
) -> None:
    try:
        data, _ = read_stable(str(full_path), max_file_bytes)
    except UnreadableError as error:
        findings.failed.append(FileReport(path, (error.problem,)))
        return
    parsed = parse_model(data)
    if parsed.model is None:
        findings.failed.append(FileReport(path, parsed.problems))
        return
    verdict = identity.judge(Claim(path, parsed.model.oifm_id, identity_keys(parsed.model)), {})
    if parsed.warnings and not verdict.conflicts:
        findings.warnings.append(FileReport(path, parsed.warnings))
