"""``findingmodel index stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.session import ask
from findingmodel.cli.text import to_json, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.observe.metrics import Snapshot
    from findingmodel.stores.protocol import Store

__all__ = ["stats"]


@click.command()
@click.option("--performance", is_flag=True, help="Also how long reads take, and how large the files are.")
@database_options
@json_option
@screen_options
@click.pass_obj
def stats(screen: Screen, performance: bool, settings: Settings, as_json: bool) -> int:
    """Count the models and contributors that the index holds.

    \b
    Examples:
      findingmodel index stats
      findingmodel index stats --db findings.db --json
      findingmodel index stats --performance
    """

    async def answer(store: Store) -> tuple[dict[str, Any], Snapshot | None, str]:
        counts = await store.counts()
        facts = {"db": store.label, "branch": settings.branch, **counts._asdict()}
        facts["generation"] = await store.generation()
        hint = "" if counts.models else await empty_hint(store, settings)
        if not performance:
            return facts, None, hint
        from findingmodel.cli.performance import measure_reads

        return facts, await measure_reads(store, settings), hint

    facts, measured, hint = ask(settings, answer)
    if measured is not None and as_json:
        from findingmodel.cli.performance import performance_facts

        facts["performance"] = performance_facts(measured, settings)
    _show_facts(facts, as_json=as_json)
    if measured is not None and not as_json:
        from findingmodel.cli.performance import show_performance

        show_performance(screen, measured, settings)
    if hint:
        screen.note(hint)
    return 0


def _show_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(facts))
    else:
        click.echo("\n".join(f"{name:<15}{visible(str(value))}" for name, value in facts.items()))
