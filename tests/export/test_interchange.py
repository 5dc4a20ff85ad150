"""Tables and other formats of an index, and files of other formats as new models."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING

import pytest

from findingmodel import FindingModelFull
from findingmodel.author.check import check
from findingmodel.errors import EditError
from findingmodel.export.documents import export_csv, export_documents
from findingmodel.export.fhir import bundle, code_system, value_sets
from findingmodel.export.files import ExportReport
from findingmodel.export.interchange import FORMATS, convert, import_file
from findingmodel.export.radelement import to_set
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store


@pytest.fixture
async def index(store: Store, tmp_path: Path) -> Store:
    for number in (1, 2):
        write_model(
            tmp_path / "defs", f"chest/{number}.fm.json", number, description='A "round" opacity; small.'
        )
    assert (await update(store, tmp_path / "defs", UpdateOptions())).ok
    return store


async def test_tables_have_a_row_for_each_model_and_attribute(index: Store, tmp_path: Path) -> None:
    assert await export_csv(index, tmp_path / "out") == ExportReport(2, 2, 0)
    assert await export_csv(index, tmp_path / "out") == ExportReport(2, 0, 2)
    models = list(csv.DictReader(io.StringIO((tmp_path / "out/models.csv").read_text())))
    assert [row["oifm_id"] for row in models] == ["OIFM_TEST_000001", "OIFM_TEST_000002"]
    assert models[0] | {"oifm_id": "", "name": ""} == {
        "oifm_id": "",
        "name": "",
        "description": 'A "round" opacity; small.',
        "synonyms": "lung nodule of type 1; PN1",
        "tags": "CT; chest",
        "contributors": "TEST",
        "index_codes": "RADLEX RID50149",
        "replaces": "",
        "attributes": "margin; diameter",
        "file": "chest/1.fm.json",
        "version": hashlib.sha256((tmp_path / "defs/chest/1.fm.json").read_bytes()).hexdigest()[:12],
    }
    attributes = list(csv.DictReader(io.StringIO((tmp_path / "out/attributes.csv").read_text())))
    assert [row["oifma_id"][-6:] for row in attributes] == ["000010", "000011", "000020", "000021"]
    assert attributes[0]["values"] == "smooth; lobulated; spiculated"
    assert (attributes[1]["minimum"], attributes[1]["maximum"], attributes[1]["unit"]) == ("0", "30.5", "mm")
    assert (attributes[1]["required"], attributes[1]["values"]) == ("true", "")


@pytest.mark.parametrize(("form", "files"), [("fhir", 4), ("radelement", 2)])
async def test_documents_of_an_index_are_written_once(
    index: Store, tmp_path: Path, form: str, files: int
) -> None:
    report = await export_documents(index, tmp_path / "out", form)  # type: ignore[arg-type]
    assert report == ExportReport(2, files, 0)
    documents = [json.loads(path.read_bytes()) for path in (tmp_path / "out").rglob("*.json")]
    assert len(documents) == files
    if form == "fhir":
        models = [FindingModelFull(**make_model(n, description='A "round" opacity; small.')) for n in (1, 2)]
        assert code_system(models) in documents
        assert bundle([one for model in models for one in value_sets(model)]) in documents
    again = await export_documents(index, tmp_path / "out", form)  # type: ignore[arg-type]
    assert again == ExportReport(2, 0, files)


async def test_documents_are_not_written_through_links(index: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "sets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="is a link"):
        await export_documents(index, tmp_path / "out", "radelement")
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_an_empty_index_writes_nothing(memory: Store, tmp_path: Path) -> None:
    assert (await export_csv(memory, tmp_path / "out")).models == 0
    assert (await export_documents(memory, tmp_path / "out", "fhir")).models == 0
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_what_it_loses(form: str) -> None:
    text, lost = convert(FindingModelFull(**make_model()), form)  # type: ignore[arg-type]
    assert text.endswith("\n")
    assert lost


async def test_an_imported_file_is_valid_and_its_ids_are_free(index: Store, tmp_path: Path) -> None:
    model = FindingModelFull(**make_model(7, name="Pleural plaque", attributes=[make_choice(70)]))
    data = json.dumps(to_set(model).document).encode()
    edit, imported, lost = await import_file(index, tmp_path / "new", data, "ABCD")
    assert not (tmp_path / "new").exists()
    edit.apply()
    assert edit.changes[0].path == tmp_path / "new" / "pleural_plaque.fm.json"
    assert imported.oifm_id.startswith("OIFM_ABCD_")
    assert lost == ()
    assert check(tmp_path / "new").ok
    with pytest.raises(EditError, match="exists already"):
        await import_file(index, tmp_path / "new", data, "ABCD")


async def test_a_model_that_the_index_has_is_not_imported_again(index: Store, tmp_path: Path) -> None:
    named = json.dumps(to_set(FindingModelFull(**make_model(1))).document).encode()
    with pytest.raises(EditError, match=r"already belongs to OIFM_TEST_000001 \(chest/1\.fm\.json\)"):
        await import_file(index, tmp_path / "new", named, "ABCD")
    questionnaire, _ = convert(FindingModelFull(**make_model(1, name="another name")), "questionnaire")
    with pytest.raises(EditError, match=r"OIFM_TEST_000001 is in the index already, in chest/1\.fm\.json"):
        await import_file(index, tmp_path / "new", questionnaire.encode(), "ABCD")
