"""The servers for other tests: they answer, they end, and they report what goes wrong."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

import tests.servers
from tests.servers import (
    EXTERNAL_URI,
    FERRETDB,
    KINDS,
    ServerOptions,
    ServerProcess,
    ServerStartError,
    need,
    running,
    self_signed_certificate,
    servers_under_test,
)

ROOT = Path(__file__).parent.parent
END_SECONDS = 30.0

pytestmark = pytest.mark.mongo


def connect(uri: str, **options: Any) -> pymongo.MongoClient[dict[str, object]]:
    return pymongo.MongoClient(uri, **options)


def exists(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ferretdb" or FERRETDB.exists()])
def test_a_server_answers_within_its_block_and_is_gone_after_it(kind: str) -> None:
    with running(kind) as server, connect(server.uri) as client:
        client.findings.entries.insert_one({"_id": "OIFM_TEST_000001"})
        assert client.findings.entries.count_documents({}) == 1
        assert server.name == kind
        assert exists(server.pid)
    assert not exists(server.pid)


def test_a_server_ends_if_its_block_raises() -> None:
    with pytest.raises(KeyError), running("nx") as server:
        raise KeyError
    assert not exists(server.pid)


def test_servers_and_databases_are_isolated() -> None:
    with (
        running("nx") as one,
        running("nx") as other,
        connect(one.uri) as client,
        connect(other.uri) as stranger,
    ):
        client.findings.entries.insert_one({"_id": 1})
        assert client.others.entries.count_documents({}) == 0
        assert stranger.findings.entries.count_documents({}) == 0


def test_a_replica_set_undoes_an_aborted_transaction() -> None:
    with running("secantus-replica") as server, connect(server.uri) as client:
        entries = client.findings.entries
        with client.start_session() as session, session.start_transaction():
            entries.insert_one({"_id": "kept"}, session=session)
        with client.start_session() as session:
            session.start_transaction()
            entries.insert_one({"_id": "undone"}, session=session)
            session.abort_transaction()
        assert "setName" in client.admin.command("hello")
        assert entries.distinct("_id") == ["kept"]


def test_journaled_writes_survive_a_kill_and_the_address_stays(tmp_path: Path) -> None:
    process = ServerProcess("secantus", tmp_path, ServerOptions(storage=tmp_path / "data"))
    try:
        before = process.start()
        with connect(before.uri, journal=True) as client:
            client.findings.entries.insert_one({"_id": 1})
            process.kill()
            assert not exists(before.pid)
            after = process.start()
            assert after.uri == before.uri
            assert client.findings.entries.count_documents({}) == 1
            assert process.restart().pid != after.pid
            assert client.findings.entries.count_documents({}) == 1
    finally:
        process.stop()


def test_a_user_must_give_the_password() -> None:
    with running("secantus", ServerOptions(user=("ann", "p@ss word"))) as server:
        with connect(server.uri) as client:
            assert client.findings.entries.count_documents({}) == 0
        stranger = connect(f"mongodb://{server.uri.partition('@')[2]}")
        with stranger, pytest.raises(OperationFailure, match="requires authentication"):
            stranger.findings.entries.count_documents({})


def test_a_certificate_makes_the_server_refuse_plain_clients(tmp_path: Path) -> None:
    with running("secantus", ServerOptions(certificate=self_signed_certificate(tmp_path))) as server:
        with connect(server.uri) as client:
            assert client.admin.command("ping")["ok"] == 1
        plain = connect(server.uri.partition("/?")[0], serverSelectionTimeoutMS=500)
        with plain, pytest.raises(ServerSelectionTimeoutError):
            plain.admin.command("ping")


def test_a_server_that_cannot_start_is_an_error_with_its_output(tmp_path: Path) -> None:
    process = ServerProcess("secantus", tmp_path, ServerOptions(certificate=tmp_path / "missing.pem"))
    with pytest.raises(ServerStartError, match=r"before it listened(?s:.)*FileNotFoundError"):
        process.start()


def test_a_restart_on_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    process = ServerProcess("nx", tmp_path)
    port = int(process.start().uri.rpartition(":")[2])
    process.stop()
    stranger = socket.create_server(("127.0.0.1", port))
    with closing(stranger), pytest.raises(ServerStartError, match="already in use"):
        process.start()


def test_a_port_in_use_is_replaced_by_a_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        free_port = tests.servers._free_port
        ports = iter([stranger.getsockname()[1], free_port()])
        monkeypatch.setattr(tests.servers, "_free_port", lambda: next(ports))
        with running("nx") as server, connect(server.uri) as client:
            assert client.admin.command("ping")["ok"] == 1
    assert list(ports) == []


def test_unknown_kinds_and_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no server of kind 'mongod'; the kinds are secantus, "):
        ServerProcess("mongod", tmp_path)
    with pytest.raises(ValueError, match="use 'secantus'"):
        ServerProcess("nx", tmp_path, ServerOptions(user=("ann", "secret")))


def test_tests_of_secantus_are_skipped_only_where_it_cannot_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tests.servers, "HAS_SECANTUS", False)
    with pytest.raises(pytest.skip.Exception, match="no build"), running("secantus-replica"):
        pass
    need("nx")
    monkeypatch.undo()
    assert tests.servers.HAS_SECANTUS or sys.version_info >= (3, 14)


STARTER = """
import sys
from tests.servers import running
with running(sys.argv[1]) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="only Linux can wait for a process that is not a child"
)
@pytest.mark.parametrize("kind", ["secantus", "nx"])
def test_a_server_ends_with_the_process_that_started_it(kind: str, tmp_path: Path) -> None:
    need(kind)
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, kind],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout is not None
        server = os.pidfd_open(int(starter.stdout.readline()))
        try:
            starter.kill()
            assert select.select([server], [], [], END_SECONDS)[0], "the server outlives its starter"
        finally:
            os.close(server)


def test_an_external_server_replaces_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("nx") as other:
        monkeypatch.setenv(EXTERNAL_URI, other.uri)
        assert servers_under_test() == ("external",)
        with running("external") as server:
            assert (server.name, server.uri, server.pid) == ("external", other.uri, None)
        assert exists(other.pid)


def test_without_an_external_server_both_standalone_servers_are_tested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(EXTERNAL_URI, raising=False)
    assert servers_under_test()[:2] == ("secantus", "nx")
    with pytest.raises(ServerStartError, match=f"set {EXTERNAL_URI}"), running("external"):
        pass


def test_an_external_server_that_does_not_answer_is_an_error_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(EXTERNAL_URI, "mongodb://ann:secret@127.0.0.1:1/?serverSelectionTimeoutMS=100")
    with pytest.raises(ServerStartError, match="did not answer") as failure, running("external"):
        pass
    assert "secret" not in str(failure.value)
