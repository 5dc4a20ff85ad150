"""The answers of the tools, and the errors that help an agent to ask again."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError

from findingmodel import FindingModelFull, Index
from findingmodel.agents.budget import count_tokens
from findingmodel.agents.server import make_server
from tests.agents.serving import SAMPLES, ask, call, refused, text_of
from tests.builders import make_choice, make_model, write_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

EMBOLISM = "OIFM_SMPL_000001"
UNTIDY = make_model(9, name="Pneumo Thoraces  ", synonyms=["PTX", "MS"], tags=["CT", "ct"])
PREFIX = "Error executing tool {}: "


@contextlib.asynccontextmanager
async def asking(url: str) -> AsyncIterator[Client]:
    """Yield the SDK's client, connected to a server in this process."""
    async with Index(url) as index, Client(make_server(index)) as client:
        yield client


@contextlib.asynccontextmanager
async def asking_about(directory: Path) -> AsyncIterator[Client]:
    """Do the same as `asking`, with an index of the models below *directory*."""
    async with Index("sqlite://") as index:
        report = await index.update_from_directory(directory)
        assert report.ok, report.failed
        async with Client(make_server(index)) as client:
            yield client


async def test_every_tool_is_described_and_read_only(samples: str) -> None:
    async with asking(samples) as client:
        tools = (await client.list_tools()).tools
        instructions = client.instructions
    names = [
        "search_finding_models",
        "get_finding_model",
        "read_report",
        "resolve_report_phrases",
        "list_tags",
        "index_stats",
        "find_collisions",
        "find_duplicates",
        "review_finding_model",
    ]
    assert [tool.name for tool in tools] == names
    for tool in tools:
        assert tool.title
        assert tool.description
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        for name, argument in tool.input_schema["properties"].items():
            assert "description" in argument or name == "limit", (tool.name, name)
        assert "\n    " not in tool.description, "an agent would pay for the indentation"
    assert instructions is not None
    assert all(name in instructions for name in names[:4])


async def test_the_text_of_an_answer_is_its_data_in_one_line(samples: str) -> None:
    async with asking(samples) as client:
        result = await call(client, "search_finding_models", query="lung", limit=3)
    text = text_of(result)
    assert json.loads(text) == result.structured_content
    assert "\n" not in text
    assert text == json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))


async def test_search_returns_what_distinguishes_models(samples: str) -> None:
    async with asking(samples) as client:
        answer = await ask(client, "search_finding_models", query="clot in lung artery", limit=2)
        exact = await ask(client, "search_finding_models", query="pe", limit=1)
    best, other = answer["models"]
    assert best["oifm_id"] == EMBOLISM
    assert best.keys() == {
        "oifm_id",
        "name",
        "score",
        "found_by",
        "synonyms",
        "tags",
        "description",
        "attributes",
    }
    assert "presence" in best["attributes"]
    assert best["score"] > other["score"]
    assert exact["models"][0]["exact"]
    assert exact["models"][0]["score"] >= 1
    assert "left_out" not in answer


async def test_a_search_without_hits_gives_a_hint(samples: str) -> None:
    async with asking(samples) as client:
        answer = await ask(client, "search_finding_models", query="xyzzy")
    assert answer == {"models": [], "hint": "Nothing found: try fewer or other words, or fewer tags."}


@pytest.mark.parametrize("tool", ["search_finding_models", "resolve_report_phrases"])
async def test_an_unknown_tag_is_answered_with_the_nearest(samples: str, tool: str) -> None:
    asked: dict[str, Any] = {"query": "nodule"} if tool.startswith("search") else {"phrases": ["nodule"]}
    async with asking(samples) as client:
        message = await refused(client, tool, **asked, tags=["CT", "x-ray"])
    expected = "no model has the tag 'x-ray'; nearest are 'XR'. list_tags shows all tags"
    assert message == PREFIX.format(tool) + expected


async def test_a_tag_within_a_query_is_checked_too(samples: str) -> None:
    async with asking(samples) as client:
        message = await refused(client, "search_finding_models", query="nodule tag:chset")
    assert "no model has the tag 'chset'; nearest are 'chest'" in message


