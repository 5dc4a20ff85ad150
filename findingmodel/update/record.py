"""From a parsed model to the record that a store holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.finding import ChoiceAttributeIded, Person
from findingmodel.stores.records import Credit, Record, dump, pack
from findingmodel.text.normalize import fold, slug
from findingmodel.text.terms import analyze_entry, code_facets, facet
from findingmodel.update.identity import identity_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.model.finding import AttributeIded, Coded, Contributor, FindingModelFull
    from findingmodel.stores.records import AttributeRow, ContributorKind, EntryRow, FileState

_AT_MODEL, _AT_ATTRIBUTE, _AT_VALUE = range(3)  # the order of `code_facets`


def make_record(model: FindingModelFull, data: bytes, file: FileState) -> Record:
    """Return all that a store holds for *model*, which was parsed from *data*, the bytes of *file*.

    The file's id and contributors are taken from the model.
    """
    entry = _entry(model, file)
    credit = credits_of(model, file.path, file.mtime_ns)
    synonyms = entry["synonyms"] or []
    tags = entry["tags"] or []
    names = [attribute["name"] for attribute in entry["attributes"]]
    return Record(
        entry_text=dump(entry),
        names=(model.name, *synonyms),
        keys=_keys(entry),
        identity=identity_keys(model),
        terms=analyze_entry(model.name, synonyms, model.description, [*tags, *names]),
        facets=_facets(model, entry),
        credits=credit,
        file=file._replace(oifm_id=model.oifm_id, contributors=_distinct([c.key for c in credit])),
        model=pack(data),
    )


def credits_of(model: FindingModelFull, path: str, mtime_ns: int) -> tuple[Credit, ...]:
    """Return what the file at *path* states about the contributors of *model*."""
    return tuple(_credit(contributor, path, mtime_ns) for contributor in model.contributors or ())


def contributor_key(contributor: Contributor) -> str:
    """Return the user name of a person, or the code of an organization."""
    return contributor.github_username if isinstance(contributor, Person) else contributor.code


def contributor_kind(contributor: Contributor) -> ContributorKind:
    """Return whether *contributor* is a person or an organization."""
    return "person" if isinstance(contributor, Person) else "organization"


def _credit(contributor: Contributor, path: str, mtime_ns: int) -> Credit:
    values = contributor.__dict__ | (contributor.__pydantic_extra__ or {})  # plain JSON; model_dump is slower
    fields = {name: value for name, value in values.items() if value is not None}
    return Credit(contributor_kind(contributor), contributor_key(contributor), fields, mtime_ns, path)


def _entry(model: FindingModelFull, file: FileState) -> EntryRow:
    attributes: list[AttributeRow] = [
        {"attribute_id": attribute.oifma_id, "name": attribute.name, "type": _type(attribute)}
        for attribute in model.attributes
    ]
    entry: EntryRow = {
        "oifm_id": model.oifm_id,
        "name": model.name,
        "slug_name": slug(model.name),
        "filename": file.path,
        "file_hash_sha256": file.sha256,
        "description": model.description,
        "synonyms": list(model.synonyms) if model.synonyms else None,
        "tags": list(model.tags) if model.tags else None,
        "contributors": [contributor_key(contributor) for contributor in model.contributors]
        if model.contributors
        else None,
        "attributes": attributes,
    }
    if model.replaces:
        entry["replaces"] = list(model.replaces)
    return entry


def _keys(entry: EntryRow) -> tuple[str, ...]:
    """Return the folded texts that find an entry: the ids of retired models are its own now."""
    ids, names = [entry["oifm_id"], *entry.get("replaces", ())], [entry["name"], entry["slug_name"]]
    return _distinct([fold(text) for text in (*ids, *names, *(entry["synonyms"] or ()))])


def _facets(model: FindingModelFull, entry: EntryRow) -> tuple[str, ...]:
    """Return the exact filters that match an entry."""
    facets = [facet("tag", tag) for tag in entry["tags"] or ()]
    facets += [facet("contributor", key) for key in entry["contributors"] or ()]
    facets += [facet("attribute", attribute["type"]) for attribute in entry["attributes"]]
    facets += _code_facets([model], _AT_MODEL)
    facets += _code_facets(model.attributes, _AT_ATTRIBUTE)
    for attribute in model.attributes:
        if isinstance(attribute, ChoiceAttributeIded):
            facets += _code_facets(attribute.values, _AT_VALUE)
    return _distinct(facets)


def _code_facets(coded: Iterable[Coded], place: int) -> list[str]:
    return [
        code_facets(code.system, code.code)[place]
        for element in coded
        if element.index_codes
        for code in element.index_codes
    ]


def _type(attribute: AttributeIded) -> str:
    """Return the type of *attribute* as plain text, which serializes faster than an enum member."""
    return "choice" if isinstance(attribute, ChoiceAttributeIded) else "numeric"


def _distinct(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
