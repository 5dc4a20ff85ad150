"""``findingmodel mcp`` as agents use it: both transports, both kinds of database, and errors."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from mcp import Client

from findingmodel import Index, Settings
from findingmodel.agents.server import serve_http
from tests.agents.serving import (
    SAMPLES,
    TRANSPORTS,
    ask,
    over_stdio,
    refused,
    served,
    started,
)
from tests.cli.commands import run
from tests.processes import completed
from tests.servers import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


async def conversation(client: Client) -> dict[str, Any]:
    """Resolve the phrases of a report, look one up, and read its model."""
    phrases = ["no pleural effusion", "clot in lung artery", "PE"]
    resolved = (await ask(client, "resolve_report_phrases", phrases=phrases))["resolutions"]
    best = resolved[1]["matches"][0]["oifm_id"]
    page = await client.read_resource(f"findingmodel://models/{best}.md")
    document = await client.read_resource(f"findingmodel://models/{best}.json")
    return {
        "resolved": resolved,
        "found": await ask(client, "search_finding_models", query="collapsed lung", limit=3, tags=["CT"]),
        "model": await ask(client, "get_finding_model", id_or_name=best),
        "page": page.contents[0].text,
        "document": json.loads(document.contents[0].text),
        "tags": await ask(client, "list_tags", limit=5),
        "unknown": await refused(client, "get_finding_model", id_or_name="pneumothrax"),
    }


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_agent_can_talk_over_both_transports(transport: str, samples: str) -> None:
    async with TRANSPORTS[transport](samples) as client:
        talk = await conversation(client)
        stats = await ask(client, "index_stats")
    assert [one["matches"][0]["name"] for one in talk["resolved"]] == [
        "Pleural effusion",
        "Pulmonary embolism",
        "Pulmonary embolism",
    ]
    assert [one["matches"][0].get("denied", False) for one in talk["resolved"]] == [True, False, False]
    assert talk["resolved"][2]["matches"][0]["exact"]
    assert talk["found"]["models"][0]["name"] == "Pneumothorax"
    assert talk["document"] == json.loads((SAMPLES / "chest" / "pulmonary_embolism.fm.json").read_bytes())
    assert talk["model"]["model"] == talk["document"]
    assert talk["page"].startswith("# Pulmonary embolism—`OIFM_SMPL_000001`\n")
    assert "OIFM_SMPL_000002 (Pneumothorax)" in talk["unknown"]
    assert (stats["models"], stats["database"]) == (58, samples)


@pytest.mark.mongo
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_an_index_on_a_server_gives_agents_the_same_answers(transport: str, samples: str) -> None:
    with running("nx") as server:
        url = server.url("agents")
        async with Index(url) as index:
            await index.update_from_directory(SAMPLES)
        async with TRANSPORTS[transport](url) as client:
            there = await conversation(client)
    async with TRANSPORTS[transport](samples) as client:
        assert there == await conversation(client)


@pytest.mark.mongo
async def test_an_unavailable_database_is_an_error_and_the_server_continues(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS", "300")
    with running("nx") as server:
        open_client = over_stdio(server.url("agents"))
        client = await open_client.__aenter__()
        assert (await ask(client, "index_stats"))["hint"].startswith("The index is empty")
    try:
        for _ in range(2):
            assert "cannot" in await refused(client, "search_finding_models", query="pneumothorax")
    finally:
        await open_client.__aexit__(None, None, None)


async def test_a_setting_logs_the_requests_of_agents(samples: str) -> None:
    with started("--http", "--port", "0", "--db", samples, FINDINGMODEL_LOG="json") as process:
        assert process.stderr is not None
        before = iter(process.stderr.readline, "")
        note = next(line for line in before if "http://127.0.0.1:" in line)
        address = next(word for word in note.replace(";", " ").split() if word.startswith("http"))
        async with Client(address) as client:
            await ask(client, "search_finding_models", query="collapsed lung")
            await ask(client, "resolve_report_phrases", phrases=["PE", "clot in lung artery"])
        process.send_signal(signal.SIGTERM)
        logged = [json.loads(line) for line in process.stderr if line.startswith("{")]
    facts = {line["event"]: line for line in logged}
    assert {"search.rank", "search", "search batch"} <= facts.keys()
    assert (facts["search batch"]["items"], facts["search batch"]["failed"]) == (2, False)


# the same in this process, where coverage is measured


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Restore the signal handlers that a server replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("own_signals")
async def test_the_server_over_http_answers_until_a_signal(samples: str) -> None:
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve_http(Settings.load(db=samples), 0, listening.set_result))
    async with Client(await listening) as client:
        assert (await ask(client, "index_stats"))["models"] == 58
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(serving, 30)


@pytest.mark.usefixtures("own_signals")
def test_the_command_reports_what_it_cannot_open(tmp_path: Path, samples: str) -> None:
    (tmp_path / "letter.db").write_text("this is a letter and no database at all\n" * 50)
    assert run("mcp", "--db", tmp_path / "letter.db").exit_code == 3
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("mcp", "--http", "--port", taken.getsockname()[1], "--db", samples)
    assert result.exit_code == 2
    assert "cannot listen on port" in result.stderr


# HTTP is limited to this machine

PING = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
).encode()


def status(address: str, **headers: str) -> int:
    wanted = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    request = Request(address, PING, headers=wanted | headers)
    try:
        with urlopen(request, timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def address(samples: str) -> Iterator[str]:
    with served(samples) as address:
        yield address


def test_programs_of_this_machine_are_answered(address: str) -> None:
    assert status(address) == 200
    local = urlsplit(address).netloc.replace("127.0.0.1", "localhost")
    assert status(address, Host=local, Origin=f"http://{local}") == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil.example:{port}"]
)
def test_another_host_name_is_refused(address: str, host: str) -> None:
    assert status(address, Host=host.format(port=urlsplit(address).port)) == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_foreign_origin_is_refused(address: str, origin: str) -> None:
    assert status(address, Origin=origin) == 403


def test_nothing_listens_but_on_the_loopback_address(address: str) -> None:
    port = urlsplit(address).port
    with socket.socket() as other:  # fails if the server listens on all addresses
        other.bind(("127.0.0.2", port))
        other.listen()


# start and end


def test_the_end_of_input_ends_the_server(samples: str) -> None:
    with started("--db", samples) as process:
        assert process.communicate("", timeout=30) == ("", "")
        assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_server_that_waits_for_input(samples: str, number: signal.Signals) -> None:
    with started("--db", samples) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(PING.decode() + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "findingmodel"
        process.send_signal(number)
        assert process.wait(30) == 128 + number
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_an_agent_that_closes_its_pipe_causes_no_traceback(samples: str) -> None:
    with started("--db", samples) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(PING.decode() + "\n")
        process.stdin.close()
        assert process.wait(30) == 141
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_server_over_http(samples: str, number: signal.Signals) -> None:
    with started("--http", "--port", "0", "--db", samples) as process:
        assert process.stderr is not None
        assert "press Ctrl-C to stop" in process.stderr.readline()
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def test_a_port_that_is_taken_is_bad_usage(samples: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with started("--http", "--port", port, "--db", samples) as process:
            out, message = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert message.startswith(f"Error: cannot listen on port {port} of 127.0.0.1: ")
    assert message.endswith("choose another with --port\n")


@pytest.mark.parametrize("more", [(), ("--http",)])
def test_a_database_that_cannot_be_opened_is_exit_3_and_a_sentence(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "letter.db").write_text("this is a letter and no database at all\n" * 50)
    with started("--db", str(tmp_path / "letter.db"), *more) as process:
        out, message = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "")
    assert message.startswith("Error: ")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("more", [(), ("--http", "--port", "0")])
def test_a_database_that_cannot_be_reached_is_exit_3_and_a_sentence(more: tuple[str, ...]) -> None:
    nobody = "mongodb://127.0.0.1:1/findings?serverSelectionTimeoutMS=100"
    with started("--db", nobody, *more) as process:
        assert process.wait(30) == 3
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == ""
        message = process.stderr.read()
    assert message.startswith("Error: ")
    assert len(message.splitlines()) == 1


def test_without_the_extra_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None; from findingmodel.cli.main import main; main()"
    done = completed("mcp", program=("-c", code))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: serving agents requires the package mcp, version 2 (")
    assert done.stderr.endswith("install it: pip install 'findingmodel[mcp]'\n")
