"""IndexUpdates: changing an index, and checking models against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.index.arguments import check_path, check_seconds, check_text, check_texts
from findingmodel.index.base import IndexBase
from findingmodel.legacy.archive import rebuild as rebuild_index
from findingmodel.observe.ledger_recorder import record_update
from findingmodel.update import entry
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateObserver, UpdateOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from findingmodel.model.finding import Contributor, FindingModelFull
    from findingmodel.update.entry import IndexReturnType
    from findingmodel.update.report import UpdateReport


class IndexUpdates(IndexBase):
    """Writing to an index. Each method takes the writer's lease for as long as it writes."""

    async def update_from_directory(
        self,
        directory: str | Path,
        allow_duplicate_synonyms: bool = False,
        *,
        dry_run: bool = False,
        rehash: bool = False,
        remove: bool = True,
        force: bool = False,
        strict: bool = False,
        rebuild: bool = False,
        wait_seconds: float = 0.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> UpdateReport:
        """Make the index hold exactly the valid models below *directory*.

        Args:
            directory: every ``*.fm.json`` file below it is indexed.
            allow_duplicate_synonyms: ignored; models may always share synonyms.
            dry_run: report what would change, and write nothing.
            rehash: read every file, even if its size and times have not changed.
            remove: remove models whose file no longer exists.
            force: update even if most models would be removed.
            strict: write nothing if any file fails.
            rebuild: MongoDB: archive an index of findingmodel 0.3 or 0.4 first.
            wait_seconds: how long to wait for another update to end.
            progress: called with (files loaded, files to load).

        Returns:
            What changed and what failed; it unpacks as ``added, updated, removed = report``.

        Raises:
            DirectoryError: *directory* cannot be listed.
            ConfigError: *wait_seconds* is not a number from 0 on.
            LeaseHeldError: another update is running.
        """
        session, root = self._session, check_path("directory", directory)
        options = UpdateOptions.of(
            session.settings,
            dry_run=dry_run,
            rehash=rehash,
            remove=remove,
            force=force,
            strict=strict,
            wait_seconds=check_seconds("wait_seconds", wait_seconds),
        )
        observer = UpdateObserver(progress=progress, timer=session.timer)
        work = rebuild_index if rebuild else update

        async with session.timer("index update"), session.writing():
            threads = session.use_threads()
            return await record_update(
                session.ledger,
                root,
                options,
                observer,
                lambda: work(session.store, root, options, observer, threads=threads),
            )

    async def add_or_update_entry_from_file(
        self,
        filename: str | Path,
        model: FindingModelFull | None = None,
        allow_duplicate_synonyms: bool = False,
    ) -> IndexReturnType:
        """Add the model in one file, or replace what the index holds for this file.

        Args:
            filename: the file; its name must end with ``.fm.json``.
            model: the model that the caller expects in the file; a difference is an error.
            allow_duplicate_synonyms: ignored; models may always share synonyms.

        Raises:
            MissingFileError: the file or its directory does not exist; it is a FileNotFoundError.
            DocumentError: the file is not a valid model, differs from *model*, or conflicts with another
                model; it is a ValueError.
            LeaseHeldError: another update is running.
        """
        file = check_path("filename", filename)
        async with self._session.recording("add", file=file) as context:
            return await entry.add_file(context, file, expected=model)

    async def add_or_update_contributors(self, contributors: Iterable[Contributor]) -> list[str] | None:
        """Add people and organizations, until a file that names one states something else.

        Returns:
            The contributors that *contributors* contradicts itself about, in which case nothing is written;
            None if there are none.

        Raises:
            LeaseHeldError: another update is running.
        """
        async with self._session.writing() as context:
            return await entry.put_contributors(context, contributors)

    async def remove_entry(self, id_or_name: str) -> bool:
        """Remove the model with this id or name, in any case; return whether it existed.

        Raises:
            LeaseHeldError: another update is running.
        """
        check_text("id_or_name", id_or_name)
        async with self._session.recording("remove", model=id_or_name) as context:
            return await entry.remove_model(context, id_or_name)

    async def remove_unused_entries(self, active_filenames: Iterable[str]) -> list[str]:
        """Remove all models except those in *active_filenames* (paths or file names); return removed paths.

        Raises:
            LeaseHeldError: another update is running.
        """
        active = set(check_texts("active_filenames", active_filenames))
        async with self._session.recording("remove-unused") as context:
            return await entry.remove_unused(context, active)

    async def validate_model(
        self,
        model: FindingModelFull,
        allow_duplicate_synonyms: bool = False,
        exclude_oifm_id: str | None = None,
    ) -> list[str]:
        """Return the conflicts between *model* and the index; an empty list if it could be added.

        Args:
            model: the model.
            allow_duplicate_synonyms: ignored; models may always share synonyms.
            exclude_oifm_id: the id of a stored model that *model* would replace.
        """
        errors = await self.validate_models_batch([(model, exclude_oifm_id)], allow_duplicate_synonyms)
        return errors[model.oifm_id]

    async def validate_models_batch(
        self,
        models: Iterable[tuple[FindingModelFull, str | None]],
        allow_duplicate_synonyms: bool = False,
    ) -> dict[str, list[str]]:
        """Return by id the conflicts of each model with the index and with the other models.

        Args:
            models: each with the id, or the file's path, of the stored model that it would replace.
            allow_duplicate_synonyms: ignored; models may always share synonyms.
        """
        return await entry.find_conflicts(self._store, list(models))
