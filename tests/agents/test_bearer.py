"""Agents over HTTP with a token: nothing is answered without it, and it is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from findingmodel.agents.bearer import BearerGate
from findingmodel.errors import ConfigError
from findingmodel.settings import Settings
from tests.agents.serving import ask, started
from tests.agents.test_transports import status
from tests.cli.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from typing import Any

TOKEN = "t0ken-of-the-tests-" + "x" * 20


@pytest.fixture(scope="module")
def address(samples: str) -> Iterator[str]:
    """The URL of a server that requires the token."""
    with started("--http", "--port", "0", "--db", samples, FINDINGMODEL_MCP_TOKEN=TOKEN) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("serving agents with the token at http://127.0.0.1:"), line
        assert TOKEN not in line
        yield next(word for word in line.rstrip("\n").replace(";", " ").split() if word.startswith("http"))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer é",
    ],
)
def test_a_request_without_the_token_is_refused(address: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    assert status(address, **headers) == 401
    assert status(address.replace("/mcp", "/elsewhere"), **headers) == 401


def test_a_request_with_the_token_is_answered_under_any_name(address: str) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert status(address, Authorization=f"{scheme} {TOKEN}") == 200
    proxied = {"Host": "agents.example.org", "Origin": "https://agents.example.org"}
    assert status(address, Authorization=f"Bearer {TOKEN}", **proxied) == 200


async def test_an_agent_with_the_token_is_answered(address: str) -> None:
    async with (
        create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        Client(streamable_http_client(address, http_client=http)) as client,
    ):
        assert (await ask(client, "index_stats"))["models"] == 58


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_machines_are_not_served_without_a_token(host: str, samples: str) -> None:
    result = run("mcp", "--http", "--host", host, "--db", samples)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        f"Error: anybody who reaches {host} could read the index: set FINDINGMODEL_MCP_TOKEN"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "127.0.0.1"], "--host requires --http"),
        (["--http", "--host", "example.org"], "the host must be an IP address"),
    ],
)
def test_bad_usage_is_one_sentence(arguments: list[str], message: str, samples: str) -> None:
    result = run("mcp", *arguments, "--db", samples)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINDINGMODEL_MCP_TOKEN", TOKEN)
    settings = Settings.load()
    assert settings.mcp_token == TOKEN
    assert TOKEN not in repr(settings) + run("config").output + run("config", "--json").output
    assert "mcp_token\t***\t" in run("config").output
    monkeypatch.setenv("FINDINGMODEL_MCP_TOKEN", "short secret")
    with pytest.raises(ConfigError, match="cannot be '\\*\\*\\*'; allowed is 16 to 512 letters") as caught:
        Settings.load()
    assert "short secret" not in str(caught.value)


async def test_other_kinds_of_connections_are_refused_too() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        sent.append({"type": f"passed {scope['type']}"})

    async def receive() -> Any:
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    gate = BearerGate(application, TOKEN)
    await gate({"type": "websocket", "headers": []}, receive, send)
    await gate({"type": "lifespan"}, receive, send)
    twice = [(b"authorization", f"Bearer {TOKEN}".encode())] * 2
    await gate({"type": "http", "headers": twice}, receive, send)
    assert [message.get("type") for message in sent[:3]] == [
        "websocket.close",
        "passed lifespan",
        "http.response.start",
    ]
