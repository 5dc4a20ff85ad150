"""Serving agents: one on standard input and output, or several over HTTP on this machine alone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from findingmodel.agents.server import make_server
from findingmodel.errors import ConfigError
from findingmodel.index import Index
from findingmodel.observe.logs import make_monitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from findingmodel.config import Settings

__all__ = ["serve_http", "serve_stdio"]

_HOST = "127.0.0.1"
_INTERRUPTED = 130
_SECONDS_TO_FINISH = 2  # an agent that listens for news keeps its connection for as long as it may


async def serve_stdio(settings: Settings) -> None:
    """Answer the agent at the other end of standard input and output, until it closes them.

    An interrupt closes the index and ends the process: the thread that reads standard input cannot be woken,
    and Python would wait for it.

    Raises:
        ConfigError, StoreError: the index cannot be opened.
        BrokenPipeError: the agent went away without reading its answer.
    """
    interrupted = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted.set)
    async with _index(settings) as index:
        await index.count()  # a server that cannot be reached is told now, not to an agent
        serving = asyncio.create_task(make_server(index).run_stdio_async())
        waiting = asyncio.create_task(interrupted.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if interrupted.is_set():
        os._exit(_INTERRUPTED)
    waiting.cancel()
    reader_gone = False
    try:
        await serving
    except* BrokenPipeError:
        reader_gone = True
    if reader_gone:
        raise BrokenPipeError


async def serve_http(settings: Settings, port: int, listening: Callable[[str], None]) -> None:
    """Answer agents of this machine over HTTP, until the process is told to end.

    Only requests that name this machine are answered: a web page in a browser here cannot ask anything, not
    even one whose name was made to lead here.

    Args:
        settings: which index.
        port: where; 0 is any free one.
        listening: called with the URL once agents can connect.

    Raises:
        ConfigError: the port is taken, or the index is none.
        StoreError: the index cannot be opened.
    """
    with _socket(port) as bound:
        address = f"{_HOST}:{bound.getsockname()[1]}"
        names = [address, address.replace(_HOST, "localhost")]
        security = TransportSecuritySettings(
            allowed_hosts=names, allowed_origins=[f"http://{name}" for name in names]
        )
        async with _index(settings) as index:
            await index.count()
            app = make_server(index).streamable_http_app(transport_security=security)
            config = uvicorn.Config(
                app, log_level="warning", timeout_graceful_shutdown=_SECONDS_TO_FINISH, ws="none"
            )
            server = uvicorn.Server(config)
            _end_on_signals(server)
            listening(f"http://{address}/mcp")
            await server.serve(sockets=[bound])


def _index(settings: Settings) -> Index:
    """Return the index that *settings* name; what it does is logged if they say so."""
    return Index(settings=settings, monitor=make_monitor(settings))


def _socket(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port))
    except OSError as error:
        raise ConfigError(
            f"cannot listen on port {port} of {_HOST}: {error.strerror}; choose another with --port"
        ) from error


def _end_on_signals(server: uvicorn.Server) -> None:
    """Let signals end *server* and nothing else; when it has ended it sends itself the same ones again."""

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
