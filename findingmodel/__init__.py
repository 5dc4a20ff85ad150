"""findingmodel: index, check and search radiology finding models, in MongoDB or a SQLite file.

Names are imported on first use, so that ``import findingmodel`` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from findingmodel._version import __version__

if TYPE_CHECKING:
    from findingmodel.errors import (
        ConfigError,
        DirectoryError,
        DocumentError,
        FindingModelError,
        LeaseHeldError,
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
    "ConfigError",
    "Contributor",
    "DirectoryError",
    "DocumentError",
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
    "Match",
    "Measurement",
    "Mention",
    "MentionHit",
    "MongoDBIndex",
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
    "StoreClosedError",
    "StoreError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "StreamProcessor",
    "Suggestion",
    "SyncIndex",
    "TransactionError",
    "UpdateRefusedError",
    "UpdateReport",
    "__version__",
    "add_ids",
    "cached",
    "generate_oifm_id",
    "generate_oifma_id",
    "parse_model",
    "prometheus",
    "to_dicts",
    "to_markdown",
]

_NAMES_BY_MODULE = {
    "findingmodel.errors": (
        "ConfigError DirectoryError DocumentError FindingModelError LeaseHeldError NotFoundError "
        "NotWrittenError Problem QueryError StoreClosedError StoreError StoreSchemaError "
        "StoreUnavailableError TransactionError UpdateRefusedError"
    ),
    "findingmodel.index.aio": "Index MongoDBIndex",
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
