"""IndexReads: get entries, models and contributors, and list them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from findingmodel.errors import NotFoundError, QueryError
from findingmodel.export import pages
from findingmodel.index.arguments import check_page, check_text, check_texts
from findingmodel.index.base import IndexBase
from findingmodel.index.results import (
    Page,
    to_entries,
    to_entry,
    to_models,
    to_organization,
    to_person,
)
from findingmodel.search.lookup import find, find_by_attribute
from findingmodel.stores.paging import iter_pages
from findingmodel.update.follow import ChangeFeed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from findingmodel.index.results import IndexEntry
    from findingmodel.model.finding import FindingModelFull, Organization, Person
    from findingmodel.stores.records import EntryRow
    from findingmodel.update.follow import IndexChange

_MAX_MODELS_PARSED_IN_LOOP = 10  # parsing more of them would block the event loop for too long


class IndexReads(IndexBase):
    """Reading what an index holds."""

    async def count(self) -> int:
        """Return the number of models."""
        return (await self._store.counts()).models

    async def count_people(self) -> int:
        """Return the number of people who contributed."""
        return (await self._store.counts()).people

    async def count_organizations(self) -> int:
        """Return the number of organizations that contributed."""
        return (await self._store.counts()).organizations

    async def contains(self, id_or_name_or_syn: str) -> bool:
        """Return whether `get` would return an entry."""
        return bool(await find(self._store, check_text("id_or_name_or_syn", id_or_name_or_syn)))

    async def get(self, id_or_name_or_syn: str) -> IndexEntry | None:
        """Return the entry with this id, name, slug or synonym, in any case, or None.

        If several entries match, an id wins over a name, then slug, then synonym, then the smallest id. A key
        such as ``code:RADLEX:RID1301`` returns a model with this code; see `find_by_code`.

        Raises:
            QueryError: the key begins with ``code:`` but does not name a system and a code.
        """
        matches = await self.matches(id_or_name_or_syn)
        return matches[0] if matches else None

    async def matches(self, id_or_name_or_syn: str) -> list[IndexEntry]:
        """Return all entries with this id, name, slug or synonym, in the order that `get` prefers them.

        Raises:
            QueryError: as `get`.
        """
        with self._session.timer("index get"):
            return to_entries(await find(self._store, check_text("id_or_name_or_syn", id_or_name_or_syn)))

    async def get_by_attribute(self, oifma_id: str) -> IndexEntry | None:
        """Return the entry of the model that has the attribute with this id, or None."""
        row = await find_by_attribute(self._store, check_text("oifma_id", oifma_id))
        return to_entry(row) if row else None

    async def get_person(self, github_username: str) -> Person | None:
        """Return the person with this GitHub user name, or None if no model names them."""
        name = check_text("github_username", github_username)
        people = await self._store.contributors("person", [name])
        return to_person(people[0]) if people else None

    async def get_organization(self, code: str) -> Organization | None:
        """Return the organization with this code, or None if no model names it."""
        organizations = await self._store.contributors("organization", [check_text("code", code)])
        return to_organization(organizations[0]) if organizations else None

    async def get_people(self) -> list[Person]:
        """Return all people who contributed, sorted by name."""
        people = map(to_person, await self._store.contributors("person"))
        return sorted(people, key=lambda person: person.name)

    async def get_organizations(self) -> list[Organization]:
        """Return all organizations that contributed, sorted by name."""
        organizations = map(to_organization, await self._store.contributors("organization"))
        return sorted(organizations, key=lambda organization: organization.name)

    async def get_full(self, oifm_id: str) -> FindingModelFull:
        """Return the complete model, as in its file; for the id of a retired model, the one that replaces it.

        Raises:
            NotFoundError: no model has this id; it is a KeyError.
            DocumentError: this version cannot parse the stored model.
        """
        models = await self.get_full_batch([check_text("oifm_id", oifm_id)])
        if oifm_id not in models:
            for row in await find(self._store, oifm_id):
                if oifm_id in row.get("replaces", ()):
                    return await self.get_full(row["oifm_id"])
            raise NotFoundError(f"no model in {self.label} has the id {oifm_id!r}")
        return models[oifm_id]

    async def get_full_batch(self, oifm_ids: Iterable[str]) -> dict[str, FindingModelFull]:
        """Return complete models by id, in the order of *oifm_ids*; absent ids are left out.

        Raises:
            DocumentError: this version cannot parse a stored model.
        """
        ids = check_texts("oifm_ids", oifm_ids)
        with self._session.timer("index get_full_batch", items=len(ids)):
            stored = await self._store.models(ids)
            texts = {oifm_id: stored[oifm_id] for oifm_id in ids if oifm_id in stored}
            if len(texts) > _MAX_MODELS_PARSED_IN_LOOP:
                return await self._session.use_threads()(to_models, texts)
            return to_models(texts)

    async def all(
        self, limit: int = 100, offset: int = 0, order_by: str = "name", order_dir: str = "asc"
    ) -> Page:
        """Return a page of all entries and their total number: ``entries, total = await index.all()``.

        Args:
            limit: the most entries to return, at least 1.
            offset: how many entries to skip.
            order_by: "name", "oifm_id" or "filename".
            order_dir: "asc" or "desc".

        Raises:
            QueryError: an argument is out of range.
        """
        check_page(limit, offset)
        if order_by not in ("name", "oifm_id", "filename"):
            raise QueryError(f"order_by must be name, oifm_id or filename, not {order_by!r}")
        if order_dir not in ("asc", "desc"):
            raise QueryError(f"order_dir must be asc or desc, not {order_dir!r}")
        rows = await self._store.page(
            sort=order_by, descending=order_dir == "desc", offset=offset, limit=limit
        )
        return Page(to_entries(rows), await self.count())

    async def __aiter__(self) -> AsyncGenerator[IndexEntry, None]:
        """Yield all entries, sorted by name. One that is written meanwhile may be missed or come twice."""
        async for rows in iter_pages(self._store, "name"):
            for row in rows:
                yield to_entry(row)

    async def changes(self) -> AsyncGenerator[IndexChange, None]:
        """Yield each change that any process makes to the index from now on, until the iteration is ended.

        Where the MongoDB server has change streams (replica sets, Atlas), changes come at once and answers in
        the cache of this Index become invalid at once; elsewhere within a second. Updates in quick succession
        may be seen as one. The first call reads the manifest, a few hundred bytes per model.

        ::

            async for change in index.changes():
                print(change.kind, change.oifm_id, change.path)
        """
        async with aclosing(ChangeFeed(self._store).follow()) as updates:
            async for changes in updates:
                self._session.look_again()
                for change in changes:
                    yield change

    async def to_markdown(self) -> str:
        """Return a Markdown table of all entries, sorted by name, as an export writes it beside ``defs``."""
        files = [(state.oifm_id, state.path) for state in await self._store.manifest()]
        entries = [row async for rows in iter_pages(self._store, "name") for row in rows]
        return await self._session.use_threads()(_markdown_table, entries, files)


def _markdown_table(entries: Sequence[EntryRow], files: Sequence[tuple[str, str]]) -> str:
    names = pages.page_names(files)
    rows = [pages.row(entry, names[entry["oifm_id"]]) for entry in entries if entry["oifm_id"] in names]
    return "".join([pages.heading(len(rows)), *rows])
