"""For all tests: the settings, data and home of who runs them are left alone; and which of them are slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.environment import isolate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW = (
    "agents/test_transports.py",
    "cli/test_completion.py",
    "cli/test_curating.py",
    "cli/test_options.py",
    "cli/test_process.py",
    "cli/test_terminal.py",
    "cli/test_watch.py",
    "stores/test_mongomock.py",
    "stores/test_pool.py",
    "sync/test_bad_files.py",
    "sync/test_not_written.py",
    "sync/test_staging.py",
    "sync/test_watch.py",
    "sync/test_workers.py",
    "tests/servers.py",
    "tests/test_howto.py",
    "tests/test_make_corpus.py",
    "tests/test_package.py",
    "tests/test_precommit.py",
    "tests/test_search_batch_files.py",
    "tests/test_security.py",
    "tests/test_sync_index.py",
    "tests/test_typing.py",
    "torture/test_torture.py",
)
"""Files whose tests start processes or wait for them; a slow test elsewhere has the mark itself."""

settings.register_profile("fast", max_examples=10)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.as_posix().endswith(SLOW):
            item.add_marker("slow")


@pytest.fixture(autouse=True, scope="session")
def bare_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that outlive a test: no settings, and no data."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For each test: no settings, and no data."""
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def own_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For tests of what is looked for where the program is: that is a directory of their own."""
    monkeypatch.chdir(tmp_path)