async def test_an_invalid_filter_is_an_error_message(samples: str) -> None:
    async with asking(samples) as client:
        message = await refused(client, "search_finding_models", query="nodule code:colour")
    assert message.startswith(PREFIX.format("search_finding_models"))
    assert "colour" in message


@pytest.mark.parametrize(
    "key", [EMBOLISM, EMBOLISM.lower(), "PE", "pulmonary_embolism", "Pulmonary  Embolism"]
)
async def test_a_model_is_found_by_any_of_its_keys(samples: str, key: str) -> None:
    path = SAMPLES / "chest" / "pulmonary_embolism.fm.json"
    async with asking(samples) as client:
        answer = await ask(client, "get_finding_model", id_or_name=key)
        page = await ask(client, "get_finding_model", id_or_name=key, markdown=True)
    assert (answer["oifm_id"], answer["name"]) == (EMBOLISM, "Pulmonary embolism")
    assert answer["model"] == json.loads(path.read_bytes())
    assert page["markdown"] == FindingModelFull.model_validate_json(path.read_bytes()).as_markdown()
    assert "model" not in page


async def test_other_models_with_the_same_name_are_listed(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path, f"{number}.fm.json", number, synonyms=["MS"])
    async with asking_about(tmp_path) as client:
        answer = await ask(client, "get_finding_model", id_or_name="ms")
    assert answer["oifm_id"] == "OIFM_TEST_000001"
    assert answer["hint"].startswith("2 more with this name: OIFM_TEST_000002 (pulmonary nodule of type 2), ")


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("pneumothrax", "OIFM_SMPL_000002 (Pneumothorax)"),
        ("OIFM_SMPL_00002", "OIFM_SMPL_000002 (Pneumothorax)"),
        ("oifm_smpl_2", "OIFM_SMPL_000002 (Pneumothorax)"),
        ("OIFM_SMLP_000002", "OIFM_SMPL_000002 (Pneumothorax)"),
        ("OIFM_DEMO_000002", "OIFM_SMPL_000002 (Pneumothorax)"),
        ("OIFM_SMPL_0000021", "OIFM_SMPL_000021"),
        ("OIFM_SMPL_000200", "OIFM_SMPL_000020"),
        ("clots in the lung", "OIFM_SMPL_000001 (Pulmonary embolism)"),
    ],
)
async def test_an_unknown_id_or_name_is_answered_with_the_nearest(
    samples: str, key: str, nearest: str
) -> None:
    async with asking(samples) as client:
        message = await refused(client, "get_finding_model", id_or_name=key)
    assert f"no model has the id, name or synonym '{key}'; nearest are {nearest}" in message
    assert "search_finding_models finds models by other words" in message


async def test_the_id_of_an_attribute_leads_to_its_model(samples: str) -> None:
    async with asking(samples) as client:
        message = await refused(client, "get_finding_model", id_or_name="oifma_smpl_000007")
    fact = "OIFMA_SMPL_000007 is not a model but an attribute of OIFM_SMPL_000002"
    assert (
        message == f"{PREFIX.format('get_finding_model')}{fact}. get_finding_model OIFM_SMPL_000002 shows it"
    )


async def test_a_name_without_similar_names_is_an_error_message(samples: str) -> None:
    async with asking(samples) as client:
        assert "nearest" not in await refused(client, "get_finding_model", id_or_name="-tag:CT")
        assert "that was asked for" in await refused(client, "get_finding_model", id_or_name="q" * 900)


async def test_phrases_are_resolved_in_order_with_repetitions(samples: str) -> None:
    phrases = ["no pneumothorax", "xyzzy", "PE", "no pneumothorax", "", "tag:", "mass"]
    async with asking(samples) as client:
        answer = (await ask(client, "resolve_report_phrases", phrases=phrases))["resolutions"]
    assert [one["phrase"] for one in answer] == phrases
    assert answer[0] == answer[3]
    assert answer[0]["matches"][0]["denied"]
    assert answer[0]["clear"]
    assert answer[1] == {"phrase": "xyzzy", "matches": []}
    assert [match["name"] for match in answer[2]["matches"]] == [
        "Pulmonary embolism"
    ]  # exact matches exclude others
    assert answer[2]["clear"]
    assert answer[4]["matches"] == []
    assert len(answer[6]["matches"]) == 3
    assert not answer[6].get("clear")


