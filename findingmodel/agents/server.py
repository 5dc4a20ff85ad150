"""The server of the Model Context Protocol: what it publishes, and over what it is reached."""

import asyncio
import functools
import inspect
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
from findingmodel.agents.corrections import not_found, unknown_argument, wrong_arguments
from findingmodel.agents.tools import Tools
from findingmodel.errors import ConfigError, FindingModelError, NotFoundError
from findingmodel.index.aio import Index
from findingmodel.model.finding import FindingModelFull
from findingmodel.observe.logs import make_monitor
from findingmodel.settings import Settings

__all__ = ["make_server", "serve_http", "serve_stdio"]

# Annotations are evaluated here, for they become the JSON schemas of the tools.


_INSTRUCTIONS = """\
An index of radiology finding models: what a finding is called, what it means, and the attributes that it
is described with, each with a stable id. Resolve phrases of a report with resolve_report_phrases, look
around with search_finding_models and list_tags, take attributes and values from get_finding_model. Quote ids
as they are. For looking things up, not for clinical decisions."""

_TITLES = {
    "search_finding_models": "Search finding models",
    "get_finding_model": "Get a finding model",
    "resolve_report_phrases": "Resolve phrases of a report",
    "list_tags": "List tags",
    "index_stats": "Say what the index holds",
}
_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_MOST_ERROR_TOKENS = 1_000
_FAILED = "Error executing tool {}: "  # as the SDK begins

_Tool = Callable[..., Awaitable[Answer]]


class _Server(MCPServer[Any]):
    """A server that refuses arguments which a tool does not have: without them it answers something else."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool; see the SDK.

        Raises:
            ToolError: the arguments cannot be used, or the tool failed.
        """
        known = inspect.signature(getattr(Tools, name)).parameters if name in _TITLES else arguments
        strange = unknown_argument(name, arguments, [one for one in known if one != "self"])
        if strange:
            raise ToolError(f"{_FAILED.format(name)}{strange}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            wrong = wrong_arguments(error.__cause__)
            if wrong is None:
                raise
            raise ToolError(f"{_FAILED.format(name)}{wrong}") from error.__cause__


def make_server(index: Index) -> MCPServer[Any]:
    """Return a server that answers from *index*, which its caller opens and closes."""
    server = _Server(
        "findingmodel",
        title="Radiology finding models",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="WARNING",  # what an agent asks for is its own business, and no news on stderr
    )
    tools = Tools(index)
    for name, title in _TITLES.items():
        tool = _published(getattr(tools, name))
        server.add_tool(tool, name, title, inspect.getdoc(tool), annotations=_READS)
    _add_resources(server, index)
    return server


def _add_resources(server: MCPServer[Any], index: Index) -> None:
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


async def _read(index: Index, oifm_id: str) -> FindingModelFull:
    try:
        return await index.get_full(oifm_id)
    except NotFoundError:
        error = await not_found(index, oifm_id, _MOST_ERROR_TOKENS)
        raise ResourceNotFoundError(str(error)) from None
    except FindingModelError as error:
        raise ResourceError(str(error)) from error


def _published(tool: _Tool) -> Callable[..., Awaitable[CallToolResult]]:
    """Return *tool* with its answer as text in one line and as data, and our errors as sentences."""
    signature = inspect.signature(tool)
    answer_type = signature.return_annotation

    @functools.wraps(tool)
    async def call(**arguments: Any) -> CallToolResult:
        try:
            answer = await tool(**arguments)
        except FindingModelError as error:
            raise ToolError(str(error)) from error
        text = TextContent(type="text", text=answer.as_json())
        return CallToolResult(content=[text], structured_content=answer.as_dict())

    published = signature.replace(return_annotation=Annotated[CallToolResult, answer_type])
    call.__signature__ = published  # type: ignore[attr-defined]
    return call


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
