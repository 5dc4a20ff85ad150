"""The server of the Model Context Protocol: what it publishes, and its transports."""

import asyncio
import functools
import inspect
import ipaddress
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolResult, TextContent, ToolAnnotations

from findingmodel._version import __version__
from findingmodel.agents.answers import Answer
from findingmodel.agents.bearer import BearerGate
from findingmodel.agents.corrections import not_found, unknown_argument, wrong_arguments
from findingmodel.agents.tools import Tools
from findingmodel.errors import ConfigError, FindingModelError, NotFoundError
from findingmodel.index.aio import Index
from findingmodel.model.finding import FindingModelFull
from findingmodel.observe.logs import make_monitor
from findingmodel.settings import Settings

# No `from __future__ import annotations`: the SDK turns the annotations into JSON schemas.

_INSTRUCTIONS = """\
An index of radiology finding models: the names of a finding, its meaning, and the attributes that describe \
it, each with a stable id. Read a whole report with read_report, resolve phrases with \
resolve_report_phrases, explore with search_finding_models and list_tags, take attributes and values from \
get_finding_model. Quote ids exactly. \
Before you propose a model, check its names with find_collisions, and all of it with review_finding_model. \
For reference, not for clinical decisions."""

_TITLES = {
    "search_finding_models": "Search finding models",
    "get_finding_model": "Get a finding model",
    "read_report": "Read a report",
    "resolve_report_phrases": "Resolve phrases of a report",
    "list_tags": "List tags",
    "index_stats": "Show what the index holds",
    "find_collisions": "Check whether names are free",
    "find_duplicates": "Find models that may be the same",
    "review_finding_model": "Check a draft of a finding model",
}
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_MAX_ERROR_TOKENS = 1_000
_ERROR_PREFIX = "Error executing tool {}: "  # as in errors of the SDK


