"""``findingmodel model show`` and ``model markdown``: one file as text."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from findingmodel.cli.entry import field_lines
from findingmodel.cli.options import json_option, screen_options
from findingmodel.cli.reports import show_failed
from findingmodel.cli.text import one_line, safe_json, to_json, visible
from findingmodel.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.cli.screen import Screen
    from findingmodel.model.attributes import ChoiceAttributeIded, NumericAttributeIded
    from findingmodel.model.finding import FindingModelFull

    AnyAttribute = ChoiceAttributeIded | NumericAttributeIded

__all__ = ["markdown", "show"]

_STREAM = "-"
_MAX_BYTES = 20_000_000
_file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)


@click.command()
@_file_argument
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
    data = _read(file)
    model = _parsed(screen, file, data)
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


@click.command()
@_file_argument
@json_option
@screen_options
@click.pass_obj
def markdown(screen: Screen, file: str, as_json: bool) -> int:
    """Print the Markdown page of the finding model in FILE; - is standard input.

    It is the page that "index export markdown" writes. No index is opened.

    \b
    Examples:
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
      findingmodel index get PE --full | findingmodel model markdown -

    Exit code 1 means that it is no valid model; each problem is told.
    """
    from findingmodel.model.markdown import to_markdown

    model = _parsed(screen, file, _read(file))
    if model is None:
        return 1
    page = to_markdown(model)
    if as_json:
        click.echo(to_json({"oifm_id": model.oifm_id, "name": model.name, "markdown": page}))
    else:
        click.echo("\n".join(map(visible, page.split("\n"))))
    return 0


def _read(file: str) -> bytes:
    if file == _STREAM:
        return sys.stdin.buffer.read(_MAX_BYTES + 1)
    with open(file, "rb") as opened:  # noqa: PTH123  # as click checked it
        return opened.read(_MAX_BYTES + 1)


def _parsed(screen: Screen, file: str, data: bytes) -> FindingModelFull | None:
    """Return the model, or tell why there is none."""
    from findingmodel.model.parse import parse_model
    from findingmodel.sync.report import FileReport

    if len(data) > _MAX_BYTES:
        problem = Problem("", "too-large", f"the file has more than {_MAX_BYTES:,} bytes")
        show_failed(screen, [FileReport(file, (problem,))])
        return None
    parsed = parse_model(data)
    if parsed.model is None:
        show_failed(screen, [FileReport(file, parsed.problems)])
    for warning in parsed.warnings:
        screen.detail(f"warning: {file}: {warning}")
    return parsed.model


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
        yield label, f"{attribute.oifma_id}  {attribute.name} ({_rule(attribute)})"


def _rule(attribute: AnyAttribute) -> str:
    """Return what may be said: ``one of absent | present`` or ``number from 0 to 30 mm``."""
    from findingmodel.model.attributes import ChoiceAttributeIded

    required = ", required" if attribute.required else ""
    if isinstance(attribute, ChoiceAttributeIded):
        most = "one" if attribute.max_selected == 1 else f"up to {attribute.max_selected}"
        return f"{most} of {' | '.join(value.name for value in attribute.values)}{required}"
    bounds = [("from", attribute.minimum), ("to", attribute.maximum)]
    stated = [f"{word} {bound}" for word, bound in bounds if bound is not None]
    return " ".join(["number", *stated, *filter(None, [attribute.unit])]) + required
