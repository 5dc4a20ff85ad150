"""What a lint rule is: its level, its example, and a violation of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from findingmodel.author.lint.edits import Edit


class Level(StrEnum):
    """How much a violation matters.

    Attributes:
        ERROR: the model says something wrong or impossible; must be corrected.
        WARNING: the model differs from how the collection is written; should be corrected.
        REVIEW: may be right; a person decides.
    """

    ERROR = "error"
    WARNING = "warning"
    REVIEW = "review"


class Example(NamedTuple):
    """A violation and its correction.

    Attributes:
        pointer: the place in a model, as a JSON pointer.
        bad, good: what stands there, as parsed JSON. Objects show only the fields that matter.
    """

    pointer: str
    bad: Any
    good: Any


class Rule(NamedTuple):
    """A rule for models that are valid.

    Attributes:
        level: unless the configuration of the collection sets another.
        summary: what the rule demands, in one sentence.
        message: what is wrong and what to do, as a template.
        example: a violation and its correction.
        fixable: whether some violations can be corrected without a decision.
    """

    level: Level
    summary: str
    message: str
    example: Example
    fixable: bool = False


class Violation(NamedTuple):
    """A place where a model breaks a rule.

    Attributes:
        pointer: the place, as a JSON pointer.
        code: the rule.
        message: what is wrong and what to do, in one sentence.
        edits: the correction; empty if a person has to decide.
    """

    pointer: str
    code: str
    message: str
    edits: tuple[Edit, ...] = ()
