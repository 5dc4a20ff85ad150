"""``findingmodel model show``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from findingmodel.cli.entry import field_lines
from findingmodel.cli.model_file import file_argument, parsed_model, read_file
from findingmodel.cli.options import json_option, screen_options
from findingmodel.cli.text import one_line, safe_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.cli.screen import Screen
    from findingmodel.model.attributes import ChoiceAttributeIded, NumericAttributeIded
    from findingmodel.model.finding import FindingModelFull

    AnyAttribute = ChoiceAttributeIded | NumericAttributeIded

__all__ = ["show"]


@click.command()
@file_argument
@json_option
@screen_options
@click.pass_obj
def show(screen: Screen, file: str, as_json: bool) -> int:
    """Show the finding model in FILE, with its attributes and their values; - is standard input.

    No index is opened. With --json the model is printed in canonical layout.

    \b
    Examples:
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel index get PE --full | findingmodel model show -

    Exit code 1 means that it is no valid model; each problem is told.
    """
    data = read_file(file)
    model = parsed_model(screen, file, data)
    if model is None:
        return 1
    if as_json:
        from findingmodel.model.canonical import canonical

        click.echo(safe_json(canonical(data).decode()), nl=False)
        return 0
    width = shutil.get_terminal_size().columns if screen.is_terminal else None
    heading = f"{model.oifm_id}  {one_line(model.name)}"
    click.echo("\n".join([heading, *field_lines(_fields(model), width=width)]))
    return 0


def _fields(model: FindingModelFull) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each line."""
    contributors = [
        getattr(who, "github_username", "") or getattr(who, "code", "") for who in model.contributors or ()
    ]
    for label, texts in (
        ("synonyms", model.synonyms),
        ("tags", model.tags),
        ("contributors", contributors),
        ("codes", list(map(str, model.index_codes or ()))),
    ):
        if texts:
            yield label, ", ".join(texts)
    yield "description", model.description
    for number, attribute in enumerate(model.attributes):
        label = "" if number else "attributes"
        yield label, f"{attribute.oifma_id} {attribute.name} ({_rule(attribute)})"


def _rule(attribute: AnyAttribute) -> str:
    """Return what may be said: ``one of absent | present`` or ``number from 0 to 30 mm``."""
    from findingmodel.model.attributes import ChoiceAttributeIded
    from findingmodel.model.value_rules import most_chosen, number_range

    required = ", required" if attribute.required else ""
    if isinstance(attribute, ChoiceAttributeIded):
        values = " | ".join(value.name for value in attribute.values)
        return f"{most_chosen(attribute)} of {values}{required}"
    return " ".join(filter(None, ["number", number_range(attribute)])) + required
