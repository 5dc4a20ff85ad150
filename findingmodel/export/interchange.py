"""Models in other formats: one model as a text, and a file of another format as a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from findingmodel.author.collection import ids_below
from findingmodel.author.edit import Edit, FileChange
from findingmodel.author.edit_names import MAX_STEM
from findingmodel.errors import DocumentError, EditError
from findingmodel.export import fhir, radelement, tables
from findingmodel.export.radelement import Converted
from findingmodel.model.draft import PLACEHOLDER
from findingmodel.model.finding import FindingModelBase, FindingModelFull, add_ids
from findingmodel.model.layout import canonical
from findingmodel.model.parse import parse_model
from findingmodel.model.rules import explain
from findingmodel.text.normalize import fold, slug
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from findingmodel.stores.protocol import Store

    Format = Literal["radelement", "codesystem", "valueset", "questionnaire", "csv", "attributes-csv"]

FORMATS: tuple[Format, ...] = (
    *("radelement", "codesystem", "valueset"),
    *("questionnaire", "csv", "attributes-csv"),
)


def convert(
    model: FindingModelFull, form: Format, *, url: str = fhir.DEFAULT_URL
) -> tuple[str, tuple[str, ...]]:
    """Return *model* as a text in another format, and what the text cannot say.

    Args:
        model: the model.
        form: one of `FORMATS`; "valueset" is a Bundle with a ValueSet for each choice.
        url: the start of canonical URLs in FHIR.

    >>> from findingmodel.model.draft import make_stub
    >>> convert(make_stub("pleural plaque", "ABCD"), "csv")[0].splitlines()[0].split(",")[:3]
    ['oifm_id', 'name', 'description']
    """
    if form in ("csv", "attributes-csv"):
        plain = json.loads(model.model_dump_json(exclude_none=True))
        if form == "csv":
            return tables.to_csv("models", [tables.model_row(plain)]), ("attributes beyond their names",)
        return tables.to_csv("attributes", tables.attribute_rows(plain)), ("all that is not of an attribute",)
    converted = _document(model, form, url)
    return f"{json.dumps(converted.document, ensure_ascii=False, indent=2)}\n", converted.lost


def _document(model: FindingModelFull, form: Format, url: str) -> Converted:
    if form == "radelement":
        return radelement.to_set(model)
    contributors = ("contributors",) if model.contributors else ()
    limits = ("limits, units and how many values may be chosen", *contributors)
    if form == "codesystem":
        return Converted(fhir.code_system([model], url=url), limits)
    if form == "valueset":
        return Converted(fhir.bundle(fhir.value_sets(model, url=url)), ("all but the values of choices",))
    unsaid = [field for field in ("synonyms", "tags", "contributors", "replaces") if getattr(model, field)]
    described = any(attribute.description for attribute in model.attributes)
    unsaid += ["descriptions of attributes and values"] if described else []
    return Converted(fhir.questionnaire(model, url=url), tuple(unsaid))


def parse_other(data: bytes, source: str, *, taken: Container[str] = ()) -> Converted:
    """Return a RadElement set or a FHIR Questionnaire as a finding model, and what the model cannot say.

    Args:
        data: the bytes of the file, JSON.
        source: the code of the organization that assigns ids where the file has none of ours.
        taken: ids in use, which are not assigned.

    Raises:
        EditError: *data* is neither.
        ConfigError: *source* is not the code of an organization.
        DocumentError: the model would break a rule of the format.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EditError(f"this is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise EditError("this is neither a RadElement set nor a FHIR Questionnaire")
    try:
        if "resourceType" not in document:
            return radelement.from_set(document, source, taken=taken)
        draft, lost = fhir.from_questionnaire(document)
    except (AttributeError, TypeError) as error:
        raise EditError(f"this is not as its format prescribes: {error}") from error
    if len(draft["description"]) < 5:
        draft["description"], lost = PLACEHOLDER, (*lost, "there is no description: write one")
    try:
        full = add_ids(FindingModelBase.model_validate(draft), source, taken=taken)
    except ValidationError as error:
        raise DocumentError("the questionnaire", explain(draft, error.errors(include_url=False))) from error
    return Converted(json.loads(full.model_dump_json(exclude_none=True)), lost)


async def import_file(
    store: Store, directory: Path, data: bytes, source: str
) -> tuple[Edit, FindingModelFull, tuple[str, ...]]:
    """Plan a new file in *directory* for a RadElement set or a FHIR Questionnaire.

    New ids are used by no model of the index, and by no file below *directory*.

    Args:
        store: the index.
        directory: need not exist.
        data, source: as `parse_other`.

    Returns:
        The edit, the model, and what of *data* the model cannot say.

    Raises:
        EditError: *data* is neither, the file exists, or a model of the index has the id or the name.
        ConfigError: *source* is not the code of an organization.
        DocumentError: the model would break a rule of the format.
        StoreError: the store failed.
    """
    taken = ids_below(directory)
    while True:
        converted = parse_other(data, source, taken=taken)
        again = parse_other(data, source, taken=taken)
        fixed = _ids(converted.document) & _ids(again.document)  # those that *data* prescribes
        owners = await store.owners(_ids(converted.document))
        if held := [owner for owner in owners if owner.key in fixed]:
            one = min(held, key=lambda owner: len(owner.key))  # the model's id before those of attributes
            raise EditError(f"{one.key} is in the index already, in {one.path}: edit that file")
        if not owners:
            break
        taken |= {owner.key for owner in owners}
    name = converted.document["name"]
    for entry in await store.lookup([fold(name)]):
        if fold(entry["name"]) == fold(name):
            raise EditError(f"the name {name!r} already belongs to {entry['oifm_id']} ({entry['filename']})")
    path = directory / f"{slug(name)[:MAX_STEM]}{SUFFIX}"
    if path.exists():
        raise EditError(f"{path} exists already; nothing was written")
    new = canonical(json.dumps(converted.document, ensure_ascii=False).encode())
    parsed = parse_model(new)
    if parsed.model is None:
        raise DocumentError(str(path), parsed.problems)
    return Edit((FileChange(path, None, new),)), parsed.model, converted.lost


def _ids(document: Any) -> set[str]:
    return {document["oifm_id"], *(attribute["oifma_id"] for attribute in document["attributes"])}
