"""From a parsed model to the record that a store holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.model.attributes import ChoiceAttributeIded, Person
from findingmodel.stores.records import Credit, FileState, Record, dump, pack
from findingmodel.text.normalize import fold, slug
from findingmodel.text.terms import analyze_entry, code_facets, facet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.model.attributes import AttributeIded, Coded, Organization
    from findingmodel.model.finding import FindingModelFull
    from findingmodel.stores.records import AttributeRow, ContributorKind, EntryRow

__all__ = ["Fingerprint", "credits_of", "identity_keys", "identity_pointer", "identity_word", "make_record"]

_NAME = "name:"
_AT_MODEL, _AT_ATTRIBUTE, _AT_VALUE = range(3)  # the order of `code_facets`


class Fingerprint(NamedTuple):
    """A file at the moment when its bytes were read; fields as in `FileState`."""

    path: str
    size: int
    mtime_ns: int
    sha256: str
    indexed_ns: int

    def state(self, oifm_id: str, contributors: tuple[str, ...] = ()) -> FileState:
        """Return the manifest row that says that the file holds *oifm_id*."""
        return FileState(*self, oifm_id, contributors)


def make_record(model: FindingModelFull, data: bytes, file: Fingerprint) -> Record:
    """Return all that a store holds for *model*, which was parsed from *data*, the bytes of *file*."""
    entry = _entry(model, file)
    credit = credits_of(model, file.path, file.mtime_ns)
    synonyms = entry["synonyms"] or []
    tags = entry["tags"] or []
    names = [attribute["name"] for attribute in entry["attributes"]]
    return Record(
        entry_text=dump(entry),
        names=(model.name, *synonyms),
        keys=_distinct([fold(text) for text in (model.oifm_id, model.name, entry["slug_name"], *synonyms)]),
        identity=identity_keys(model),
        terms=analyze_entry(model.name, synonyms, model.description, [*tags, *names]),
        facets=_facets(model, entry),
        credits=credit,
        file=file.state(model.oifm_id, _distinct([c.key for c in credit])),
        model=pack(data),
    )


def credits_of(model: FindingModelFull, path: str, mtime_ns: int) -> tuple[Credit, ...]:
    """Return what *model* states of its contributors, as the file at *path* does, last modified then."""
    return tuple(_credit(contributor, path, mtime_ns) for contributor in model.contributors or ())


def identity_keys(model: FindingModelFull) -> tuple[str, ...]:
    """Return what belongs to *model* alone: its id, its folded name, the ids of its attributes in order.

    An id and a name cannot be mistaken for each other: names have a prefix.
    """
    attribute_ids = [attribute.oifma_id for attribute in model.attributes]
    return _distinct([model.oifm_id, _NAME + fold(model.name), *attribute_ids])


def identity_pointer(keys: Sequence[str], key: str) -> str:
    """Return where a file states *key*, one of its identity *keys*.

    >>> identity_pointer(("OIFM_ABCD_000001", "name:edema", "OIFMA_ABCD_000007"), "OIFMA_ABCD_000007")
    '/attributes/0/oifma_id'
    """
    place = keys.index(key)
    return ("/oifm_id", "/name")[place] if place < 2 else f"/attributes/{place - 2}/oifma_id"


def identity_word(key: str) -> tuple[str, str]:
    """Return what an identity key is called, and its value.

    >>> identity_word("name:edema"), identity_word("OIFMA_ABCD_000007")
    (('name', 'edema'), ('attribute id', 'OIFMA_ABCD_000007'))
    """
    if key.startswith(_NAME):
        return "name", key.removeprefix(_NAME)
    return ("attribute id" if key.startswith("OIFMA") else "id"), key


def _entry(model: FindingModelFull, file: Fingerprint) -> EntryRow:
    attributes: list[AttributeRow] = [
        {"attribute_id": attribute.oifma_id, "name": attribute.name, "type": _type(attribute)}
        for attribute in model.attributes
    ]
    return {
        "oifm_id": model.oifm_id,
        "name": model.name,
        "slug_name": slug(model.name),
        "filename": file.path,
        "file_hash_sha256": file.sha256,
        "description": model.description,
        "synonyms": list(model.synonyms) if model.synonyms else None,
        "tags": list(model.tags) if model.tags else None,
        "contributors": [_key(contributor) for contributor in model.contributors]
        if model.contributors
        else None,
        "attributes": attributes,
    }


def _facets(model: FindingModelFull, entry: EntryRow) -> tuple[str, ...]:
    """Return the exact filters that a reader may set on an entry; there are many."""
    found = [facet("tag", tag) for tag in entry["tags"] or ()]
    found += [facet("contributor", key) for key in entry["contributors"] or ()]
    found += [facet("attribute", attribute["type"]) for attribute in entry["attributes"]]
    choices = [attribute for attribute in model.attributes if isinstance(attribute, ChoiceAttributeIded)]
    found += _code_facets([model], _AT_MODEL)
    found += _code_facets(model.attributes, _AT_ATTRIBUTE)
    for attribute in choices:
        found += _code_facets(attribute.values, _AT_VALUE)
    return _distinct(found)


def _code_facets(coded: Iterable[Coded], place: int) -> list[str]:
    return [
        code_facets(code.system, code.code)[place]
        for one in coded
        if one.index_codes
        for code in one.index_codes
    ]


def _type(attribute: AttributeIded) -> str:
    """Return the type of *attribute* as plain text, which is written faster than a member of an enum."""
    return "choice" if isinstance(attribute, ChoiceAttributeIded) else "numeric"


def _key(contributor: Person | Organization) -> str:
    return contributor.github_username if isinstance(contributor, Person) else contributor.code


def _credit(contributor: Person | Organization, path: str, mtime_ns: int) -> Credit:
    kind: ContributorKind = "person" if isinstance(contributor, Person) else "organization"
    stated = contributor.__dict__ | (contributor.__pydantic_extra__ or {})  # plain JSON; a dump takes longer
    fields = {name: value for name, value in stated.items() if value is not None}
    return Credit(kind, _key(contributor), fields, mtime_ns, path)


def _distinct(items: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
