"""A small index for tests of search: two dozen findings."""

from __future__ import annotations

import atexit
import json
from typing import TYPE_CHECKING, Any

from findingmodel.model.parse import parse_model
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.stores.records import FileState, WriteBatch
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.text.query import parse_query
from findingmodel.update.record import make_record
from tests.builders import make_choice, make_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Record

FINDINGS: tuple[tuple[str, Sequence[str], str, Sequence[str]], ...] = (
    ("pulmonary embolism", ["PE"], "Clot in an artery of the lung", ["CT", "chest"]),
    ("pulmonary nodule", ["lung nodule"], "Small round opacity", ["CT", "XR", "chest"]),
    ("thyroid nodule", [], "Round lesion of the thyroid gland", ["US", "neck"]),
    ("pneumothorax", ["PTX"], "Gas between the layers of the pleura", ["XR", "chest"]),
    ("tension pneumothorax", [], "Pneumothorax that pushes the mediastinum", ["XR", "chest"]),
    ("pleural effusion", [], "Fluid between the layers of the pleura", ["XR", "chest"]),
    ("cardiomegaly", ["enlarged cardiac silhouette"], "The heart is too large", ["XR", "cardiac"]),
    ("nephrolithiasis", ["renal calculus"], "Calculi in the collecting system", ["CT", "kidney"]),
    ("hydronephrosis", [], "Dilated collecting system", ["US", "kidney"]),
    ("renal cyst", ["kidney cyst"], "Fluid in a thin wall", ["CT", "US", "kidney"]),
    ("hepatic cyst", [], "Fluid in a thin wall", ["CT", "US", "liver"]),
    ("hepatic steatosis", ["fatty liver"], "Too much fat in the liver", ["US", "liver"]),
    ("cholelithiasis", [], "Calculi in the gallbladder", ["US"]),
    ("abdominal aortic aneurysm", ["AAA"], "Dilated abdominal aorta", ["CT", "vascular"]),
    ("portal vein thrombosis", [], "Clot in the portal vein", ["CT", "US", "liver"]),
    ("portal hypertension", [], "High pressure in the portal vein", ["liver"]),
    ("osteoarthritis", ["degenerative joint disease"], "Worn cartilage", ["XR", "joint"]),
    ("ground-glass opacity", ["GGO"], "Hazy opacity that leaves vessels visible", ["CT", "chest"]),
    ("acro-osteolysis", [], "Loss of the ends of the fingers", ["XR", "hand"]),
    ("esophageal varices", [], "Dilated veins of the esophagus", ["CT"]),
    ("bronchiectasis", [], "Dilated bronchi", ["CT", "chest"]),
    ("pneumonia", ["lung infection"], "Consolidation by infection", ["XR", "chest"]),
    ("vertebral compression fracture", [], "Loss of height of a vertebra", ["XR", "spine"]),
    ("Baker's cyst", ["popliteal cyst"], "Fluid behind the knee", ["MR", "knee"]),
    ("polydactyly", [], "More than five fingers or toes", ["XR", "hand"]),
)


def make_records(
    findings: Iterable[tuple[str, Sequence[str], str, Sequence[str]]] = FINDINGS,
) -> list[Record]:
    return [
        record_of(
            make_model(
                number,
                name=name,
                synonyms=list(synonyms) or ...,
                description=description or "Made for tests",
                tags=list(tags) or ...,
                attributes=[make_choice(number, name="presence")],
                index_codes=...,
            )
        )
        for number, (name, synonyms, description, tags) in enumerate(findings, 1)
    ]


def record_of(model: dict[str, Any]) -> Record:
    data = json.dumps(model).encode()
    parsed = parse_model(data)
    assert parsed.model is not None, parsed.problems
    return make_record(
        parsed.model, data, FileState(f"{model['oifm_id']}.fm.json", len(data), 1, "0" * 64, 2, "")
    )


def filled(records: Sequence[Record] | None = None, store: SQLiteStore | None = None) -> SQLiteStore:
    store = store or SQLiteStore(":memory:")
    atexit.register(_close, store)  # Python 3.13 and later warn about unclosed connections
    run_without_loop(store.setup())
    run_without_loop(store.write(WriteBatch(upserts=make_records() if records is None else records)))
    run_without_loop(store.advance())
    return store


def _close(store: SQLiteStore) -> None:
    run_without_loop(store.close())


def names(store: Store, text: str, *, limit: int = 10, tags: Sequence[str] = ()) -> list[str]:
    """Search, and return the names of the hits."""
    hits = run_without_loop(Searcher(store).search(parse_query(text, tags=tags), limit=limit))
    return [hit.entry["name"] for hit in hits]