class _Server(MCPServer[Any]):
    """A server that refuses unknown arguments, which the SDK ignores."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool; see the SDK.

        Raises:
            ToolError: the arguments are not valid, or the tool failed.
        """
        parameters = inspect.signature(getattr(Tools, name)).parameters if name in _TITLES else arguments
        message = unknown_argument(name, arguments, [known for known in parameters if known != "self"])
        if message:
            raise ToolError(f"{_ERROR_PREFIX.format(name)}{message}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            message = wrong_arguments(error.__cause__)
            if message is None:
                raise
            raise ToolError(f"{_ERROR_PREFIX.format(name)}{message}") from error.__cause__


def make_server(index: Index) -> MCPServer[Any]:
    """Return a server that answers from *index*, which the caller opens and closes."""
    server = _Server(
        "findingmodel",
        title="Radiology finding models",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",  # requests of agents are private, and do not belong on stderr
    )
    tools = Tools(index)
    for name, title in _TITLES.items():
        tool = _as_sdk_tool(getattr(tools, name))
        server.add_tool(tool, name, title, inspect.getdoc(tool), annotations=_READ_ONLY)

    @server.resource(
        "findingmodel://models/{oifm_id}.json",
        title="Finding model",
        description="The whole finding model with this id, as JSON",
        mime_type="application/json",
    )
    async def model_json(oifm_id: str) -> str:
        model = await _read(index, oifm_id)
        return model.model_dump_json(indent=2, exclude_unset=True)

    @server.resource(
        "findingmodel://models/{oifm_id}.md",
        title="Finding model as a page",
        description="The whole finding model with this id, as Markdown",
        mime_type="text/markdown",
    )
    async def model_markdown(oifm_id: str) -> str:
        return (await _read(index, oifm_id)).as_markdown()

    return server


def _as_sdk_tool(tool: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[CallToolResult]]:
    """Return *tool* with its answer as one line of text and as data, and with errors as messages."""
    signature = inspect.signature(tool)

    @functools.wraps(tool)
    async def call(**arguments: Any) -> CallToolResult:
        try:
            answer = await tool(**arguments)
        except FindingModelError as error:
            raise ToolError(str(error)) from error
        text = TextContent(type="text", text=answer.as_json())
        return CallToolResult(content=[text], structured_content=answer.as_dict())

    result = Annotated[CallToolResult, signature.return_annotation]
    call.__signature__ = signature.replace(return_annotation=result)  # type: ignore[attr-defined]
    return call


async def _read(index: Index, oifm_id: str) -> FindingModelFull:
    try:
        return await index.get_full(oifm_id)
    except NotFoundError:
        error = await not_found(index, oifm_id, _MAX_ERROR_TOKENS)
        raise ResourceNotFoundError(str(error)) from None
    except FindingModelError as error:
        raise ResourceError(str(error)) from error


_HOST = "127.0.0.1"
_SIGNALLED = 128  # and the number of the signal
_LOOPBACK = "127.0.0.1"
_INTERRUPTED = 130
_SHUTDOWN_SECONDS = 2  # agents that listen for notifications would keep their connections open


async def serve_stdio(settings: Settings) -> None:
    """Answer the agent at the other end of standard input and output, until it closes them.

    SIGINT and SIGTERM close the index and end the process at once, with the exit code that a shell gives:
    Python would wait for the thread that reads standard input.

    Raises:
        ConfigError, StoreError: the index cannot be opened.
        BrokenPipeError: the agent closed its end without reading an answer.
    """
    received: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(number: int) -> None:
        if not received.done():
            received.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    async with Index(settings=settings, monitor=make_monitor(settings)) as index:
        await index.count()  # fail now if the database cannot be reached
        serving = asyncio.create_task(make_server(index).run_stdio_async())
        tasks: set[asyncio.Future[Any]] = {serving, received}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if received.done():
        os._exit(_SIGNALLED + received.result())
    is_broken = False
    try:
        await serving
    except* BrokenPipeError:
        is_broken = True
    if is_broken:
        raise BrokenPipeError


async def serve_http(
    settings: Settings, port: int, on_ready: Callable[[str], None], *, host: str = _LOOPBACK
) -> None:
    """Answer agents over HTTP, until SIGINT or SIGTERM.

    With the setting ``mcp_token``, only requests that carry the token are answered. Without it, the server is
    for this machine alone: only requests to this host and port are answered, and web pages in a browser on
    this machine are refused, also if they reach the server through a name of their own (DNS rebinding).

    Args:
        settings: which index, and the token.
        port: the port to listen on; 0 picks a free one.
        on_ready: called with the URL once agents can connect.
        host: the address to listen on.

    Raises:
        ConfigError: *host* can be reached from other machines and there is no token, the port is taken, or
            the settings do not name an index.
        StoreError: the index cannot be opened.
    """
    _refuse_open_door(host, settings)
    with _listen(host, port) as bound:
        address = f"{_in_url(host)}:{bound.getsockname()[1]}"
        security = _security(address, settings)
        async with Index(settings=settings, monitor=make_monitor(settings)) as index:
            await index.count()  # as above
            app: Any = make_server(index).streamable_http_app(transport_security=security)
            if settings.mcp_token:
                app = BearerGate(app, settings.mcp_token)
            server = uvicorn.Server(
                uvicorn.Config(
                    app, log_level="warning", timeout_graceful_shutdown=_SHUTDOWN_SECONDS, ws="none"
                )
            )

            def end(*_: object) -> None:  # uvicorn raises the signals again at its end: they must do no more
                server.should_exit = True

            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, end)
            on_ready(f"http://{address}/mcp")
            await server.serve(sockets=[bound])


def _refuse_open_door(host: str, settings: Settings) -> None:
    """Raise an error if other machines could connect without a token."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(
            f"the host must be an IP address, such as {_LOOPBACK} or 0.0.0.0, not {host!r}"
        ) from None
    if not is_loopback and not settings.mcp_token:
        raise ConfigError(
            f"anybody who reaches {host} could read the index: set FINDINGMODEL_MCP_TOKEN, the token that "
            f"agents must send, or serve {_LOOPBACK} only"
        )


def _security(address: str, settings: Settings) -> TransportSecuritySettings:
    """Return which hosts and origins a request may name: any if it must carry a token, which pages lack."""
    if settings.mcp_token:
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    hosts = [address, f"localhost:{address.rpartition(':')[2]}"]
    return TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts]
    )


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on port {port} of {host}: {error.strerror}; choose another with --port"
        ) from error
