"""Lint one document: the violations of all rules that need no other file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.author.lint.attributes import check_attributes, check_fields, check_standard_attributes
from findingmodel.author.lint.codes import check_codes, check_units
from findingmodel.author.lint.config import LintConfig
from findingmodel.author.lint.texts import check_name, check_synonyms, check_tags, check_texts
from findingmodel.model.layout import read
from findingmodel.model.parse import parse_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.author.lint.rule import Level, Violation
    from findingmodel.model.parse import Parsed

_CHECKS = (
    *(check_texts, check_name, check_synonyms, check_tags),
    *(check_attributes, check_standard_attributes, check_codes, check_units),
)


class FileLint(NamedTuple):
    """What was found in one file.

    Attributes:
        path: the file, as reports name it.
        file: where it is.
        fingerprint: the hash of its bytes, which is valid in this process.
        violations: with their levels.
    """

    path: str
    file: Path
    fingerprint: int
    violations: tuple[tuple[Level, Violation], ...]


class DocumentLint(NamedTuple):
    """What was found in one document.

    Attributes:
        parsed: whether it is a valid model, and the problems if not.
        violations: with their levels.
    """

    parsed: Parsed
    violations: tuple[tuple[Level, Violation], ...]


def lint_document(data: bytes, path: Path | None = None, config: LintConfig | None = None) -> DocumentLint:
    """Check the bytes of one model against the rules that need no other file.

    Args:
        data: the bytes of a file, which need not be on disk.
        path: where the file is, for rules that do not count in some files.
        config: which rules count; by default all of them.

    >>> lint_document(b'{"nmae": "edema"}').violations[0][1].message
    "'nmae' is not a field, and nothing reads it; if 'name' is meant, rename it"
    """
    config = config or LintConfig()
    parsed = parse_model(data)
    graded = [(config.level_of(found.code, path or Path()), found) for found in violations_of(data, parsed)]
    return DocumentLint(parsed, tuple((level, found) for level, found in graded if level is not None))


def violations_of(data: bytes, parsed: Parsed) -> Iterator[Violation]:
    """Yield the violations of every rule about a single file, whatever its level.

    Args:
        data: the bytes of the file.
        parsed: what `parse_model` returned for them. Of a file that is not valid, only the names of fields
            are checked.
    """
    if parsed.warnings:
        yield from check_fields(read(data))
    if parsed.model is not None:
        for check_model in _CHECKS:
            yield from check_model(parsed.model)
