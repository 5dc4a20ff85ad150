"""MongoDB wire servers for the tests, each in its own process on 127.0.0.1.

>>> with running("secantus") as server:
...     print(server.uri)  # doctest: +ELLIPSIS
mongodb://127.0.0.1:...

A server ends with its block, and with the test process: it reads a pipe from that process, and stops when the
pipe breaks. A server that cannot start is an error with its output, not a skipped test.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit, urlunsplit

import pymongo
import pytest
from pymongo.errors import PyMongoError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "EXTERNAL_URI",
    "KINDS",
    "Server",
    "ServerOptions",
    "ServerProcess",
    "ServerStartError",
    "need",
    "running",
    "self_signed_certificate",
    "servers_under_test",
]

pytestmark = pytest.mark.slow  # the examples start servers

EXTERNAL_URI = "FINDINGMODEL_TEST_MONGODB_URI"
"""The environment variable that names a server to test instead of those started here."""

KINDS = ("secantus", "secantus-replica", "nx", "ferretdb")
"""Kinds of servers: SecantusDB standalone or as a replica set of one (with transactions), NX-27017, and
FerretDB 1.24 with SQLite, which `scripts/ferretdb` builds."""

FERRETDB = Path(sys.prefix) / "bin" / "ferretdb-1.24.2"
"""The program that `scripts/ferretdb` builds."""

HAS_SECANTUS = sys.version_info < (3, 14) or find_spec("secantus") is not None
"""SecantusDB cannot be installed everywhere on Python 3.14 yet; on other versions it must be installed."""

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02
_PORT_ATTEMPTS = 5
_LOG_TAIL_CHARS = 2_000
_PORT_TAKEN = "ddress already in use"  # with a capital or a small a

# Runs in the child: the `main` of the server, and a thread that ends the process when its stdin is closed.
_CHILD = """
import importlib, os, signal, sys, threading, time

def end_with_parent():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
    os._exit(1)

threading.Thread(target=end_with_parent, daemon=True).start()
module = sys.argv.pop(1)
sys.exit(importlib.import_module(module).main())
"""


# Runs in the child: a program that is not ours, and a thread that ends it when stdin is closed.
_FOREIGN_CHILD = """
import os, signal, subprocess, sys, threading

program = subprocess.Popen(sys.argv[1:])

def end(*_):
    program.terminate()

def end_with_parent():
    os.read(0, 1)
    end()

signal.signal(signal.SIGTERM, end)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.exit(program.wait())
"""


class ServerStartError(RuntimeError):
    """A server did not start, or did not answer in time; the message ends with its output."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        name: its kind, one of `KINDS` or ``external``.
        uri: its URI, with user, password and TLS options if it needs them.
        pid: the id of its process; None for an external server.
    """

    name: str
    uri: str
    pid: int | None

    def url(self, database: str, **options: object) -> str:
        """Return the URL of *database* on this server, with further *options*.

        >>> Server("external", "mongodb://me:x@db:1,db:2/?tls=true", None).url("findings", w=1)
        'mongodb://me:x@db:1,db:2/findings?tls=true&authSource=admin&w=1'
        """
        parts = urlsplit(self.uri)
        given = [parts.query] if parts.query else []
        if "@" in parts.netloc and "authsource=" not in parts.query.lower():
            given.append(f"authSource={parts.path.strip('/') or 'admin'}")
        query = "&".join([*given, *(f"{name}={value}" for name, value in options.items())])
        return urlunsplit((parts.scheme, parts.netloc, f"/{database}", query, ""))


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a SecantusDB server can be asked for beyond the defaults; NX-27017 knows none of it.

    Attributes:
        storage: directory that outlives the process; None keeps nothing. A kill may lose the last documents
            written without ``journal=True``, as on any MongoDB.
        user: name and password that every client must give (SCRAM-SHA-256); the storage must be new.
        certificate: PEM file with certificate and key, see `self_signed_certificate`; clients must use TLS.
    """

    storage: Path | None = None
    user: tuple[str, str] | None = None
    certificate: Path | None = None


