"""Rules about several models of a collection: names and synonyms that meet, spellings of tags."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.author.lint.edits import SetValue
from findingmodel.author.lint.rules import violation
from findingmodel.author.lint.texts import tag_key
from findingmodel.model.rules import shown
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.author.lint.rule import Violation
    from findingmodel.model.finding import FindingModelFull

_MOST_LISTED = 3  # models


class _Labels(NamedTuple):
    """What is kept of each model, so that memory does not hold the models."""

    path: str
    oifm_id: str
    name: str
    synonyms: tuple[str, ...]
    tags: tuple[str, ...]


class Collection:
    """The models of a collection, each added once."""

    def __init__(self) -> None:
        self._models: list[_Labels] = []

    def add(self, path: str, model: FindingModelFull) -> None:
        """Add the *model* in the file *path*."""
        labels = tuple(model.synonyms or ()), tuple(model.tags or ())
        self._models.append(_Labels(path, model.oifm_id, model.name, *labels))

    def violations(self) -> Iterator[tuple[str, Violation]]:
        """Yield each violation with the path of its file."""
        names = _holders((fold(model.name), model) for model in self._models)
        synonyms = _holders((fold(synonym), model) for model in self._models for synonym in model.synonyms)
        usual = _usual_spellings(self._models)
        for model in self._models:
            for found in self._check_synonyms(model, names, synonyms):
                yield model.path, found
            for key, (place, tag) in _distinct_tags(model).items():
                spelling = usual.get(key, tag)
                if spelling != tag:
                    edit = SetValue(f"/tags/{place}", spelling)
                    facts = {"found": shown(tag), "usual": shown(spelling)}
                    yield model.path, violation("tag-spelling", edit.pointer, edit, **facts)

    def _check_synonyms(
        self,
        model: _Labels,
        names: Mapping[str, Sequence[_Labels]],
        synonyms: Mapping[str, Sequence[_Labels]],
    ) -> Iterator[Violation]:
        for place, synonym in enumerate(model.synonyms):
            pointer, key = f"/synonyms/{place}", fold(synonym)
            for code, holders in (("synonym-taken", names), ("synonym-shared", synonyms)):
                others = {one.oifm_id: one for one in holders.get(key, ()) if one.oifm_id != model.oifm_id}
                if others:
                    yield violation(code, pointer, found=shown(synonym), others=_listed([*others.values()]))
                    break


def _holders(labels: Iterator[tuple[str, _Labels]]) -> Mapping[str, Sequence[_Labels]]:
    """Return the models of each label that several have, or that are its name."""
    holders: defaultdict[str, list[_Labels]] = defaultdict(list)
    for key, model in labels:
        holders[key].append(model)
    return holders


def _distinct_tags(model: _Labels) -> dict[str, tuple[int, str]]:
    """Return the place and the spelling of each tag by key; another rule removes repeated ones."""
    tags: dict[str, tuple[int, str]] = {}
    for place, tag in enumerate(model.tags):
        tags.setdefault(tag_key(tag), (place, tag))
    return tags


def _usual_spellings(models: Sequence[_Labels]) -> dict[str, str]:
    """Return by key how most models write a tag; tags without a majority are left out."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for model in models:
        for key, (_, tag) in _distinct_tags(model).items():
            counts[key][tag] += 1
    usual = {}
    for key, spellings in counts.items():
        spelling, count = spellings.most_common(1)[0]
        if 2 * count > spellings.total() and key and spelling == " ".join(spelling.split()):
            usual[key] = spelling
    return usual


def _listed(models: Sequence[_Labels]) -> str:
    listed = ", ".join(f"{model.name!r} ({model.oifm_id})" for model in models[:_MOST_LISTED])
    more = len(models) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
