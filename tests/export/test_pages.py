"""Page names: made from the files of the models, unique, and always the same."""

from __future__ import annotations

import re
from itertools import starmap

from hypothesis import example, given
from hypothesis import strategies as st

from findingmodel.export.pages import page_names

IDS = st.from_regex(r"OIFM_(TEST|OIFM|ABC)_00000[0-3]", fullmatch=True)
STEMS = st.one_of(
    st.text(st.sampled_from("aB_é. -\n/0"), max_size=6),
    st.sampled_from(["mass", "Mass", "mass_", "mass_oifm_test_000001", "oifm_test_000001", "__", "脳"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)
FILES = st.dictionaries(IDS, STEMS.map(lambda stem: f"some/where/{stem}.fm.json"), max_size=8)


@given(FILES)
@example({"OIFM_TEST_000001": "mass.fm.json", "OIFM_TEST_000002": "mass_oifm_test_000001.fm.json"})
@example({"OIFM_TEST_000001": "a/mass.fm.json", "OIFM_TEST_000002": "b/MASS.fm.json"})
def test_every_model_has_a_unique_page_name_valid_on_any_file_system(files: dict[str, str]) -> None:
    names = page_names(files.items())
    assert names.keys() == files.keys()
    assert len(set(names.values())) == len(files)
    assert all(re.fullmatch(r"[a-z0-9_]{1,250}", name) for name in names.values())


@given(FILES, st.randoms(use_true_random=False))
def test_the_order_of_files_makes_no_difference(files: dict[str, str], random: object) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert page_names(shuffled) == page_names(files.items())


@given(FILES)
def test_another_model_changes_a_page_name_only_if_its_file_has_the_same_name(files: dict[str, str]) -> None:
    before = page_names(files.items())
    after = page_names([*files.items(), ("OIFM_MORE_000009", "something_else.fm.json")])
    assert before.items() <= after.items()


def test_the_page_name_is_that_of_the_file() -> None:
    files = {
        "OIFM_T_1": "defs/phalanx__digit__or_foot_.fm.json",
        "OIFM_T_2": "Ménière's disease.fm.json",
        "OIFM_T_3": "a/mass.fm.json",
        "OIFM_T_4": "b/mass.fm.json",
    }
    assert page_names(files.items()) == {
        "OIFM_T_1": "phalanx__digit__or_foot_",
        "OIFM_T_2": "meniere_s_disease",
        "OIFM_T_3": "mass_oifm_t_3",
        "OIFM_T_4": "mass_oifm_t_4",
    }


@given(st.integers(1, 60))
def test_long_names_are_cut_and_stay_unique(count: int) -> None:
    files = starmap("OIFM_TEST_{:06d} {}".format, enumerate(["x" * 240] * count))
    names = page_names((file.partition(" ")[0], file.partition(" ")[2] + ".fm.json") for file in files)
    assert len(set(names.values())) == count
    assert max(map(len, names.values())) <= 250
