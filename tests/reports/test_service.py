"""Reading reports with an index, of each kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel import Index, QueryError
from findingmodel.limits import MAX_REPORT_CHARACTERS
from tests.builders import make_choice, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

PRESENCE = ["absent", "present", "indeterminate", "unknown"]


def presence(number: int) -> dict[str, object]:
    oifma_id = f"OIFMA_TEST_{number:06}"
    values = [{"value_code": f"{oifma_id}.{at}", "name": name} for at, name in enumerate(PRESENCE)]
    return make_choice(number, name="presence", values=values)


@pytest.fixture
def findings(tmp_path: Path) -> Path:
    directory = tmp_path / "findings"
    for number, name in enumerate(["pneumothorax", "pleural effusion", "pulmonary nodule"], 1):
        write_model(
            directory,
            f"{number}.fm.json",
            number,
            name=name,
            synonyms=...,
            attributes=[presence(10 * number)],
        )
    return directory


async def test_a_report_is_read_with_the_models_of_the_index(findings: Path) -> None:
    async with Index("sqlite://") as index:
        await index.update_from_directory(findings)
        reading = await index.read_report("No pneumothorax. Small left pleural effusion.")
    assert [(one.hits[0].name, one.certainty) for one in reading.mentions] == [
        ("pneumothorax", "absent"),
        ("pleural effusion", "present"),
    ]
    assert [one.value for mention in reading.mentions for one in mention.attributes] == ["absent", "present"]


async def test_an_update_is_seen_by_the_next_reading(findings: Path) -> None:
    async with Index("sqlite://") as index:
        assert (await index.read_report("Pneumothorax.")).mentions[0].hits == ()
        await index.update_from_directory(findings)
        assert (await index.read_report("Pneumothorax.")).mentions[0].hits[0].name == "pneumothorax"


def test_the_synchronous_index_reads_the_same(findings: Path) -> None:
    with Index.sync("sqlite://") as index:
        index.update_from_directory(findings)
        one, other = index.read_reports(["No pneumothorax.", "Pulmonary nodule."])
        assert one == index.read_report("No pneumothorax.")
        assert other.mentions[0].hits[0].name == "pulmonary nodule"


async def test_reports_that_are_too_long_and_limits_are_refused() -> None:
    async with Index("sqlite://") as index:
        with pytest.raises(QueryError, match="500,001 characters"):
            await index.read_report("x" * (MAX_REPORT_CHARACTERS + 1))
        with pytest.raises(QueryError, match="limit is 0"):
            await index.read_report("PE", limit=0)


async def test_every_store_gives_the_same_reading(any_server: Server | None, findings: Path) -> None:
    from tests.stores.databases import own_database

    text = "No pneumothorax. A 4 mm pulmonary nodule in the left lung, unchanged."
    async with Index("sqlite://") as index:
        await index.update_from_directory(findings)
        expected = await index.read_report(text)
    if any_server is None:
        return
    with own_database(any_server.uri) as name:
        async with Index(any_server.uri, db_name=name) as index:
            await index.update_from_directory(findings)
            assert await index.read_report(text) == expected
