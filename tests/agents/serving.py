"""``findingmodel mcp`` as a process, and the SDK's client connected to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from mcp import Client, StdioServerParameters

from tests.processes import ROOT, STRICT, begun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from contextlib import AbstractContextManager

    from mcp.types import CallToolResult

SAMPLES = ROOT / "samples" / "defs"


def started(*arguments: str, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start ``findingmodel mcp`` as a process in which warnings are errors."""
    return begun("mcp", *arguments, program=STRICT, stdin=subprocess.PIPE, **environment)


@contextlib.contextmanager
def served(url: str) -> Iterator[str]:
    """Serve the index over HTTP on a free port, and yield the URL."""
    with started("--http", "--port", "0", "--db", url) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "http://127.0.0.1:" in line, line + process.stderr.read()
        yield next(word for word in line.rstrip("\n;").replace(";", " ").split() if word.startswith("http"))


@contextlib.asynccontextmanager
async def over_stdio(url: str) -> AsyncIterator[Client]:
    arguments = [*STRICT, "mcp", "--db", url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    async with Client(server) as client:
        yield client


@contextlib.asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Client]:
    with served(url) as address:
        async with Client(address) as client:
            yield client


TRANSPORTS = {"stdio": over_stdio, "http": over_http}


async def ask(client: Client, tool: str, **arguments: Any) -> Mapping[str, Any]:
    """Return the answer of *tool*, which must not be an error."""
    result = await call(client, tool, **arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """Return the error message of *tool*."""
    result = await call(client, tool, **arguments)
    assert result.is_error, text_of(result)[:500]
    return text_of(result)


async def call(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool(tool, arguments)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text
