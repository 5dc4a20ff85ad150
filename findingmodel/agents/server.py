"""The server of the Model Context Protocol: publishes the tools and the resources of an index."""
# Annotations are evaluated here, for they become the JSON schemas of the tools.

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations

from findingmodel._version import __version__
from findingmodel.agents.arguments import unknown_argument, wrong_arguments
from findingmodel.agents.corrections import not_found
from findingmodel.agents.shapes import Answer
from findingmodel.agents.tools import Tools
from findingmodel.errors import FindingModelError, NotFoundError
from findingmodel.index import Index
from findingmodel.model import FindingModelFull

__all__ = ["make_server"]

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