REPORT = "No pneumothorax. A 4 mm left pleural effusion, unchanged. Heart size is normal."


async def test_a_report_is_read_with_certainty_models_and_attributes(samples: str) -> None:
    async with asking(samples) as client:
        answer = await ask(client, "read_report", text=REPORT)
    absent, present = answer["findings"]
    assert (absent["certainty"], absent["cue"], absent["matches"][0]["name"]) == (
        "absent",
        "No",
        "Pneumothorax",
    )
    assert (present["laterality"], present["change"], present["measurements"]) == (
        "left",
        "unchanged",
        ["4 mm"],
    )
    assert answer["normal"] == ["Heart size is normal"]
    assert REPORT[present["start"] :].startswith(present["text"])


async def test_a_report_without_findings_is_an_empty_list(samples: str) -> None:
    async with asking(samples) as client:
        assert (await ask(client, "read_report", text="Unremarkable."))["findings"] == []
        assert "at least 1 character" in await refused(client, "read_report", text="")


async def test_a_phrase_that_names_one_finding_has_its_certainty(samples: str) -> None:
    phrases = ["possible left pneumothorax", "no pneumothorax"]
    async with asking(samples) as client:
        answer = (await ask(client, "resolve_report_phrases", phrases=phrases))["resolutions"]
    assert [one["certainty"] for one in answer] == ["possible", "absent"]
    assert {one["matches"][0]["name"] for one in answer} == {"Pneumothorax"}


async def test_an_invalid_phrase_does_not_stop_the_others(samples: str) -> None:
    async with asking(samples) as client:
        phrases = ["code:colour", "PE"]
        answer = (await ask(client, "resolve_report_phrases", phrases=phrases))["resolutions"]
    assert "colour" in answer[0]["error"]
    assert answer[1]["matches"][0]["oifm_id"] == EMBOLISM


async def test_tags_are_listed_most_frequent_first(samples: str) -> None:
    async with asking(samples) as client:
        every = await ask(client, "list_tags", limit=1_000)
        some = await ask(client, "list_tags", containing="CHE")
    assert every["total"] == len(every["tags"])
    counts = [tag["models"] for tag in every["tags"]]
    assert counts == sorted(counts, reverse=True)
    assert {"tag": "chest", "models": 8} in some["tags"]
    assert all("che" in tag["tag"].casefold() for tag in some["tags"])


async def test_an_empty_index_gives_a_hint_to_fill_it(tmp_path: Path) -> None:
    async with asking("sqlite://") as client:
        stats = await ask(client, "index_stats")
        found = await ask(client, "search_finding_models", query="nodule")
        resolved = await ask(client, "resolve_report_phrases", phrases=["nodule"])
        message = await refused(client, "get_finding_model", id_or_name="nodule")
    assert stats["models"] == 0
    for hint in (stats["hint"], found["hint"], resolved["hint"], message):
        assert "findingmodel index update DIR" in hint


async def test_errors_of_arguments_state_what_is_allowed(samples: str) -> None:
    async with asking(samples) as client:
        assert "less than or equal to 50" in await refused(
            client, "search_finding_models", query="x", limit=51
        )
        assert "at least 1 item" in await refused(client, "resolve_report_phrases", phrases=[])
        message = await refused(client, "list_tags", max_tokens=1)
    assert message == PREFIX.format("list_tags") + "max_tokens: Input should be greater than or equal to 300"


async def test_an_unknown_argument_is_refused(samples: str) -> None:
    async with asking(samples) as client:
        message = await refused(client, "search_finding_models", query="nodule", tag=["CT"])
        assert message == (
            PREFIX.format("search_finding_models")
            + "search_finding_models has no argument 'tag'; it has query, limit, tags, max_tokens"
        )
        assert (await refused(client, "index_stats", all=True)).endswith("'all'; it takes none")
        assert "unknown tool" in (await refused(client, "find", query="nodule")).lower()


