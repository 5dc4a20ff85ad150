"""IndexCuration: what curators do with an index beside them: edit files, compare lists, find gaps, export."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from findingmodel.author import coverage as gaps
from findingmodel.author import edit_attributes, edit_names
from findingmodel.author import merge as merging
from findingmodel.author import triage as triaging
from findingmodel.author.collection import Place
from findingmodel.export import documents, interchange
from findingmodel.export.fhir import DEFAULT_URL
from findingmodel.index.base import IndexBase
from findingmodel.index.results import to_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from findingmodel.author.edit import Edit
    from findingmodel.export.files import ExportReport
    from findingmodel.index.results import IndexEntry

T = TypeVar("T")
_Path = str | Path


class IndexCuration(IndexBase):
    """Edits of files that are compared with the index, and reports on it.

    Edits write files and leave the index as it is, until `update_from_directory`. They compare with the other
    files of the collection, *directory* (by default that of the file), and with the index. With *dry_run*
    they write nothing; the returned `Edit` lists what they change.
    """

    async def rename_model(
        self,
        file: _Path,
        name: str,
        *,
        keep_synonym: bool = False,
        keep_file: bool = False,
        directory: _Path | None = None,
        dry_run: bool = False,
    ) -> Edit:
        """Rename the model in *file*, in its own descriptions too, and the file; ids stay.

        Args:
            file: the file.
            name: the new name.
            keep_synonym: whether the old name becomes a synonym.
            keep_file: whether the file keeps its name.
            directory, dry_run: see `IndexCuration`.

        Raises:
            FileNotFoundError: *file* does not exist.
            DocumentError: it is not a valid finding model, or would not be one afterwards.
            EditError: another model has the name, or another file that of the new one.
        """
        edit = await edit_names.rename(
            Path(file),
            name,
            keep_synonym=keep_synonym,
            keep_file=keep_file,
            place=self._place(file, directory),
        )
        return await self._applied(edit, dry_run=dry_run)

    async def add_synonym(
        self,
        file: _Path,
        text: str,
        *,
        force: bool = False,
        directory: _Path | None = None,
        dry_run: bool = False,
    ) -> Edit:
        """Add the synonym *text* to the model in *file*, unless another model has it.

        Args:
            file: the file.
            text: the synonym.
            force: add it even if another model has it.
            directory, dry_run: see `IndexCuration`.

        Raises:
            FileNotFoundError: *file* does not exist.
            DocumentError: it is not a valid finding model, or would not be one afterwards.
            EditError: the model has it already, or another model has, whom the message names.
        """
        place = self._place(file, directory)
        edit = await edit_names.add_synonym(Path(file), text, force=force, place=place)
        return await self._applied(edit, dry_run=dry_run)

    async def add_attribute(
        self,
        file: _Path,
        attribute: edit_attributes.NewAttribute,
        *,
        source: str | None = None,
        directory: _Path | None = None,
        dry_run: bool = False,
    ) -> Edit:
        """Add *attribute* to the model in *file*, with an id that nothing in the collection or index has.

        Args:
            file: the file.
            attribute: the attribute.
            source: the code of the organization that assigns the id; by default that of the model's id.
            directory, dry_run: see `IndexCuration`.

        Raises:
            FileNotFoundError: *file* does not exist.
            DocumentError: it is not a valid finding model, or would not be one afterwards.
            EditError: the model has such an attribute, or *attribute* contradicts itself.
            ConfigError: *source* is not the code of an organization.
        """
        place = self._place(file, directory)
        edit = await edit_attributes.add_attribute(Path(file), attribute, source=source, place=place)
        return await self._applied(edit, dry_run=dry_run)

    async def add_value(
        self,
        file: _Path,
        attribute: str,
        name: str,
        *,
        description: str | None = None,
        dry_run: bool = False,
    ) -> Edit:
        """Add the value *name* to an attribute, by id or name, of the model in *file*.

        Raises:
            FileNotFoundError: *file* does not exist.
            DocumentError: it is not a valid finding model, or would not be one afterwards.
            EditError: there is no such attribute, it is a number, or it has the value already.
        """
        edit = await self._in_thread(
            edit_attributes.add_value, Path(file), attribute, name, description=description
        )
        return await self._applied(edit, dry_run=dry_run)

    async def change_from_prior(
        self,
        files: Sequence[_Path],
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        directory: _Path | None = None,
        dry_run: bool = False,
    ) -> Edit:
        """Give the models in *files* the attribute "change from prior", or choose which pairs it has.

        Args:
            files: at least one file.
            add, remove: pairs, such as "larger/smaller", or one value of each.
            directory, dry_run: see `IndexCuration`.

        Raises:
            FileNotFoundError: a file does not exist.
            DocumentError: a file is not a valid finding model.
            EditError: a value is unknown, is a core value to be removed, or is to be added and removed.
        """
        paths = list(map(Path, files))
        place = self._place(paths[0], directory)
        edit = await edit_attributes.change_from_prior(paths, add=add, remove=remove, place=place)
        return await self._applied(edit, dry_run=dry_run)

    async def merge_models(self, file: _Path, into: _Path, *, dry_run: bool = False) -> Edit:
        """Merge the model in *file* into the one in *into*, which an update then finds by both ids.

        Raises:
            FileNotFoundError: a file does not exist.
            DocumentError: a file is not a valid finding model.
            EditError: both are the same model, or each would replace the other.
        """
        edit = await self._in_thread(merging.merge, Path(file), Path(into))
        return await self._applied(edit, dry_run=dry_run)

    async def deprecate_model(
        self, file: _Path, by: str, *, directory: _Path | None = None, dry_run: bool = False
    ) -> Edit:
        """Retire the model in *file* in favour of the model with the id *by*.

        Raises:
            FileNotFoundError: *file* does not exist.
            DocumentError: a file is not a valid finding model.
            EditError: no file of the collection has the id, or it is the model itself.
        """
        place = self._place(file, directory)
        edit = await self._in_thread(merging.deprecate, Path(file), by, place=place)
        return await self._applied(edit, dry_run=dry_run)

    async def rename_tag(self, directory: _Path, old: str, new: str, *, dry_run: bool = False) -> Edit:
        """Rename the tag *old*, in any case, to *new* in all files below *directory*.

        Raises:
            DirectoryError: *directory* cannot be listed.
            EditError: *new* is empty, or no model has the tag *old*.
        """
        edit = await self._in_thread(edit_names.rename_tag, Path(directory), old, new)
        return await self._applied(edit, dry_run=dry_run)

    async def triage(self, findings: Iterable[str | triaging.ListedFinding]) -> list[triaging.Triage]:
        """Return for each finding whether a model has its name: a match, maybe one of several, or none.

        Args:
            findings: names, or rows of a list with synonyms.
        """
        rows = [
            triaging.ListedFinding(number, one) if isinstance(one, str) else one
            for number, one in enumerate(findings, 1)
        ]
        return await triaging.triage(self._store, self._session.one_shot_searcher(), rows)

    async def coverage(self) -> gaps.Coverage:
        """Return how many models lack a description, tags, codes, units and more."""
        return await gaps.coverage(self._store)

    async def select(
        self,
        *,
        tags: Sequence[str] = (),
        contributors: Sequence[str] = (),
        modalities: Sequence[str] = (),
        without: Sequence[str] = (),
    ) -> list[IndexEntry]:
        """Return the entries that meet all conditions, sorted by id.

        Args:
            tags: each of these, in any case.
            contributors: one of these, GitHub user names or organization codes.
            modalities: a tag for each of these, such as "US", under any of its names.
            without: what the model lacks, as the keys of `Coverage.lacking`.

        Raises:
            QueryError: a modality or a word of *without* is unknown.
        """
        ids = await gaps.select(
            self._store, tags=tags, contributors=contributors, modalities=modalities, without=without
        )
        rows = await self._store.get(ids)
        return to_entries(rows[oifm_id] for oifm_id in sorted(rows))

    async def export(
        self, directory: _Path, form: Literal["csv", "fhir", "radelement"], *, url: str = DEFAULT_URL
    ) -> ExportReport:
        """Write the index to *directory* as CSV tables, FHIR R4 resources or RadElement sets.

        Args:
            directory: created if it does not exist; files that are up to date are not touched.
            form: "csv", "fhir" or "radelement".
            url: the start of canonical URLs in FHIR.

        Raises:
            OSError: a file cannot be written.
        """
        if form == "csv":
            return await documents.export_csv(self._store, Path(directory))
        return await documents.export_documents(self._store, Path(directory), form, url=url)

    async def import_model(
        self, file: _Path, source: str, directory: _Path, *, dry_run: bool = False
    ) -> tuple[Edit, tuple[str, ...]]:
        """Write a RadElement set or a FHIR Questionnaire as a new model to *directory*.

        Returns:
            The edit, and what of *file* the model cannot say.

        Raises:
            FileNotFoundError: *file* does not exist.
            EditError: it is neither, or the collection or the index has its id, name or file.
            ConfigError: *source* is not the code of an organization.
            DocumentError: the model would break a rule of the format.
        """
        data = await self._in_thread(Path(file).read_bytes)
        edit, _, lost = await interchange.import_file(self._store, Path(directory), data, source)
        return await self._applied(edit, dry_run=dry_run), lost

    def _place(self, file: _Path, directory: _Path | None) -> Place:
        place = Place(Path(directory), self._store) if directory else Place.of(Path(file), self._store)
        return place._replace(offload=self._session.use_threads())

    async def _in_thread(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self._session.use_threads()(partial(function, *args, **kwargs))

    async def _applied(self, edit: Edit, *, dry_run: bool) -> Edit:
        if not dry_run:
            await self._in_thread(edit.apply)
        return edit
