"""Finding models as Markdown: complete, readable, and without markup from their texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from findingmodel import FindingModelBase, FindingModelFull, to_markdown
from findingmodel.render.markdown import escape_destination, escape_paragraph, escape_text
from tests.builders import make_choice, make_model, make_number, make_organization, make_person

COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"])
NASTY = st.text(st.sampled_from("ab1 \n\t\\`*_{}[]()<>#+-.!|~&;:\"'/=$@\x00\x1b\u2028é"), max_size=30)


def page(**changes: Any) -> str:
    return FindingModelFull(**make_model(**changes)).as_markdown()


def shown(markdown: str) -> tuple[list[str], str]:
    """The kinds of markup in *markdown*, and its visible text."""
    kinds, text = [], []
    for block in COMMONMARK.parse(markdown):
        kinds.append(block.type)
        for token in block.children or ():
            if token.type not in ("text", "text_special"):
                kinds.append(token.type)
            text.append(token.content)
    return kinds, "".join(text)


def visible(text: str) -> str:
    """*text* as a page shows it: without control characters, with single spaces."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def test_the_page_of_a_model() -> None:
    choice = make_choice(
        index_codes=[{"system": "RADLEX", "code": "RID5972", "display": "margin"}], max_selected=2
    )
    model = make_model(attributes=[choice, make_number()], contributors=[make_person(), make_organization()])
    assert (
        FindingModelFull(**model).as_markdown()
        == """\
# Pulmonary nodule of type 1—`OIFM_TEST_000001`

**Synonyms:** lung nodule of type 1, PN1

**Tags:** CT, chest

A rounded opacity in the lung, at most three centimetres across.

**Codes:** RADLEX RID50149 pulmonary nodule

## Attributes

### Margin—`OIFMA_TEST_000010`

How the edge of the nodule looks$
**Codes**: RADLEX RID5972 margin$
*(Select up to 2)*

- **smooth**$
- **lobulated**: with shallow waves$
- **spiculated**$
_RADLEX RID5713 spiculated margin_

### Diameter—`OIFMA_TEST_000011`

Minimum: 0$
Maximum: 30.5$
Unit: mm$
*(Required)*

---

**Contributors**

- [Test Reader](https://example.org/reader) (TEST), reader@example.org
- [Test Radiology Group](https://example.org/) (TEST)""".replace("$", "  ")
    )


def test_ids_can_be_hidden_and_codes_stay() -> None:
    text = FindingModelFull(**make_model()).as_markdown(hide_ids=True)
    assert "OIFM" not in text
    assert "RID50149" in text
    assert text == to_markdown(FindingModelFull(**make_model()), hide_ids=True)


def test_a_draft_has_no_ids_and_no_contributors() -> None:
    draft = FindingModelBase.model_validate(
        {
            "name": "pH change",
            "description": "A change of acidity.",
            "attributes": [{"name": "pH value", "type": "numeric"}],
        }
    )
    assert draft.as_markdown() == (
        "# pH change\n\nA change of acidity.\n\n## Attributes\n\n### pH value\n\n*(A number)*"
    )


@pytest.mark.parametrize(
    ("changes", "shown_range"),
    [
        ({"minimum": 1, "maximum": 9}, "Minimum: 1  \nMaximum: 9  \nUnit: mm"),
        ({"minimum": 1, "maximum": None}, "Minimum: 1  \nUnit: mm"),
        ({"minimum": None, "maximum": 0}, "Maximum: 0  \nUnit: mm"),
        ({"minimum": None, "maximum": None}, "Unit: mm"),
        ({"minimum": None, "maximum": None, "unit": None}, "*(A number)*"),
    ],
)
def test_the_range_of_a_number_is_shown(changes: dict[str, Any], shown_range: str) -> None:
    assert f"\n\n{shown_range}  \n*(Required)*" in page(attributes=[make_number(description=None, **changes)])


@pytest.mark.parametrize(("count", "limit"), [(1, "one"), (2, "up to 2"), (3, "up to 3")])
def test_the_maximum_number_of_chosen_values_is_shown(count: int, limit: str) -> None:
    assert f"*(Select {limit})*\n" in page(attributes=[make_choice(max_selected=count)])