class ServerProcess:
    """One server process that can be stopped, killed and started again at the same address.

    >>> with tempfile.TemporaryDirectory() as home:
    ...     process = ServerProcess("nx", Path(home))
    ...     pid = process.start().pid
    ...     process.stop()
    """

    def __init__(self, kind: str, home: Path, options: ServerOptions | None = None) -> None:
        """Prepare a server of *kind* (see `KINDS`) with its files in the directory *home*; starts nothing."""
        self._options = options or ServerOptions()
        if kind not in KINDS:
            raise ValueError(f"there is no server of kind {kind!r}; the kinds are {', '.join(KINDS)}")
        if kind in ("nx", "ferretdb") and self._options != ServerOptions():
            raise ValueError(f"{kind} offers no storage, user or TLS here; use 'secantus'")
        self._kind = kind
        self._home = home
        self._log = home / "server.log"
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """The output of the server on stdout and stderr since its start."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> Server:
        """Start the server and wait until it answers a ping; raises ServerStartError if it does not."""
        need(self._kind)
        if self._options.user is not None and self._port is None:
            self._create_user(*self._options.user)
        return self._start(self._options)

    def stop(self) -> None:
        """Terminate the process, or kill it after a timeout; idempotent."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._reap(self._process)

    def kill(self) -> None:
        """Kill the process (SIGKILL), as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._reap(self._process)

    def restart(self) -> Server:
        """Start again, after `stop` or `kill`, on the same port and storage."""
        self.stop()
        return self.start()

    def _create_user(self, name: str, password: str) -> None:
        """Create the user while the server runs without authentication, as it requires."""
        server = self._start(ServerOptions(storage=self._storage))
        with pymongo.MongoClient[dict[str, object]](server.uri) as client:
            client.admin.command("createUser", name, pwd=password, roles=["root"])
        self.stop()

    @property
    def _storage(self) -> Path | None:
        """The directory of the data; a server with users needs one, because users are data."""
        if self._options.storage is None and self._options.user is not None:
            return self._home / "storage"
        return self._options.storage

    def _start(self, options: ServerOptions) -> Server:
        attempts_left = 1 if self._port else _PORT_ATTEMPTS
        while True:
            attempts_left -= 1
            try:
                return self._start_at(self._port or _free_port(), options)
            except ServerStartError:
                if not attempts_left or _PORT_TAKEN not in self.log:
                    raise

    def _start_at(self, port: int, options: ServerOptions) -> Server:
        process = self._process = self._spawn(port, options)
        try:
            self._await_answer(process, port, options)
        except BaseException:
            self.kill()
            raise
        self._port = port
        return Server(self._kind, _uri(port, options), process.pid)

    def _spawn(self, port: int, options: ServerOptions) -> subprocess.Popen[bytes]:
        script = _CHILD
        if self._kind == "nx":
            arguments = _nx_arguments(port, self._home)
        elif self._kind == "ferretdb":
            script, arguments = _FOREIGN_CHILD, _ferretdb_arguments(port, self._home)
        else:
            arguments = _secantus_arguments(self._kind, port, self._home, options, self._storage)
        environment = os.environ | {"TMPDIR": str(self._home), "HOME": str(self._home)}
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", script, *arguments],
                cwd=self._home,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _await_answer(self, process: subprocess.Popen[bytes], port: int, options: ServerOptions) -> None:
        deadline = time.monotonic() + _START_SECONDS
        # Another process on the port could answer a ping, so wait until our server reports that it listens.
        while not re.search(rf"listening on (TCP )?127\.0\.0\.1:{port}\b", self.log, re.IGNORECASE):
            if process.poll() is not None:
                raise self._failed(f"ended with exit code {process.returncode} before it listened")
            if time.monotonic() > deadline:
                raise self._failed(f"did not listen on port {port} within {_START_SECONDS:g} s")
            time.sleep(_POLL_SECONDS)
        try:
            _ping(_uri(port, options))
        except PyMongoError as error:
            raise self._failed(f"did not answer a ping: {error}") from error

    def _failed(self, reason: str) -> ServerStartError:
        output = self.log[-_LOG_TAIL_CHARS:].strip() or "(no output)"
        return ServerStartError(f"{self._kind} server {reason}; it wrote:\n{output}")

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process = None


@contextlib.contextmanager
def running(kind: str, options: ServerOptions | None = None) -> Iterator[Server]:
    """Run a server of *kind* for the length of the block.

    Args:
        kind: one of `KINDS`, or ``external`` for the server that the environment names.
        options: storage, user or TLS; only for SecantusDB.

    Raises:
        ServerStartError: the server did not start; the message contains the end of its output.

    >>> with running("nx") as server:
    ...     server.name
    'nx'
    """
    if kind == "external":
        yield _external()
        return
    with tempfile.TemporaryDirectory(prefix="mongo-server-", ignore_cleanup_errors=True) as home:
        process = ServerProcess(kind, Path(home), options)
        try:
            yield process.start()
        finally:
            process.stop()


def need(kind: str) -> None:
    """Skip the test if *kind* cannot be installed on this version of Python."""
    if kind.startswith("secantus") and not HAS_SECANTUS:
        pytest.skip("SecantusDB has no build for this version of Python")


def servers_under_test() -> tuple[str, ...]:
    """The kinds for tests of MongoDB: the standalone servers that there are, or the external one if set."""
    if os.environ.get(EXTERNAL_URI):
        return ("external",)
    return ("secantus", "nx", *(["ferretdb"] if FERRETDB.exists() else []))


def self_signed_certificate(directory: Path) -> Path:
    """Write a new certificate and key for 127.0.0.1 to a PEM file in *directory*, and return its path."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both = directory / "server.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def _external() -> Server:
    uri = os.environ.get(EXTERNAL_URI)
    if not uri:
        raise ServerStartError(f"no external server: set {EXTERNAL_URI} to its URI")
    try:
        _ping(uri)
    except PyMongoError as error:
        raise ServerStartError(
            f"the server named by {EXTERNAL_URI} did not answer a ping: {error}"
        ) from error
    return Server("external", uri, None)


