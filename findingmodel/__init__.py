"""findingmodel: index, check and search radiology finding models, in MongoDB or a SQLite file.

Names are imported on first use, so that ``import findingmodel`` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from findingmodel._version import __version__

if TYPE_CHECKING:
    from findingmodel.author.coverage import Coverage
    from findingmodel.author.draft import ColumnDraft, draft_attributes
    from findingmodel.author.edit import Edit, FileChange
    from findingmodel.author.edit_attributes import NewAttribute
    from findingmodel.author.lint.config import LintConfig
    from findingmodel.author.lint.rule import Level, Violation
    from findingmodel.author.lint.run import LintReport
    from findingmodel.author.triage import ListedFinding, Triage, TriageCandidate
    from findingmodel.errors import (
        ConfigError,
        DirectoryError,
        DocumentError,
        EditError,
        EventLoopError,
        FindingModelError,
        LeaseHeldError,
        MissingFileError,
        NotFoundError,
        NotWrittenError,
        Problem,
        QueryError,
        StoreClosedError,
        StoreError,
        StoreSchemaError,
        StoreUnavailableError,
        TransactionError,
        UpdateRefusedError,
    )
    from findingmodel.export.files import ExportReport
    from findingmodel.index.aio import Index, MongoDBIndex
    from findingmodel.index.results import (
        AttributeInfo,
        CodeMatch,
        Hits,
        IndexEntry,
        Page,
        SearchAnswers,
        SearchHit,
        Suggestion,
        to_dicts,
    )
    from findingmodel.index.review import DuplicatePair, ModelReview, NameCollision, SimilarName
    from findingmodel.index.sync import SyncIndex
    from findingmodel.model.finding import (
        Attribute,
        AttributeIded,
        AttributeType,
        ChoiceAttribute,
        ChoiceAttributeIded,
        ChoiceValue,
        ChoiceValueIded,
        Contributor,
        FindingModelBase,
        FindingModelFull,
        IndexCode,
        NumericAttribute,
        NumericAttributeIded,
        Organization,
        Person,
        add_ids,
    )
    from findingmodel.model.parse import Parsed, parse_model
    from findingmodel.model.rules import generate_oifm_id, generate_oifma_id
    from findingmodel.model.schema import json_schema
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.observe.prometheus import prometheus
    from findingmodel.render.markdown import to_markdown
    from findingmodel.reports.values import (
        FilledAttribute,
        Measurement,
        Mention,
        MentionHit,
        ReportReading,
    )
    from findingmodel.runtime.tasks import BatchProcessor, Outcome, StreamProcessor
    from findingmodel.search.cache import QueryCache, cached
    from findingmodel.search.hits import Match
    from findingmodel.settings import Settings
    from findingmodel.update.entry import IndexReturnType
    from findingmodel.update.report import UpdateReport

__all__ = [
    "Attribute",
    "AttributeIded",
    "AttributeInfo",
    "AttributeType",
    "BatchProcessor",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "CodeMatch",
    "ColumnDraft",
    "ConfigError",
    "Contributor",
    "Coverage",
    "DirectoryError",
    "DocumentError",
    "DuplicatePair",
    "Edit",
    "EditError",
    "EventLoopError",
    "ExportReport",
    "FileChange",
    "FilledAttribute",
    "FindingModelBase",
    "FindingModelError",
    "FindingModelFull",
    "Hits",
    "Index",
    "IndexCode",
    "IndexEntry",
    "IndexReturnType",
    "LeaseHeldError",
    "Level",
    "LintConfig",
    "LintReport",
    "ListedFinding",
    "Match",
    "Measurement",
    "Mention",
    "MentionHit",
    "MissingFileError",
    "ModelReview",
    "MongoDBIndex",
    "NameCollision",
    "NewAttribute",
    "NotFoundError",
    "NotWrittenError",
    "NumericAttribute",
    "NumericAttributeIded",
    "Organization",
    "Outcome",
    "Page",
    "Parsed",
    "PerformanceMonitor",
    "Person",
    "Problem",
    "QueryCache",
    "QueryError",
    "ReportReading",
    "SearchAnswers",
    "SearchHit",
    "Settings",
    "SimilarName",
    "StoreClosedError",
    "StoreError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "StreamProcessor",
    "Suggestion",
    "SyncIndex",
    "TransactionError",
    "Triage",
    "TriageCandidate",
    "UpdateRefusedError",
    "UpdateReport",
    "Violation",
    "__version__",
    "add_ids",
    "cached",
    "draft_attributes",
    "generate_oifm_id",
    "generate_oifma_id",
    "json_schema",
    "parse_model",
    "prometheus",
    "to_dicts",
    "to_markdown",
]

_NAMES_BY_MODULE = {
    "findingmodel.author.coverage": "Coverage",
    "findingmodel.author.draft": "ColumnDraft draft_attributes",
    "findingmodel.author.edit": "Edit FileChange",
    "findingmodel.author.edit_attributes": "NewAttribute",
    "findingmodel.author.lint.config": "LintConfig",
    "findingmodel.author.lint.rule": "Level Violation",
    "findingmodel.author.lint.run": "LintReport",
    "findingmodel.author.triage": "ListedFinding Triage TriageCandidate",
    "findingmodel.errors": (
        "ConfigError DirectoryError DocumentError EditError EventLoopError FindingModelError LeaseHeldError "
        "MissingFileError NotFoundError NotWrittenError Problem QueryError StoreClosedError StoreError "
        "StoreSchemaError "
        "StoreUnavailableError TransactionError UpdateRefusedError"
    ),
    "findingmodel.export.files": "ExportReport",
    "findingmodel.index.aio": "Index MongoDBIndex",
    "findingmodel.index.review": "DuplicatePair ModelReview NameCollision SimilarName",
    "findingmodel.index.sync": "SyncIndex",
    "findingmodel.index.results": (
        "AttributeInfo CodeMatch Hits IndexEntry Page SearchAnswers SearchHit Suggestion to_dicts"
    ),
    "findingmodel.model.finding": (
        "Attribute AttributeIded AttributeType ChoiceAttribute ChoiceAttributeIded ChoiceValue "
        "ChoiceValueIded Contributor FindingModelBase FindingModelFull IndexCode NumericAttribute "
        "NumericAttributeIded Organization Person add_ids"
    ),
    "findingmodel.model.parse": "Parsed parse_model",
    "findingmodel.model.rules": "generate_oifm_id generate_oifma_id",
    "findingmodel.model.schema": "json_schema",
    "findingmodel.observe.metrics": "PerformanceMonitor",
    "findingmodel.observe.prometheus": "prometheus",
    "findingmodel.render.markdown": "to_markdown",
    "findingmodel.reports.values": "FilledAttribute Measurement Mention MentionHit ReportReading",
    "findingmodel.runtime.tasks": "BatchProcessor Outcome StreamProcessor",
    "findingmodel.search.cache": "QueryCache cached",
    "findingmodel.search.hits": "Match",
    "findingmodel.settings": "Settings",
    "findingmodel.update.entry": "IndexReturnType",
    "findingmodel.update.report": "UpdateReport",
}
_MODULES = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value  # later accesses bypass this function
    return value


def __dir__() -> list[str]:
    return __all__
