"""`model schema`, `model export`, `model import`, and `index export` of tables and other formats."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from findingmodel.export.interchange import FORMATS
from findingmodel.model.schema import json_schema
from tests.builders import write_model
from tests.cli.commands import COUNT, SAMPLES, answer, run

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = SAMPLES / "chest" / "pneumothorax.fm.json"


def test_the_schema_is_one_document() -> None:
    assert json.loads(run("model", "schema").stdout) == json_schema()


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_is_printed_in_another_format(form: str) -> None:
    result = run("model", "export", SAMPLE, "--format", form)
    assert result.exit_code == 0
    assert ("OIFMA_SMPL_000007" if form == "valueset" else "OIFM_SMPL_000002") in result.stdout
    assert result.stderr.startswith("not in the output: ")
    facts = answer("model", "export", SAMPLE, "--format", form)
    assert facts["text"] == result.stdout
    if form.endswith("csv"):
        assert len(list(csv.DictReader(io.StringIO(result.stdout)))) == (1 if form == "csv" else 6)
    else:
        json.loads(result.stdout)


def test_what_was_exported_can_be_imported(tmp_path: Path) -> None:
    there = tmp_path / "set.json"
    there.write_text(run("model", "export", SAMPLE, "--format", "radelement").stdout)
    arguments = [
        "model",
        "import",
        there,
        "--source",
        "ABCD",
        "--into",
        tmp_path / "new",
        "--db",
        tmp_path / "x.db",
    ]
    trial = run(*arguments, "--dry-run")
    assert trial.stdout.startswith(f"would write {tmp_path}/new/pneumothorax.fm.json: OIFM_ABCD_")
    assert not (tmp_path / "new").exists()
    facts = answer(*arguments)
    assert (facts["name"], facts["attributes"], facts["dry_run"]) == ("Pneumothorax", 6, False)
    assert run("index", "check", tmp_path / "new").exit_code == 0
    again = run(*arguments)
    assert (again.exit_code, again.stdout) == (1, "")
    assert (
        again.stderr
        == f"Error: {there}: {tmp_path}/new/pneumothorax.fm.json exists already; nothing was written\n"
    )


def test_what_cannot_be_imported_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    result = run("model", "import", tmp_path / "x.json", "--source", "ABCD", "--into", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {tmp_path}/x.json: this is not JSON: ")


def test_an_index_is_written_in_other_formats(tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    run("index", "update", SAMPLES, "--db", db)
    result = run("index", "export", "csv", tmp_path / "tables", "--db", db)
    assert result.stdout == f"{COUNT} models: wrote 2 of 2 files in {tmp_path}/tables\n"
    assert (
        run("index", "export", "csv", "-", "--db", db).stdout == (tmp_path / "tables/models.csv").read_text()
    )
    attributes = run("index", "export", "csv", "-", "--attributes", "--db", db).stdout
    assert attributes == (tmp_path / "tables/attributes.csv").read_text()
    facts = answer(
        "index", "export", "fhir", tmp_path / "fhir", "--url", "https://example.org/fhir", "--db", db
    )
    assert facts["written"] == COUNT + 2
    system = json.loads((tmp_path / "fhir/CodeSystem.json").read_bytes())
    assert system["url"] == "https://example.org/fhir/CodeSystem/finding-models"
    assert answer("index", "export", "radelement", tmp_path / "cde", "--db", db)["written"] == COUNT
    again = run("index", "export", "radelement", tmp_path / "cde", "--db", db)
    assert again.stdout == f"{COUNT} models: all {COUNT} files are up to date in {tmp_path}/cde\n"


def test_an_edited_table_changes_the_files(tmp_path: Path) -> None:
    path = write_model(tmp_path / "defs", "1.fm.json", 1)
    table = tmp_path / "models.csv"
    table.write_text("oifm_id,tags\nOIFM_TEST_000001,XR; CT\n")
    trial = run("model", "apply", table, tmp_path / "defs", "--dry-run")
    assert trial.stdout.startswith(f"would write {path}\n")
    assert answer("model", "apply", table, tmp_path / "defs")["changes"][0]["path"] == str(path)
    assert json.loads(path.read_bytes())["tags"] == ["XR", "CT"]
    table.write_text("oifm_id,name\nOIFM_TEST_000001,x\nOIFM_TEST_000001,y\n")
    refused = run("model", "apply", table, tmp_path / "defs")
    message = f"Error: {table}: line 3: OIFM_TEST_000001 is in line 2 already\n"
    assert (refused.exit_code, refused.stderr) == (1, message)


@pytest.mark.parametrize(
    "arguments",
    [("fhir", "-"), ("radelement", "-"), ("csv", "tables", "--attributes"), ("csv", "-", "--json")],
    ids=" ".join,
)
def test_bad_usage_of_exports_is_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run("index", "export", *arguments, "--db", tmp_path / "x.db")
    assert (result.exit_code, result.stdout) == (2, "")
