"""Passwords and TLS: the URI reaches the server, and no failure shows its secrets."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, Literal

import pytest
from click.testing import CliRunner

from findingmodel import Index
from findingmodel.cli.main import cli
from findingmodel.errors import FindingModelError, StoreError, StoreUnavailableError
from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.retry import RetryPolicy
from findingmodel.stores.mongo.store import MongoStore
from findingmodel.stores.records import WriteBatch
from tests.builders import write_model
from tests.proxy import Mode, Proxy
from tests.servers import ServerOptions, need, running, self_signed_certificate
from tests.stores.samples import make_record, upserts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from tests.servers import Server

pytestmark = [
    pytest.mark.mongo,
    # PyMongo's own asyncio client leaves a socket to the garbage collector when a log-in is refused.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

PASSWORD = "s3cret-p@ss/w:rd"
PARTS = ("s3cret", "p@ss", "p%40ss", "w:rd", "w%3Ard")
QUICK = PoolSettings(
    min_pool_size=0, server_selection_timeout_ms=400, connect_timeout_ms=400, socket_timeout_ms=400
)
RETRY = RetryPolicy(attempts=1, seconds=0, breaker_failures=2, breaker_seconds=60)

each_driver = pytest.mark.parametrize("driver", ["motor", "pymongo"])
Driver = Literal["motor", "pymongo"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that requires a password and TLS."""
    need("secantus")
    directory = tmp_path_factory.mktemp("guarded")
    certificate = self_signed_certificate(directory)
    options = ServerOptions(storage=directory / "data", user=("ann", PASSWORD), certificate=certificate)
    with running("secantus", options) as server:
        yield server


@pytest.fixture
def proxy(guarded: Server) -> Iterator[Proxy]:
    with Proxy(guarded.uri) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def every_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Record all log messages of the driver and of this package."""
    caplog.set_level(logging.DEBUG)
    return caplog


def shown(error: BaseException) -> str:
    """Return all that is shown of an error: text, repr and traceback, with those of its causes."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in chain:
            chain.append(one)
            waiting += [one.__cause__, one.__context__]
    return "".join(
        [*traceback.format_exception(error), *(f"{one!r} {one} {one.args!r} {vars(one)!r}" for one in chain)]
    )


def assert_no_secret(text: str) -> None:
    found = [text[max(0, text.index(part) - 60) : text.index(part) + 20] for part in PARTS if part in text]
    assert found == []


QUESTIONS: dict[str, Callable[[MongoStore], Coroutine[Any, Any, Any]]] = {
    "read": lambda store: store.get(["x"]),
    "write": lambda store: store.write(upserts(make_record(1))),
    "step": lambda store: store.advance(),
}


@pytest.fixture
async def store(proxy: Proxy, driver: Driver) -> AsyncIterator[MongoStore]:
    store = MongoStore(proxy.uri, database="findings", pool=QUICK._replace(driver=driver), retry=RETRY)
    yield store
    await store.close()


# Not HALF_OPEN with pymongo's own client, where asyncio waits up to a minute for TLS.
@pytest.mark.parametrize(
    ("driver", "mode"),
    [
        ("motor", Mode.RESET),
        ("motor", Mode.HALF_OPEN),
        ("pymongo", Mode.REFUSE),
    ],
)
async def test_no_failure_shows_a_password(
    proxy: Proxy, store: MongoStore, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    await store.write(WriteBatch(upserts=[make_record(1)]))
    proxy.mode = mode
    for ask in QUESTIONS.values():  # the breaker opens before the last
        with pytest.raises(StoreUnavailableError) as raised:
            await ask(store)
        assert_no_secret(shown(raised.value))
        assert "mongodb://ann:***@127.0.0.1" in str(raised.value)
    assert "was not asked" in str(raised.value)
    assert_no_secret(repr(store) + repr(store.connection) + repr(vars(store.connection._calls)))
    assert len(caplog.records) > 10
    assert_no_secret(caplog.text)


@each_driver
async def test_a_wrong_password_is_reported_without_showing_it(
    guarded: Server, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    uri = guarded.uri.replace("s3cret", "s3cret2")
    store = MongoStore(uri, database="findings", pool=QUICK._replace(driver=driver), retry=RETRY)
    for ask in (QUESTIONS["read"], QUESTIONS["write"]):
        with pytest.raises(StoreError, match="did not accept the user name and password") as raised:
            await ask(store)
        assert_no_secret(shown(raised.value))
    await store.close()
    assert_no_secret(caplog.text)


# TLS


@each_driver
async def test_options_of_the_uri_reach_the_driver(store: MongoStore) -> None:
    await store.write(upserts(make_record(1)))
    assert (await store.counts()).models >= 1


@each_driver
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("tls=true", "certificate verify failed"),
        ("tls=false", "the connection failed|no server answered in time"),
    ],
)
async def test_a_server_that_is_not_trusted_is_reported(
    guarded: Server, driver: Driver, options: str, words: str
) -> None:
    uri = f"{guarded.uri.partition('?')[0]}?{options}"
    store = MongoStore(uri, database="findings", pool=QUICK._replace(driver=driver), retry=RETRY)
    with pytest.raises(StoreUnavailableError, match=words) as raised:
        await store.counts()
    await store.close()
    assert_no_secret(shown(raised.value))


@each_driver
@pytest.mark.parametrize(
    "option",
    [
        "tlsCAFile=/no/such/file.pem",
        "tlsCertificateKeyFile=/no/such.pem&tlsCertificateKeyFilePassword=s3cret",
        "tlsAllowInvalidCertificates=maybe",
        "authMechanismProperties=AWS_SESSION_TOKEN:s3cret&authMechanism=MONGODB-X509",
        "authMechanism=NONE",
    ],
)
async def test_options_that_cannot_be_used_are_reported_without_secrets(driver: Driver, option: str) -> None:
    uri = f"mongodb://ann:s3cret@127.0.0.1:9/?tls=true&{option}"
    store = MongoStore(uri, database="findings", pool=QUICK._replace(driver=driver))
    with pytest.raises(FindingModelError) as raised:
        await store.counts()
    await store.close()
    assert_no_secret(shown(raised.value) + repr(store))


# above the store


async def test_an_index_shows_no_password(proxy: Proxy, tmp_path: Path) -> None:
    write_model(tmp_path, "1.fm.json", 1)
    proxy.mode = Mode.REFUSE
    async with Index(f"{proxy.uri}&serverSelectionTimeoutMS=300") as index:
        for call in (index.count(), index.search("mass"), index.update_from_directory(tmp_path)):
            with pytest.raises(StoreUnavailableError) as raised:
                await call
            assert_no_secret(shown(raised.value) + repr(index))


@pytest.mark.parametrize("command", [["index", "stats"], ["search", "mass"], ["index", "update", "."]])
def test_a_command_ends_with_3_and_one_sentence_in_time(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    write_model(tmp_path, "1.fm.json", 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS", "400")
    proxy.mode = Mode.REFUSE
    begun = time.monotonic()
    done = CliRunner().invoke(cli, [*command, "--db", proxy.uri])
    assert time.monotonic() - begun < 3
    assert done.exit_code == 3
    assert done.stdout == ""
    assert done.stderr.startswith("Error: cannot ")
    assert done.stderr.count("\n") == 1
    assert "no server answered in time" in done.stderr
    assert_no_secret(done.output)
