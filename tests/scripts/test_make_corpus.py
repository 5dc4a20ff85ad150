"""The synthetic corpus is valid, distinct and the same for the same seed."""

from __future__ import annotations

import doctest
import hashlib
import json
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.model.parse import parse_model
from findingmodel.text.normalize import fold, slug
from scripts import make_corpus
from scripts.make_corpus import LESIONS, MODIFIERS, SITES, generate, main, rare_word

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SEEDS = st.integers(-(2**64), 2**64)
MANY = 3_000


@pytest.fixture(scope="module")
def corpus() -> list[tuple[str, bytes]]:
    return list(generate(MANY))


@pytest.fixture(scope="module")
def models(corpus: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    return [json.loads(content) for _, content in corpus]


def repeated(items: list[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]


def words_of(model: dict[str, Any]) -> set[str]:
    text = " ".join([model["name"], *model.get("synonyms", ()), model["description"]])
    return set(re.findall(r"\w{4,}", fold(text)))


def test_every_model_is_valid(corpus: list[tuple[str, bytes]]) -> None:
    for path, content in corpus:
        _, problems, warnings = parse_model(content)
        assert (problems, warnings) == ((), ()), path


def test_every_file_is_written_canonically(corpus: list[tuple[str, bytes]]) -> None:
    for _, content in corpus:
        text = content.decode("utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_names_ids_and_paths_are_unique(
    corpus: list[tuple[str, bytes]], models: list[dict[str, Any]]
) -> None:
    attributes = [attribute["oifma_id"] for model in models for attribute in model["attributes"]]
    assert repeated([path for path, _ in corpus]) == []
    assert repeated([model["oifm_id"] for model in models]) == []
    assert repeated([fold(model["name"]) for model in models]) == []
    assert repeated(attributes) == []


def test_models_differ_in_more_than_their_names(models: list[dict[str, Any]]) -> None:
    assert len({model["description"] for model in models}) > 0.99 * MANY
    assert len({json.dumps(model["tags"]) for model in models}) > 100
    assert len({tuple(a["name"] for a in model["attributes"]) for model in models}) > 10
    assert {len(model.get("synonyms", ())) for model in models} == {0, 1, 2, 3}


def test_value_codes_are_the_attribute_id_and_a_running_number(models: list[dict[str, Any]]) -> None:
    for model in models:
        for attribute in model["attributes"]:
            codes = [value["value_code"] for value in attribute.get("values", ())]
            assert codes == [f"{attribute['oifma_id']}.{place}" for place in range(len(codes))]


def test_files_are_named_by_slug_at_most_1000_in_a_directory(corpus: list[tuple[str, bytes]]) -> None:
    for path, content in corpus:
        assert path.rpartition("/")[2] == slug(json.loads(content)["name"]) + ".fm.json"
    assert max(Counter(path.rpartition("/")[0] for path, _ in corpus).values()) <= 1_000


def test_files_have_realistic_sizes(corpus: list[tuple[str, bytes]]) -> None:
    sizes = sorted(len(content) for _, content in corpus)
    assert 6_000 < sizes[MANY // 2] < 8_000


def test_the_vocabulary_grows_with_the_number_of_models(models: list[dict[str, Any]]) -> None:
    some, all_words = set[str](), set[str]()
    for model in models[: MANY // 10]:
        some |= words_of(model)
    for model in models:
        all_words |= words_of(model)
    assert len(all_words) > 3_000
    assert 2 * len(some) < len(all_words) < 10 * len(some)


def test_few_words_are_common_and_most_are_rare(models: list[dict[str, Any]]) -> None:
    counts = sorted(Counter(word for model in models for word in words_of(model)).values())
    assert counts[len(counts) // 2] <= 3
    assert counts[-1] > MANY // 20


@given(seed=SEEDS, count=st.integers(1, 20), more=st.integers(0, 20))
def test_the_same_seed_gives_the_same_bytes_and_more_models_only_add(
    seed: int, count: int, more: int
) -> None:
    assert list(generate(count, seed)) == list(islice(generate(count + more, seed), count))


@given(seeds=st.lists(SEEDS, min_size=2, max_size=2, unique=True))
def test_different_seeds_give_different_models(seeds: list[int]) -> None:
    first, second = (list(generate(8, seed)) for seed in seeds)
    assert first != second


@given(seed=SEEDS)
def test_every_seed_gives_valid_and_distinct_models(seed: int) -> None:
    corpus = list(generate(12, seed))
    assert [parse_model(content)[1:] for _, content in corpus] == [((), ())] * 12
    assert repeated([fold(json.loads(content)["name"]) for _, content in corpus]) == []


def test_the_bytes_of_a_seed_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(b"".join(path.encode() + content for path, content in generate(100, 0)))
    assert digest.hexdigest() == "5cd3bc5155ad4f092e0ba9f84eb4f34e27827db746146a73ae3978fa11f2a078"


def test_invented_words_are_distinct_and_not_in_the_tables() -> None:
    invented = [rare_word(rank) for rank in range(50_000)]
    assert repeated(invented) == []
    assert set(invented).isdisjoint([*MODIFIERS, *SITES])
    assert rare_word(10**9) != rare_word(10**9 + 1)


def test_the_tables_repeat_no_word() -> None:
    assert [repeated(table) for table in (MODIFIERS, SITES, LESIONS)] == [[], [], []]


@pytest.mark.parametrize("count", [0, -1, 100_000_001])
def test_an_impossible_number_of_models_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match=r"from 1 to 100,000,000"):
        generate(count)


def test_the_script_writes_what_generate_yields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["25", str(tmp_path / "new" / "corpus"), "--seed", "3"]) == 0
    written = {
        path.relative_to(tmp_path / "new" / "corpus").as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*.json")
    }
    assert written == dict(generate(25, 3))
    assert capsys.readouterr().out.startswith("25 models, ")


def test_a_directory_with_files_is_refused_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    assert main(["2", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert main(["2", str(tmp_path), "--force"]) == 0
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert len(list(tmp_path.rglob("*.fm.json"))) == 2


@pytest.mark.parametrize(
    ("count", "place", "message"),
    [("0", "new", "from 1 to"), ("3", "file", "name a directory"), ("3", "file/below", "file/below")],
)
def test_write_errors_name_the_directory_and_exit_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: str, place: str, message: str
) -> None:
    (tmp_path / "file").write_text("not a directory")
    assert main([count, str(tmp_path / place)]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_bad_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["many", "there"])
    assert stop.value.code == 2
    assert "invalid int value: 'many'" in capsys.readouterr().err


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "example: python scripts/make_corpus.py" in capsys.readouterr().out


def test_the_examples_in_the_docstrings_run() -> None:
    results = doctest.testmod(make_corpus)
    assert results.attempted >= 3
    assert results.failed == 0
