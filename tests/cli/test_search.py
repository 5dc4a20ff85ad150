"""``search``: options, filters, explanations and the cache file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel import QueryError
from findingmodel.cli.hints import FILTERS
from findingmodel.text.query import parse_query
from tests.cli.commands import COUNT, SAMPLES, answer, run
from tests.servers import running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("db")
def test_pages_follow_each_other() -> None:
    whole = answer("search", "left", "--limit", 4)
    assert [
        *answer("search", "left", "--limit", 2),
        *answer("search", "left", "--limit", 2, "--offset", 2),
    ] == whole
    assert "from hit 1001 on" in run("search", "mass", "--offset", 1000).stderr


@pytest.mark.usefixtures("db")
def test_explain_shows_the_parts_of_a_score_below_each_hit() -> None:
    lines = [
        line.split("\t")
        for line in run("search", "breast mas", "--explain", "--limit", 1).stdout.splitlines()
    ]
    (hit,) = answer("search", "breast mas", "--limit", 1)
    assert lines[0][:2] == [hit["oifm_id"], "Breast mass"]
    assert [line[3] for line in lines[1:]] == [
        f"{match['stage']}, {match['field']}: {', '.join(match['terms'])}" for match in hit["matched"]
    ]
    assert sum(float(line[2]) for line in lines[1:]) == pytest.approx(hit["score"], abs=0.01)


@pytest.mark.usefixtures("db")
def test_facets_count_the_tags_of_all_hits() -> None:
    counts = answer("search", "mass", "--facets")
    hits = answer("search", "mass", "--limit", 100)
    likely = [hit for hit in hits if hit["score"] >= 0.05]
    assert counts == {tag: sum(tag in hit["tags"] for hit in likely) for tag in counts}
    assert f"MR\t{counts['MR']}\n" in run("search", "mass", "--facets").stdout


@pytest.mark.usefixtures("db")
def test_facets_of_a_filter_count_every_matching_model() -> None:
    models = answer("index", "list", "--limit", 1_000)
    by_ct = [model for model in models if "CT" in model["tags"]]
    assert len(by_ct) > 10
    assert answer("search", "tag:CT", "--facets")["CT"] == len(by_ct)


@pytest.mark.usefixtures("db")
def test_the_query_may_contain_filters() -> None:
    hits = answer("search", "modality:mammography contributor:SMPL attribute:numeric")
    assert {hit["oifm_id"] for hit in hits} == {"OIFM_SMPL_000036", "OIFM_SMPL_000037"}


@pytest.mark.usefixtures("db")
def test_a_denied_finding_is_marked() -> None:
    assert "(denied)" in run("search", "No pneumothorax.").stdout


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing QUERY or --batch FILE."),
        (["x", "--resume"], "--resume requires --batch."),
        (["x", "--column", "y"], "--column requires --batch."),
        (["tag:"], "tag: needs a value"),
        (["code:RID1"], "does not name a system"),
        (["--", "-"], "nothing to search for"),
    ],
)
def test_conflicting_options_are_bad_usage(arguments: list[str], message: str) -> None:
    result = run("search", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


# codes

LEFT = "code:radlex:RID5824"


@pytest.mark.usefixtures("db")
def test_a_code_finds_models_and_shows_its_places() -> None:
    hits = answer("search", LEFT, "--limit", 100)
    assert len(hits) > 3
    for hit in hits:
        (match,) = hit["matched"]
        assert (match["stage"], match["field"]) == ("filter", "code")
        assert match["terms"][0] == "value"
        assert match["terms"][2] == "left"


# a cache behind the process


@pytest.mark.mongo
def test_a_cache_file_answers_repeated_searches_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cache" / "answers.db"
    with running("nx") as server:
        monkeypatch.setenv("MONGODB_URI", server.url("findings"))
        run("index", "update", SAMPLES / "chest")
        fresh = answer("search", "big nodule")
        assert not file.exists()
        monkeypatch.setenv("FINDINGMODEL_CACHE_FILE", str(file))
        assert answer("search", "big nodule") == fresh
        kept = file.read_bytes()
        assert answer("search", "big nodule") == fresh
        assert answer("search", "big nodule", "--no-cache") == fresh
        assert file.read_bytes() == kept
        run("index", "update", SAMPLES / "breast", "--force")
        assert [hit["oifm_id"] for hit in answer("search", "breast nodule")][:1] == ["OIFM_SMPL_000037"]
        assert answer("search", "big nodule") != fresh


def test_an_empty_index_is_distinguished_from_a_query_without_hits(tmp_path: Path, db: Path) -> None:
    empty = tmp_path / "empty.db"
    source = tmp_path / "q.txt"
    source.write_text("xyzzy\n")
    for command in (["search", "xyzzy"], ["search", "--batch", source]):
        assert "make one with findingmodel index update DIR" in run(*command, "--db", empty).stderr
        assert "there is no index" not in run(*command, "--db", db).stderr
    assert not empty.exists()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nodule", "--tag", "chset"], ": no model has the tag 'chset'; nearest: chest"),
        (["nodule tag:qqqqq"], ": no model has the tag 'qqqqq'\n"),
        (["nodule", "--tag", "knee", "--tag", "breast"], "'nodule'\n"),
        (["xyzzy"], "'xyzzy'\n"),
    ],
)
def test_an_unknown_tag_is_reported_if_nothing_is_found(arguments: list[str], why: str) -> None:
    result = run("search", *arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert why in result.stderr


@pytest.mark.usefixtures("db")
def test_a_hit_has_the_fields_of_its_entry_and_the_reasons() -> None:
    hits = answer("search", "Breast mass")
    (entry,) = answer("index", "get", "Breast mass")
    assert hits[0] == hits[0] | entry
    assert hits[0]["score"] >= hits[-1]["score"] > 0
    assert hits[0]["matched"]


@pytest.mark.usefixtures("db")
def test_search_without_a_hit_is_an_empty_list_and_exit_0() -> None:
    assert answer("search", "zzzzqqqq") == []
    result = run("search", "zzzzqqqq")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing found" in result.stderr


@pytest.mark.usefixtures("db")
def test_search_respects_limit_and_tags() -> None:
    assert len(answer("search", "nodule", "--limit", 2)) == 2
    assert all("breast" in hit["tags"] for hit in answer("search", "mass", "--tag", "breast"))


@pytest.mark.usefixtures("db")
def test_search_in_a_pipe_is_tab_separated() -> None:
    lines = run("search", "mass").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [hit["oifm_id"] for hit in answer("search", "mass")]
    assert {len(line.split("\t")) for line in lines} == {4}


@pytest.mark.usefixtures("db")
def test_explain_shows_the_stage_of_each_reason() -> None:
    lines = run("search", "clot in lung artery", "--explain", "--limit", 1).stdout.splitlines()
    assert len(lines) > 1
    assert any(line.split("\t")[-1].startswith("meaning, ") for line in lines[1:])


@pytest.mark.usefixtures("db")
def test_several_words_are_one_query() -> None:
    assert answer("search", "pulmonary", "embolism") == answer("search", "pulmonary embolism")
    excluding = run("search", "--", "nodule", "-thyroid").stdout
    assert excluding == run("search", "--", "nodule -thyroid").stdout
    assert "Breast mass" in excluding
    assert "Thyroid" not in excluding


@pytest.mark.usefixtures("db")
def test_a_word_with_a_dash_is_explained() -> None:
    result = run("search", "nodule", "-thyroid", "--json")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: -thyroid is not an option. To exclude a word, put -- before the query: "
        "cli search -- nodule -thyroid\n"
    )


def test_an_empty_branch_names_the_branches_that_are_not(samples: str) -> None:
    hint = f"; there are models in main ({COUNT}): select a branch with --branch\n"
    for command in (["search", "x"], ["index", "list"], ["index", "get", "x"], ["search", "x", "--facets"]):
        assert run(*command, "--branch", "draft").stderr.endswith(hint)


def test_a_file_that_does_not_exist_is_not_an_empty_index(tmp_path: Path) -> None:
    for command in (["search", "x"], ["index", "list"], ["index", "stats"], ["index", "branches"]):
        message = run(*command, "--db", tmp_path / "typo.db").stderr
        assert message.endswith(
            f"there is no index sqlite:///{tmp_path}/typo.db: check the path, or make one with "
            "findingmodel index update DIR\n"
        )
    assert not (tmp_path / "typo.db").exists()


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("attribute:zzz", "attributes are choice or numeric, not 'zzz'"),
        ("contributor:smp", "no model names the contributor 'smp'; nearest: SMPL"),
        ("tag:chset", "no model has the tag 'chset'; nearest: chest, CT, PET"),
        ("foo:bar", f"foo: is not a filter; the filters are {', '.join(FILTERS)}"),
        ("code:RADLEX:RID0", "no model has the code RADLEX:RID0"),
    ],
)
def test_a_filter_that_matches_no_model_is_named(samples: str, query: str, hint: str) -> None:
    result = run("search", query)
    assert (result.exit_code, result.stderr) == (0, f"nothing found for {query!r}: {hint}\n")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("query", ["https://example.org/zzz", "qqq -zzz: x"])
def test_what_only_looks_like_a_filter_is_not_blamed(query: str) -> None:
    assert run("search", "--", query).stderr == f"nothing found for {query!r}\n"


def test_the_listed_filters_are_those_of_queries() -> None:
    for name in FILTERS:
        with pytest.raises(QueryError, match=f"{name}: needs a value"):
            parse_query(f'{name}:""')