def _ping(uri: str) -> None:
    with pymongo.MongoClient[dict[str, object]](uri) as client:
        client.admin.command("ping")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _uri(port: int, options: ServerOptions) -> str:
    who = ":".join(map(quote_plus, options.user)) + "@" if options.user else ""
    tls = f"/?tls=true&tlsCAFile={quote_plus(str(options.certificate))}" if options.certificate else ""
    return f"mongodb://{who}127.0.0.1:{port}{tls}"


def _secantus_arguments(
    kind: str, port: int, home: Path, options: ServerOptions, storage: Path | None
) -> list[str]:
    settings = home / "secantusd.toml"
    settings.touch()  # keeps the server from reading the user's settings
    arguments = ["secantus.cli", "--config", str(settings), "--port", str(port)]
    arguments += ["--storage-path", str(storage or ":memory:")]
    if kind == "secantus":
        arguments += ["--standalone"]
    if options.user:
        arguments += ["--auth"]
    if options.certificate:
        arguments += ["--tls-cert-file", str(options.certificate), "--tls-key-file", str(options.certificate)]
    return arguments


def _ferretdb_arguments(port: int, home: Path) -> list[str]:
    data = home / "data"
    data.mkdir(exist_ok=True)
    arguments = [str(FERRETDB), "--handler=sqlite", f"--sqlite-url=file:{data}/", f"--state-dir={home}"]
    return [*arguments, f"--listen-addr=127.0.0.1:{port}", "--debug-addr=-", "--telemetry=disable"]


def _nx_arguments(port: int, home: Path) -> list[str]:
    arguments = ["nx_27017.nx_27017", "--data-dir", "memory", "--port", str(port)]
    return [*arguments, "--pid-file", str(home / "server.pid"), "--log-file", os.devnull]
