"""Whole programs written for findingmodel 0.3: nothing is closed, and each part has its own event loop."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.legacy.conftest import model_of, save
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.slow

PROGRAM = """
import asyncio
from pathlib import Path

from findingmodel import FindingModelFull
from findingmodel.index import Index

defs = Path("defs")


async def synchronize():
    index = Index()
    await index.setup_indexes()
    added, updated, removed = await index.update_from_directory(defs)
    print(f"{added} added, {updated} updated, {removed} removed")


async def add():
    index = Index()
    file = defs / "oifm_test_000002.fm.json"
    model = FindingModelFull.model_validate_json(file.read_text())
    print(f"File: {await index.add_or_update_entry_from_file(file, model)}")


async def look_up():
    index = Index()
    entry = await index.get("pn1")
    print(entry.model_dump(include={"oifm_id", "filename", "tags"}))
    for found in await index.search("nodule", limit=2):
        print(f"- {found.name}: {found.oifm_id}")
    organization = await index.get_organization("TEST")
    print(organization.name, await index.count_people(), await index.count_organizations())


for part in (synchronize, add, look_up):
    asyncio.run(part())
"""

PRINTED = """\
2 added, 0 updated, 0 removed
File: unchanged
{'oifm_id': 'OIFM_TEST_000001', 'filename': 'oifm_test_000001.fm.json', 'tags': ['CT', 'chest']}
- pulmonary nodule of type 2: OIFM_TEST_000002
- pulmonary nodule of type 1: OIFM_TEST_000001
Test Radiology Group 0 1
"""


@pytest.fixture
def environment(any_server: Server | None) -> Iterator[dict[str, str]]:
    """The environment variables that name the database in 0.3; none for a file."""
    if any_server is None:
        yield {}
        return
    with own_database(any_server.uri) as name:
        yield {"MONGODB_URI": any_server.uri, "MONGODB_DB": name}


def test_a_program_runs_without_warnings(environment: dict[str, str], defs: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        save(defs, model_of(number))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", PRINTED)
