"""findingmodel: index, check and search radiology finding models, in MongoDB or in one SQLite file.

The names below are loaded when they are first used, so that ``import findingmodel`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from findingmodel._version import __version__

if TYPE_CHECKING:
    from findingmodel.answers import CodeMatch, Hits, Page, SearchAnswers, Suggestion
    from findingmodel.config import Settings
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
    from findingmodel.index import Index, IndexReturnType, MongoDBIndex, SyncIndex
    from findingmodel.model import (
        Attribute,
        AttributeIded,
        AttributeInfo,
        AttributeType,
        ChoiceAttribute,
        ChoiceAttributeIded,
        ChoiceValue,
        ChoiceValueIded,
        Contributor,
        FindingModelBase,
        FindingModelFull,
        IndexCode,
        IndexEntry,
        Match,
        NumericAttribute,
        NumericAttributeIded,
        Organization,
        Parsed,
        Person,
        SearchHit,
        add_ids,
        generate_oifm_id,
        generate_oifma_id,
        parse_model,
        to_dicts,
        to_markdown,
    )
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.observe.prometheus import prometheus
    from findingmodel.sync.report import UpdateReport

__all__ = [
    "Attribute",
    "AttributeIded",
    "AttributeInfo",
    "AttributeType",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "CodeMatch",
    "ConfigError",
    "Contributor",
    "DirectoryError",
    "DocumentError",
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
    "MongoDBIndex",
    "NotFoundError",
    "NotWrittenError",
    "NumericAttribute",
    "NumericAttributeIded",
    "Organization",
    "Page",
    "Parsed",
    "PerformanceMonitor",
    "Person",
    "Problem",
    "QueryError",
    "SearchAnswers",
    "SearchHit",
    "Settings",
    "StoreClosedError",
    "StoreError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "Suggestion",
    "SyncIndex",
    "TransactionError",
    "UpdateRefusedError",
    "UpdateReport",
    "__version__",
    "add_ids",
    "generate_oifm_id",
    "generate_oifma_id",
    "parse_model",
    "prometheus",
    "to_dicts",
    "to_markdown",
]

_MODULES = {
    "answers": "CodeMatch Hits Page SearchAnswers Suggestion",
    "config": "Settings",
    "errors": (
        "ConfigError DirectoryError DocumentError FindingModelError LeaseHeldError NotFoundError "
        "NotWrittenError Problem QueryError StoreClosedError StoreError StoreSchemaError "
        "StoreUnavailableError TransactionError UpdateRefusedError"
    ),
    "index": "Index IndexReturnType MongoDBIndex SyncIndex",
    "observe.metrics": "PerformanceMonitor",
    "observe.prometheus": "prometheus",
    "sync.report": "UpdateReport",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME.get(name, 'model')}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return __all__