async def test_resources_are_whole_models(samples: str) -> None:
    async with asking(samples) as client:
        templates = (await client.list_resource_templates()).resource_templates
        page = (await client.read_resource(f"findingmodel://models/{EMBOLISM}.md")).contents[0]
        with pytest.raises(MCPError, match=r"nearest are OIFM_SMPL_000001 \(Pulmonary embolism\)"):
            await client.read_resource("findingmodel://models/OIFM_SMPL_00001.json")
        document = (await client.read_resource(f"findingmodel://models/{EMBOLISM}.json")).contents[0]
        with pytest.raises(MCPError):
            await client.read_resource("findingmodel://models/..%2F..%2Fetc%2Fpasswd.json")
    assert [(one.uri_template, one.mime_type) for one in templates] == [
        ("findingmodel://models/{oifm_id}.json", "application/json"),
        ("findingmodel://models/{oifm_id}.md", "text/markdown"),
    ]
    assert page.mime_type == "text/markdown"
    path = SAMPLES / "chest" / "pulmonary_embolism.fm.json"
    assert json.loads(document.text) == json.loads(path.read_bytes())
    assert page.text.startswith(f"# Pulmonary embolism—`{EMBOLISM}`\n")


async def test_names_cannot_inject_markdown(tmp_path: Path) -> None:
    write_model(
        tmp_path, "1.fm.json", 1, name='x"}],"left_out":"<b>\u202e</b>\n# heading', unheard_of={"$x": 2**70}
    )
    async with asking_about(tmp_path) as client:
        answer = await ask(client, "get_finding_model", id_or_name="OIFM_TEST_000001")
        page = await ask(client, "get_finding_model", id_or_name="OIFM_TEST_000001", markdown=True)
    assert answer["model"]["unheard_of"] == {"$x": 2**70}
    assert answer["name"].startswith('x"}],"left_out"')
    assert "<b>" not in page["markdown"]
    assert "\n# heading" not in page["markdown"]


# budgets

BUDGETS = st.integers(300, 9_000)
WORDS = st.lists(
    st.sampled_from(["lung", "nodule", "no effusion", "PE", "fracture", "MS", "Ménière"]), min_size=1
)


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    budget=BUDGETS,
    words=WORDS,
    key=st.sampled_from(["PE", "pneumothorax", "OIFM_SMPL_000039", "breast mass"]),
)
async def test_no_answer_is_longer_than_its_budget(
    samples: str, budget: int, words: list[str], key: str
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("search_finding_models", {"query": " ".join(words[:3]), "limit": 50}),
        ("resolve_report_phrases", {"phrases": (words * 20)[:200]}),
        ("read_report", {"text": ". ".join([REPORT, *words])}),
        ("get_finding_model", {"id_or_name": key}),
        ("get_finding_model", {"id_or_name": key, "markdown": True}),
        ("list_tags", {"limit": 1_000}),
        ("find_collisions", {"terms": ["MS", "PTX", "adenoma", *words[:5]]}),
        ("find_duplicates", {"limit": 200}),
        ("find_duplicates", {"id_or_name": "nothing of the sort"}),
        ("review_finding_model", {"model": UNTIDY}),
        ("get_finding_model", {"id_or_name": f"{key} x"}),
        ("search_finding_models", {"query": "lung", "tags": ["che"]}),
    ]
    async with asking(samples) as client:
        for tool, arguments in asked:
            cut = await call(client, tool, **arguments, max_tokens=budget)
            whole = await call(client, tool, **arguments, max_tokens=200_000)
            assert count_tokens(text_of(cut).removeprefix(PREFIX.format(tool))) <= budget
            if cut.is_error:
                assert whole.is_error or f"max_tokens is {budget}, but the shortest answer needs" in text_of(
                    cut
                )
            else:
                assert cut.structured_content is not None
                assert whole.structured_content is not None
                check_cut(tool, cut.structured_content, whole.structured_content)


