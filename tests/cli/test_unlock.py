"""``index unlock``: the holder of the lease, and the end of a dead one's lease, in each kind of database."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from findingmodel.settings import Settings
from findingmodel.stores import open_store
from findingmodel.stores.lease import new_writer, this_system
from tests.builders import write_model
from tests.cli.commands import answer, run
from tests.stores.contract_support import pid_of_a_dead_process
from tests.stores.samples import LONG_SECONDS, make_writer

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.lease import Writer

FAR = make_writer("far", host="far", pid=77)


def hold(place: str, writer: Writer, seconds: float = LONG_SECONDS) -> None:
    async def take() -> None:
        store = open_store(place, settings=Settings())
        assert await store.leases.acquire(writer, seconds) is None
        await store.close()

    asyncio.run(take())


def test_without_an_update_there_is_no_holder(samples: str) -> None:
    assert run("index", "unlock").stdout == "no update holds the lease\n"
    assert run("index", "unlock", "--force").exit_code == 0
    facts = answer("index", "unlock")
    assert (facts["lease"], facts["ended"]) == (None, False)


def test_a_database_that_does_not_exist_has_no_holder(place: str) -> None:
    assert run("index", "unlock", "--db", place).stdout == "no update holds the lease\n"


def test_a_holder_elsewhere_is_shown_and_its_lease_ended_on_request(samples: str, tmp_path: Path) -> None:
    hold(samples, FAR)
    shown = run("index", "unlock")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("process 77 on far, which this machine cannot see, holds the lease, for ")
    assert shown.stderr == "if you know that it has ended, --force ends its lease\n"
    defs = tmp_path / "new"
    write_model(defs, "new.fm.json", 1)
    refused = run("index", "update", defs, "--force")
    assert refused.exit_code == 3
    assert "'findingmodel index unlock' shows whether it runs" in refused.stderr
    lease = answer("index", "unlock")["lease"]
    assert (lease["host"], lease["pid"], lease["state"]) == ("far", 77, "unknown")
    assert 0 < lease["seconds_left"] <= LONG_SECONDS + 1
    ended = run("index", "unlock", "--force")
    assert ended.exit_code == 0
    assert ended.stdout.startswith("ended the lease of process 77 on far; the next update completes")
    assert run("index", "update", defs, "--force").exit_code == 0


def test_a_running_process_keeps_its_lease(samples: str) -> None:
    hold(samples, new_writer())
    done = run("index", "unlock", "--force")
    assert done.exit_code == 1
    assert f"process {os.getpid()} on " in done.stdout
    assert "which is running, holds the lease" in done.stdout
    assert done.stderr == "end the process first, or wait for it\n"
    assert answer("index", "unlock", "--force", code=1)["lease"]["state"] == "running"


@pytest.mark.parametrize(
    ("seconds", "words"), [(LONG_SECONDS, "which has ended"), (0, "which did not renew it in time")]
)
def test_a_dead_process_needs_no_force(samples: str, seconds: float, words: str) -> None:
    hold(samples, make_writer("dead", system=this_system(), pid=pid_of_a_dead_process()), seconds)
    done = run("index", "unlock")
    assert done.exit_code == 0
    assert words in done.stdout
    assert "takes the lease by itself" in done.stderr
    assert run("index", "unlock", "--force").stdout.startswith("ended the lease of process ")
