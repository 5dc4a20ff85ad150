"""Sphinx directives that generate the reference from the package.

settings-table          every setting
fields-table NAME       the fields of a model
commands                every command, with its --help
lint-rules              every lint rule, with its example
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click
from sphinx.util.docutils import SphinxDirective

import findingmodel
from findingmodel.author.lint.rules import RULES
from findingmodel.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from docutils import nodes
    from sphinx.application import Sphinx

    from findingmodel.author.lint.rule import Rule

_HELP_COLUMNS = 80


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return *text* with the special characters of Markdown escaped."""
    return re.sub(r"([\\`*_$<>|\[\]])", r"\\\1", text)


class SettingsTable(SphinxDirective):
    """All settings, from `findingmodel.Settings.describe`."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        rows = [
            [
                ", ".join(f"`{name}`" for name in view.variables),
                f"{_plain(view.help)}<br>*{_plain(view.allowed)}*",
            ]
            for view in findingmodel.Settings().describe()
        ]
        return self.parse_text_to_nodes(table(["Variable", "Meaning and allowed values"], rows))


class FieldsTable(SphinxDirective):
    """The fields of one of the package's models."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        schema = getattr(findingmodel, self.arguments[0]).model_json_schema()
        rows = [
            [f"`{name}`", _kind(field), "yes" if name in schema.get("required", ()) else ""]
            for name, field in schema["properties"].items()
        ]
        return self.parse_text_to_nodes(table(["Field", "Meaning", "Required"], rows))


class Commands(SphinxDirective):
    """Every command, with its ``--help``."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        text = "\n\n".join(f"## {path}\n\n```text\n{text}\n```" for path, text in _helps(cli, "findingmodel"))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class LintRules(SphinxDirective):
    """Every lint rule, with its example."""

    def run(self) -> list[nodes.Node]:
        """Return a section for each rule."""
        text = "\n\n".join(_rule(code, rule) for code, rule in sorted(RULES.items()))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _rule(code: str, rule: Rule) -> str:
    level = f"{rule.level.capitalize()}, fixable" if rule.fixable else rule.level.capitalize()
    where, bad, good = rule.example
    example = f"At `{where}`, not `{_json(bad)}` but `{_json(good)}`."
    return f"### {code}\n\n*{level}.* {rule.summary}\n\n{example}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    with click.Context(
        command, info_name=path, max_content_width=_HELP_COLUMNS, terminal_width=_HELP_COLUMNS
    ) as context:
        yield path, command.get_help(context)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.resolve_command(context, [name])[1]
                if found is not None:
                    yield from _helps(found, f"{path} {name}")


def _kind(field: dict[str, Any]) -> str:
    """Describe a field of a JSON schema in words."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice.get("type") != "null"]
    words = [_word(choice) for choice in choices]
    about = field.get("description") or ""
    return f"{about} ({' or '.join(words)})" if about else " or ".join(words)


def _word(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_word(field['items'])}"
    reference = field.get("$ref", "").rpartition("/")[2]
    options = field.get("oneOf") or field.get("anyOf")
    if options:
        return " or ".join(map(_word, options))
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return reference or names.get(field.get("type", "text"), field.get("type", "text"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("settings-table", SettingsTable)
    app.add_directive("fields-table", FieldsTable)
    app.add_directive("commands", Commands)
    app.add_directive("lint-rules", LintRules)
    return {"parallel_read_safe": True}
