"""contributors.yml: everyone who contributes to a collection, described once.

The file is a YAML list; each item has the fields of a person (`github_username`, `email`, `name`,
`organization_code`, `url`) or of an organization (`code`, `name`, `url`), as in a model. Models name their
contributors in full, so that each file stands alone; these functions keep both the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from findingmodel.author.collection import each_file, parsed
from findingmodel.author.edit import Edit, FileChange, changed, load
from findingmodel.errors import ConfigError, DocumentError, EditError
from findingmodel.model import edit
from findingmodel.model.finding import Organization, Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE = "contributors.yml"
"""The usual name of the file, in the directory of the collection."""

_Fields = dict[str, Any]


def nearest(path: Path) -> Path:
    """Return the nearest contributors.yml above the file *path*; the place beside it if there is none."""
    places = [directory / FILE for directory in path.absolute().parents]
    return next((place for place in places if place.is_file()), path.with_name(FILE))


def read_contributors(file: Path) -> dict[str, _Fields]:
    """Return the contributors of a contributors.yml by user name or organization code; none if it is absent.

    Raises:
        ConfigError: the file is not a list of people and organizations, or describes one of them twice.
    """
    import yaml

    try:
        listed = yaml.safe_load(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{file} is not YAML: {reason}") from None
    if not isinstance(listed, list | None):
        raise ConfigError(f"{file} must be a list of people and organizations, each beginning with '- '")
    found: dict[str, _Fields] = {}
    for number, fields in enumerate(listed or (), 1):
        key = _checked(file, number, fields)
        if key in found:
            raise ConfigError(f"{file}: item {number} describes {key!r} a second time")
        found[key] = fields
    return found


def _checked(file: Path, number: int, fields: Any) -> str:
    kind = Person if isinstance(fields, dict) and "github_username" in fields else Organization
    try:
        contributor = kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise ConfigError(f"{file}: item {number}, {place}: {first['msg']}") from None
    return contributor.github_username if isinstance(contributor, Person) else contributor.code


def _key(contributor: Any) -> str | None:
    get = contributor.get if isinstance(contributor, dict) else lambda name: edit.get(contributor, name)
    key = get("github_username") or get("code")
    return key if isinstance(key, str) else None


def collect(directory: Path, file: Path) -> Edit:
    """Plan to add to *file*, a contributors.yml, everyone whom models below *directory* name and it does not.

    What it says already stays, comments too. If models describe somebody in several ways, the usual one is
    taken, and the notes say so.

    Raises:
        ConfigError: *file* is not valid.
        DirectoryError: *directory* cannot be listed.
    """
    import yaml

    known = read_contributors(file)
    stated: defaultdict[str, Counter[str]] = defaultdict(Counter)
    fields_of: dict[str, _Fields] = {}
    for _, data in each_file(directory):
        for contributor in (parsed(data) or {}).get("contributors") or ():
            key = _key(contributor) if isinstance(contributor, dict) else None
            if key is not None and key not in known:
                text = yaml.safe_dump([contributor], sort_keys=False, allow_unicode=True, width=1_000)
                stated[key][text] += 1
                fields_of[text] = contributor
    texts, notes = [], []
    for key in sorted(stated, key=str.casefold):
        text = max(stated[key], key=lambda text: (stated[key][text], len(fields_of[text]), text))
        texts.append(text)
        if len(stated[key]) > 1:
            notes.append(f"models describe {key} in {len(stated[key])} ways; the usual one was taken")
    old = file.read_bytes() if file.exists() else None
    if not texts:
        return Edit((), tuple(notes))
    head = old if old is not None else b"# The contributors of this collection.\n"
    new = head + (b"" if head.endswith(b"\n") or not head else b"\n") + "".join(texts).encode()
    return Edit((FileChange(file, old, new),), tuple(notes))


def apply_to_models(directory: Path, file: Path) -> Edit:
    """Plan to make all models below *directory* describe their contributors as *file* does.

    Raises:
        ConfigError: *file* is not valid, or does not exist.
        DirectoryError: *directory* cannot be listed.
    """
    known = _known(file)
    changes: list[FileChange] = []
    notes: dict[str, None] = {}
    skipped: list[Path] = []
    for name, data in each_file(directory):
        model = parsed(data)
        if model is None:
            skipped.append(directory / name)
            continue
        stated = [one for one in model.get("contributors") or () if isinstance(one, dict)]
        for one in stated:
            if (key := _key(one)) is not None and key not in known:
                notes[f"{key} is not in {file}; collect adds everyone"] = None
        if any((key := _key(one)) in known and one != known[key] for one in stated):
            change = _described_as(directory / name, known)
            if change is None:
                skipped.append(directory / name)
            else:
                changes.append(change)
    return Edit(tuple(changes), tuple(notes), tuple(skipped))


def _described_as(path: Path, known: Mapping[str, _Fields]) -> FileChange | None:
    try:
        old, model = load(path)
    except DocumentError:
        return None
    described = [known.get(_key(one) or "", one) for one in edit.items(model, "contributors")]
    edit.put(model, "contributors", described)
    return changed(path, old, model)


def credit(paths: Sequence[Path], keys: Sequence[str], file: Path) -> Edit:
    """Plan to name people and organizations of *file* as contributors of the models in *paths*.

    Raises:
        ConfigError: *file* is not valid, or does not exist.
        EditError: *file* does not have one of *keys*.
        FileNotFoundError, DocumentError: a file does not exist, or is not a valid finding model.
    """
    known = _known(file)
    exact = {key.casefold(): key for key in known}
    if unknown := [key for key in keys if key.casefold() not in exact]:
        listed = ", ".join(sorted(known, key=str.casefold))
        raise EditError(f"{file} does not have {unknown[0]!r}; it has {listed}")
    changes = []
    for path in paths:
        old, model = load(path)
        own = edit.items(model, "contributors")
        present = set(map(_key, own))
        more = [known[exact[key.casefold()]] for key in keys if exact[key.casefold()] not in present]
        if more:
            edit.put(model, "contributors", [*own, *more])
            changes.append(changed(path, old, model))
    return Edit(tuple(changes))


def _known(file: Path) -> dict[str, _Fields]:
    known = read_contributors(file)
    if not known:
        raise ConfigError(f"{file} names nobody: findingmodel contributors collect DIR fills it")
    return known