def check_cut(tool: str, cut: dict[str, Any], whole: dict[str, Any]) -> None:
    """Check that entries are whole, then short, then missing, and that the answer states what is missing."""
    assert ("left_out" in cut) == ({**cut, "left_out": ""} != {**whole, "left_out": ""})
    assert "left_out" not in whole
    if cut.get("markdown"):
        kept = iter(whole["markdown"].split("\n\n"))
        assert all(block in kept for block in cut["markdown"].split("\n\n"))  # in order, none cut
        return
    short, full = entries_of(tool, cut), entries_of(tool, whole)
    assert len(short) <= len(full)
    equal = [mine == theirs for mine, theirs in zip(short, full, strict=False)]
    assert equal == sorted(equal, reverse=True) or tool in (
        "resolve_report_phrases",
        "find_collisions",
        "read_report",
    )  # where some entries are always short
    for mine, theirs in zip(short, full, strict=False):
        if tool == "find_collisions":
            assert mine.get("models", [])[:1] == theirs.get("models", [])[:1]
        elif tool == "read_report":
            assert (mine["start"], mine["certainty"]) == (theirs["start"], theirs["certainty"])
        elif tool != "resolve_report_phrases":
            assert mine.items() <= theirs.items()
        else:
            assert mine["matches"] in (theirs["matches"], theirs["matches"][:1])


def entries_of(tool: str, answer: dict[str, Any]) -> list[dict[str, Any]]:
    if tool == "review_finding_model":
        return [*({"finding": text} for text in answer["findings"]), *answer.get("collisions", ())]
    if tool == "get_finding_model":
        entries: list[dict[str, Any]] = answer["model"]["attributes"]
        return entries
    names = {
        "search_finding_models": "models",
        "resolve_report_phrases": "resolutions",
        "list_tags": "tags",
        "find_collisions": "terms",
        "find_duplicates": "pairs",
        "read_report": "findings",
    }
    found: list[dict[str, Any]] = answer[names[tool]]
    return found


async def test_an_answer_states_what_was_left_out(samples: str) -> None:
    async with asking(samples) as client:
        found = await ask(client, "search_finding_models", query="lung", limit=5, max_tokens=500)
        model = await ask(client, "get_finding_model", id_or_name="PE", max_tokens=2_000)
        little = await ask(client, "get_finding_model", id_or_name="PE", max_tokens=600)
    kept = len(found["models"])
    whole = len([one for one in found["models"] if "attributes" in one])
    assert found["left_out"] == (
        f"Left out: the last {5 - kept} of 5 models; shortened: the {kept - whole} before. "
        "Allow more max_tokens, or ask for less."
    )
    assert model["left_out"] == (
        "Left out: contributors. Shortened: the last 5 of 6 attributes. "
        "Allow more max_tokens, or ask for less."
    )
    assert "contributors" not in model["model"]
    assert model["model"]["attributes"][0]["values"]
    assert little["model"]["attributes"][0] == {
        "oifma_id": "OIFMA_SMPL_000001",
        "name": "presence",
        "type": "choice",
    }
    assert little["left_out"].startswith("Left out: synonyms, tags, contributors, index_codes. Left out: ")


async def test_a_model_beyond_the_budget_states_how_much_it_needs(tmp_path: Path) -> None:
    write_model(tmp_path, "1.fm.json", 1, name="n" * 5_000, synonyms=["long"])
    async with asking_about(tmp_path) as client:
        message = await refused(client, "get_finding_model", id_or_name="long", max_tokens=1_000)
        needed = int(message.partition("needs ")[2].partition(":")[0])
        await refused(client, "get_finding_model", id_or_name="long", max_tokens=needed - 1)
        assert (await ask(client, "get_finding_model", id_or_name="long", max_tokens=needed))["name"]
        nearest = await refused(client, "get_finding_model", id_or_name="OIFM_TEST_00001", max_tokens=300)
    assert "nearest" not in nearest  # its name alone exceeds the budget


