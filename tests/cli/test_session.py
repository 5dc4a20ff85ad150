"""How a command uses an index on a server."""

from __future__ import annotations

import pytest

from findingmodel.cli.session import session_of
from findingmodel.settings import Settings

URL = "mongodb://127.0.0.1/findings"


@pytest.mark.parametrize(("named", "used"), [(None, "pymongo"), ("motor", "motor"), ("pymongo", "pymongo")])
def test_a_command_uses_the_driver_that_ends_at_once(named: str | None, used: str) -> None:
    settings = Settings.load(db=URL, driver=named, mongodb_min_pool_size=3)
    chosen = session_of(settings).settings
    assert (chosen.driver, chosen.mongodb_min_pool_size) == (used, 0)
    assert Settings.load(db=URL).driver == "motor"


def test_a_command_on_a_file_needs_no_driver(own_directory: None) -> None:
    settings = Settings.load(db="sqlite:///x.db")
    assert session_of(settings).settings is settings
