"""``findingmodel mcp``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import database_options, screen_options
from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings

_HOST = "127.0.0.1"
_PORT = 8_750


@click.command()
@click.option("--http", is_flag=True, help="Serve over HTTP; by default to programs on this machine only.")
@click.option(
    "--host",
    metavar="IP",
    default=_HOST,
    show_default=True,
    help="Address for --http; beyond this machine it requires a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=_PORT,
    show_default=True,
    help="Port for --http; 0 picks a free one.",
)
@database_options
@screen_options
def mcp(screen: Screen, http: bool, host: str, port: int, settings: Settings) -> None:
    """Serve language-model agents over the Model Context Protocol.

    An agent's program starts this command and talks to it over standard input and output; see
    docs/howto/agents.md for its configuration. Agents can search, resolve phrases of reports and read models,
    but change nothing. With --http the command runs until it is interrupted.

    If FINDINGMODEL_MCP_TOKEN is set, requests over HTTP must carry it, as "Authorization: Bearer TOKEN". The
    connection is not encrypted: beyond this machine, put a proxy with TLS in front.

    \b
    Examples:
      findingmodel mcp
      findingmodel mcp --db mongodb://localhost:27017/findingmodels
      findingmodel mcp --http --port 8750
      FINDINGMODEL_MCP_TOKEN=... findingmodel mcp --http --host 0.0.0.0
    """
    import asyncio

    from findingmodel.stores import is_missing

    for name in ("host", "port"):
        source = click.get_current_context().get_parameter_source(name)
        if source is click.core.ParameterSource.COMMANDLINE and not http:
            raise click.UsageError(f"--{name} requires --http.")
    if not http and (sys.stdin is None or sys.stdout is None):
        raise ConfigError("an agent talks to this command over standard input and output, and one is closed")
    try:
        from findingmodel.agents.server import serve_http, serve_stdio
    except ImportError as error:
        raise ConfigError(
            f"serving agents requires the package mcp, version 2 ({error}); "
            "install it: pip install 'findingmodel[mcp]'"
        ) from error
    if is_missing(settings):
        screen.note(f"there is no index {settings.db}: agents will find nothing until an update makes one")
    if http:
        whom = "agents with the token" if settings.mcp_token else "agents on this machine"
        message = f"serving {whom} at {{}}; press Ctrl-C to stop"
        asyncio.run(serve_http(settings, port, lambda url: screen.note(message.format(url)), host=host))
    else:
        asyncio.run(serve_stdio(settings))