async def test_left_out_fields_and_namesakes_are_listed(tmp_path: Path) -> None:
    write_model(tmp_path, "1.fm.json", 1, synonyms=["MS"], unheard_of="x" * 1_000)
    write_model(tmp_path, "2.fm.json", 2, synonyms=["MS"])
    async with asking_about(tmp_path) as client:
        answer = await ask(client, "get_finding_model", id_or_name="ms", max_tokens=700)
        most = await ask(client, "get_finding_model", id_or_name="ms", max_tokens=1_700)
    gone = "synonyms, tags, contributors, index_codes, unheard_of, other models with this name"
    assert answer["left_out"].startswith(f"Left out: {gone}. ")
    assert "hint" not in answer
    assert most["left_out"].startswith("Left out: contributors. ")
    assert most["hint"].startswith("1 more with this name: ")


async def test_a_model_of_many_attributes_keeps_the_first_whole(tmp_path: Path) -> None:
    attributes = [make_choice(number, name=f"attribute {number}") for number in range(10, 60)]
    write_model(tmp_path, "1.fm.json", 1, attributes=attributes)
    async with asking_about(tmp_path) as client:
        answer = await ask(client, "get_finding_model", id_or_name="OIFM_TEST_000001", max_tokens=6_000)
        page = await ask(
            client, "get_finding_model", id_or_name="OIFM_TEST_000001", markdown=True, max_tokens=6_000
        )
    kept = answer["model"]["attributes"]
    assert kept[0] == make_model(1, attributes=attributes)["attributes"][0]
    assert kept[-1].keys() == {"oifma_id", "name", "type"}
    assert len(kept) == 50
    assert 0 < page["markdown"].count("\n### ") < 50


async def test_names_are_checked_before_they_are_given(samples: str) -> None:
    async with asking(samples) as client:
        answer = await ask(client, "find_collisions", terms=["PTX", "follicular cyst", "xyzzy"])
        own = await ask(client, "find_collisions", terms=["PTX"], but="pneumothorax")
        message = await refused(client, "find_collisions", terms=["PTX"], but="pneumothroax")
    taken, other, free = answer["terms"]
    assert (taken["verdict"], taken["models"][0]["name"]) == ("synonym", "Pneumothorax")
    assert (other["verdict"], other["meanings"]) == ("organs", ["ovary", "jaw", "skin"])
    assert free == {"term": "xyzzy", "verdict": "free"}
    assert own["terms"][0]["verdict"] == "free"
    assert "OIFM_SMPL_000002" in message


async def test_duplicates_are_found_for_all_or_for_one(tmp_path: Path) -> None:
    for number, name in enumerate(["pleural plaque", "pleural plaques", "bone island", "bone islands"], 1):
        write_model(tmp_path, f"m{number}.fm.json", number, name=name, synonyms=..., index_codes=...)
    async with asking_about(tmp_path) as client:
        every = (await ask(client, "find_duplicates"))["pairs"]
        (pair,) = (await ask(client, "find_duplicates", id_or_name="bone island"))["pairs"]
    assert len(every) == 2
    assert [model["name"] for model in pair["models"]] == ["bone island", "bone islands"]
    assert pair["reasons"] == ["name: bone island / bone islands"]


async def test_a_draft_is_reviewed(samples: str) -> None:
    async with asking(samples) as client:
        answer = await ask(client, "review_finding_model", model=UNTIDY)
        broken = await ask(client, "review_finding_model", model={"name": "x", "descripton": "y"})
    assert answer["valid"]
    assert any(text.endswith("[spaces]") and "/name" in text for text in answer["findings"])
    assert any(text.endswith("[repeated-tag]") for text in answer["findings"])
    verdicts = {one["term"]: one["verdict"] for one in answer["collisions"]}
    assert (verdicts["PTX"], verdicts["MS"]) == ("synonym", "ambiguous")
    assert not broken["valid"]
    assert any(text.startswith("error /name: must have at least 5 characters") for text in broken["findings"])
    assert any("[misspelt-field]" in text for text in broken["findings"])