def test_blank_texts_leave_no_empty_markup() -> None:
    blank = [
        {"value_code": "OIFMA_TEST_000010.0", "name": ""},
        {"value_code": "OIFMA_TEST_000010.1", "name": " "},
    ]
    text = page(
        name=" " * 9, attributes=[make_choice(values=blank)], contributors=[make_organization(name=" " * 5)]
    )
    assert text.count("(unnamed)") == 4
    assert shown(text)[0].count("hr") == 1  # above the contributors


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("< 3 cm & > 1 cm", "< 3 cm & > 1 cm"),
        ("head_neck _not_ a__b", r"head_neck \_not\_ a\_\_b"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("&lt;b&#62;", r"&amp;lt;b&\#62;"),
        ("![x](javascript:alert(1))", r"!\[x\](javascript:alert(1))"),
        ("one\n# two\x1b[2J", r"one \# two\[2J"),
    ],
)
def test_only_markup_is_escaped(text: str, escaped: str) -> None:
    assert escape_text(text) == escaped


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "> a", "---", "1. a", "12) a", "# a", "    a", "a\n---", "[a]: b"]
)
def test_paragraphs_stay_paragraphs(text: str) -> None:
    kinds, seen = shown(escape_paragraph(text))
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    assert seen == visible(text)


@given(NASTY | st.text(max_size=30))
def test_escaped_text_is_shown_unchanged(text: str) -> None:
    expected = visible(text) or "x"
    heading, heading_text = shown(f"# {escape_text(expected)}")
    assert heading == ["heading_open", "inline", "heading_close"]
    paragraph, paragraph_text = shown(escape_paragraph(expected))
    assert paragraph == ["paragraph_open", "inline", "paragraph_close"]
    item, item_text = shown(f"- **{escape_text(expected)}**: x")
    assert [kind for kind in item if "list" not in kind] == [
        "paragraph_open",
        *("inline", "strong_open", "strong_close"),
        "paragraph_close",
    ]
    assert (heading_text, paragraph_text, item_text) == (expected, expected, f"{expected}: x")


def structure(text: str, other: str) -> list[str]:
    """The markup of a page with *text* and *other* in all texts of the model."""
    code = {"system": f"{text}ICD", "code": f"{other}123", "display": f"{text}abc"}
    values = [
        {"value_code": "OIFMA_TEST_000010.0", "name": text, "description": other, "index_codes": [code]},
        {"value_code": "OIFMA_TEST_000010.1", "name": other, "description": text},
    ]
    described = {"name": f"{other}abc", "description": f"{text}abcde", "index_codes": [code]}
    model = make_model(
        name=f"{text}abcde",
        description=f"{text}described {other}",
        synonyms=[f"a{text}", other],
        tags=[f"{text}a"],
        index_codes=[code],
        attributes=[make_choice(values=values, **described), make_number(unit=f"m{text}", **described)],
        contributors=[
            make_person(name=f"{text}abc", url=None),
            make_person(name=f"{text}abc", github_username=f"{other}abc"),
            make_organization(name=f"{other}abcde", url=None),
            make_organization(name=f"{other}abcde"),
        ],
    )
    return shown(FindingModelFull(**model).as_markdown())[0]


@given(NASTY, NASTY)
def test_no_text_of_a_model_adds_markup_to_its_page(text: str, other: str) -> None:
    assert structure(text, other) == structure("plain", "words")


@given(st.text(st.sampled_from("ab\\`*_[]()#+-.!|~&;:\"'/=$@%?"), max_size=30))
def test_an_address_is_exactly_one_link(rest: str) -> None:
    url = f"https://e{rest}"
    who = make_organization(url=url)
    kinds, _ = shown(page(contributors=[who]).split("**Contributors**\n\n")[1])
    assert [kind for kind in kinds if kind.startswith(("link", "html", "code", "em", "strong", "image"))] == [
        "link_open",
        "link_close",
    ]


def test_an_address_keeps_its_meaning() -> None:
    assert escape_destination("https://e.org/?a=1&copy;=2") == "https://e.org/?a=1&amp;copy;=2"
