"""Settings: arguments > environment > ``.env`` in the current directory > defaults.

`Settings` is also the table of all settings: each field states its variables, rule, default and help once;
loading, ``findingmodel config`` and the documentation are made from it. An empty variable counts as absent. A
variable of the environment hides the one of the same name in ``.env``. The environment is never written to.
"""

from __future__ import annotations

import os
import re
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel import limits
from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["BRANCH", "MONGODB_NAME", "SettingView", "Settings", "masked", "server_of", "state_directory"]

BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""What a branch may be called, because collections and tables are named after it."""

_DATABASE = re.compile(r"sqlite:.*|mongodb(\+srv)?://.+|.+\.(db|sqlite3?)", re.IGNORECASE)
MONGODB_NAME = re.compile(r'[^/\\. "$*<>:|?\0]{1,63}')
"""What a database may be called, on servers of every system."""

# From the first colon, escaped or not, to the last @: a password with an unescaped @, / or ? is hidden whole.
_PASSWORD = re.compile(
    r"\A((?:[a-z][a-z0-9+.-]*:/+)?+(?:(?!%3a)[^:])*)(?::|%3a).*@", re.IGNORECASE | re.DOTALL
)
_SECRET_OPTION = re.compile(
    r"([?&;][^=&;]*(?:pass(?:word|phrase|wd)|pwd|secret|token|authmechanismproperties)[^=&;]*=)[^&;]*",
    re.IGNORECASE,
)


def masked(uri: str) -> str:
    """Return *uri* fit to be shown: ``***`` for its password and for query options that hold secrets.

    Never fails: a malformed URI loses too much rather than too little. SQLite URLs have no password and stay
    as they are.

    >>> masked("mongodb://user:p@ss/word@host:27017/?tls=true&tlsCertificateKeyFilePassword=x")
    'mongodb://user:***@host:27017/?tls=true&tlsCertificateKeyFilePassword=***'
    """
    if uri.lower().startswith("sqlite:"):
        return uri
    return _SECRET_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", uri, count=1))


def server_of(uri: str) -> str:
    """Return the part of a MongoDB URI that names servers and user, without password and options.

    >>> server_of("mongodb://user:secret@host:27017/findings?tls=true")
    'mongodb://user:***@host:27017'
    """
    server = re.match(r"[^:/?#]*://[^/?#]*", masked(uri))
    return server[0] if server else "mongodb://"


class SettingView(NamedTuple):
    """One setting as a user may see it.

    Attributes:
        name: the field of `Settings`, and the keyword of `Settings.load`.
        value: without passwords.
        source: ``argument``, ``environment NAME``, ``.env NAME`` or ``default``.
        help: one line.
        variables: the environment variables that set it, the first one that is set wins.
        allowed: what its value may be, in words.
    """

    name: str
    value: str | int
    source: str
    help: str
    variables: tuple[str, ...]
    allowed: str


class _Rule(NamedTuple):
    """How text becomes a value; `parse` raises ValueError, and `allowed` then says what was wanted."""

    allowed: str
    parse: Callable[[str], str | int]


def _whole(low: int, high: int) -> _Rule:
    def parse(text: str) -> int:
        if not low <= (value := int(text)) <= high:
            raise ValueError
        return value

    return _Rule(f"a whole number from {low} to {high}", parse)


def _text(pattern: re.Pattern[str], allowed: str) -> _Rule:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return _Rule(allowed, parse)


def _choice(*words: str) -> _Rule:
    return _text(re.compile("|".join(words)), " or ".join(words))


_MILLISECONDS = _whole(1, 3_600_000)


def _default_db() -> str:
    from urllib.parse import quote

    import platformdirs

    path = platformdirs.user_data_path("findingmodel", appauthor=False) / "index.db"
    return f"sqlite:///{quote(path.as_posix())}"


def state_directory() -> Path:
    """Return where this user's programs keep what they note down as they run; nothing is made."""
    import platformdirs

    return platformdirs.user_state_path("findingmodel", appauthor=False)


def _setting(variables: str, rule: _Rule, default: Any, line: str) -> Any:
    """Describe one setting: *variables* separated by spaces, *default* a value or what makes one."""
    about = {"variables": tuple(variables.split()), "rule": rule, "help": line}
    return field(metadata=about, **{"default_factory" if callable(default) else "default": default})


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """All settings of findingmodel. `load` reads and checks them; the constructor fills in plain defaults.

    >>> settings = Settings.load(db="mongodb://me:secret@db.example/findings", concurrency=8)
    >>> settings.concurrency
    8
    >>> settings.describe()[0].value
    'mongodb://me:***@db.example/findings'
    """

    db: str = _setting(
        "FINDINGMODEL_DB MONGODB_URI",
        _text(_DATABASE, "sqlite:///PATH, mongodb://HOST/NAME, mongodb+srv://HOST/NAME or a path like x.db"),
        _default_db,
        "Where the index lives; without it, a SQLite file in the user's data directory.",
    )
    mongodb_db: str = _setting(
        "MONGODB_DB",
        _text(MONGODB_NAME, r'1 to 63 characters, none of them a space or one of / \ . " $ * < > : | ?'),
        "findingmodels",
        "MongoDB: the database, where the URL names none.",
    )
    branch: str = _setting(
        "FINDINGMODEL_BRANCH",
        _text(BRANCH, "a letter or digit, then up to 62 letters, digits, _ . or -"),
        "main",
        "Which of several indexes in one database.",
    )
    driver: Literal["motor", "pymongo"] = _setting(
        "FINDINGMODEL_MONGODB_DRIVER",
        _choice("motor", "pymongo"),
        "motor",
        "MongoDB: the driver; pymongo is its own asynchronous client.",
    )
    mongodb_max_pool_size: int = _setting(
        "FINDINGMODEL_MONGODB_MAX_POOL_SIZE",
        _whole(1, 10_000),
        limits.POOL_MAX_SIZE,
        "MongoDB: most connections to one server.",
    )
    mongodb_min_pool_size: int = _setting(
        "FINDINGMODEL_MONGODB_MIN_POOL_SIZE",
        _whole(0, 10_000),
        limits.POOL_MIN_SIZE,
        "MongoDB: connections kept open to one server.",
    )
    mongodb_max_idle_ms: int = _setting(
        "FINDINGMODEL_MONGODB_MAX_IDLE_MS",
        _whole(1, 86_400_000),
        limits.POOL_MAX_IDLE_MS,
        "MongoDB: how long a connection may idle.",
    )
    mongodb_wait_queue_timeout_ms: int = _setting(
        "FINDINGMODEL_MONGODB_WAIT_QUEUE_TIMEOUT_MS",
        _MILLISECONDS,
        limits.POOL_WAIT_QUEUE_TIMEOUT_MS,
        "MongoDB: how long to wait for a free connection.",
    )
    mongodb_server_selection_timeout_ms: int = _setting(
        "FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS",
        _MILLISECONDS,
        limits.SERVER_SELECTION_TIMEOUT_MS,
        "MongoDB: how long to wait for a server that can answer.",
    )
    mongodb_connect_timeout_ms: int = _setting(
        "FINDINGMODEL_MONGODB_CONNECT_TIMEOUT_MS",
        _MILLISECONDS,
        limits.CONNECT_TIMEOUT_MS,
        "MongoDB: how long a new connection may take.",
    )
    mongodb_socket_timeout_ms: int = _setting(
        "FINDINGMODEL_MONGODB_SOCKET_TIMEOUT_MS",
        _MILLISECONDS,
        limits.SOCKET_TIMEOUT_MS,
        "MongoDB: how long one answer may take.",
    )
    mongodb_retry_attempts: int = _setting(
        "FINDINGMODEL_MONGODB_RETRY_ATTEMPTS",
        _whole(1, 100),
        limits.RETRY_ATTEMPTS,
        "MongoDB: most attempts at one operation while the connection fails.",
    )
    mongodb_retry_seconds: int = _setting(
        "FINDINGMODEL_MONGODB_RETRY_SECONDS",
        _whole(0, 3_600),
        limits.RETRY_SECONDS,
        "MongoDB: no attempt begins later than this after the first.",
    )
    mongodb_breaker_failures: int = _setting(
        "FINDINGMODEL_MONGODB_BREAKER_FAILURES",
        _whole(1, 10_000),
        limits.BREAKER_FAILURES,
        "MongoDB: after so many failures in a row a server is not asked for a while.",
    )
    mongodb_breaker_seconds: int = _setting(
        "FINDINGMODEL_MONGODB_BREAKER_SECONDS",
        _whole(1, 3_600),
        limits.BREAKER_SECONDS,
        "MongoDB: how long that while is.",
    )
    concurrency: int = _setting(
        "FINDINGMODEL_CONCURRENCY",
        _whole(1, 1_000),
        limits.CONCURRENCY,
        "Update: chunks of files in work at once.",
    )
    batch_size: int = _setting(
        "FINDINGMODEL_BATCH_SIZE", _whole(1, 100_000), limits.BATCH_SIZE, "Update: models in one write."
    )
    max_file_bytes: int = _setting(
        "FINDINGMODEL_MAX_FILE_BYTES", _whole(1, 2**31), limits.MAX_FILE_BYTES, "Update: larger files fail."
    )
    max_nesting: int = _setting(
        "FINDINGMODEL_MAX_NESTING",
        _whole(10, limits.MAX_NESTING),
        limits.MAX_NESTING,
        "Update: files that nest lists and objects deeper fail.",
    )
    lease_seconds: int = _setting(
        "FINDINGMODEL_LEASE_SECONDS",
        _whole(1, 86_400),
        limits.LEASE_SECONDS,
        "Update: how long a crashed update holds up the next.",
    )
    cache_ttl_seconds: int = _setting(
        "FINDINGMODEL_CACHE_TTL_SECONDS",
        _whole(1, 86_400),
        limits.CACHE_TTL_SECONDS,
        "Search: how long an answer is remembered.",
    )
    cache_size: int = _setting(
        "FINDINGMODEL_CACHE_SIZE",
        _whole(1, 10_000_000),
        limits.CACHE_SIZE,
        "Search: how many answers are remembered.",
    )
    cache_file: str = _setting(
        "FINDINGMODEL_CACHE_FILE",
        _text(re.compile(r"[^\0]+"), "a path"),
        "",
        "Search on MongoDB: a file where processes remember answers; none by default.",
    )
    ledger: str = _setting(
        "FINDINGMODEL_LEDGER",
        _text(re.compile(r"[^\0]+"), "a path, or off"),
        "",
        "Where it is noted what was done to the index, or off.",
    )
    ledger_max_bytes: int = _setting(
        "FINDINGMODEL_LEDGER_MAX_BYTES",
        _whole(10_000, 2**31),
        limits.LEDGER_MAX_BYTES,
        "Ledger: a file that would grow larger is put aside.",
    )
    ledger_keep: int = _setting(
        "FINDINGMODEL_LEDGER_KEEP",
        _whole(0, 1_000),
        limits.LEDGER_KEEP,
        "Ledger: how many of those are kept.",
    )
    log: Literal["off", "json", "text"] = _setting(
        "FINDINGMODEL_LOG",
        _choice("off", "json", "text"),
        "off",
        "Log lines on stderr: what was done, and how long it took.",
    )
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Return the settings of this process: *overrides* > environment > ``.env`` > defaults.

        Args:
            overrides: values by field name; None means not given.

        Raises:
            ConfigError: a value that is not allowed, an unknown name, or an unreadable ``.env``.
        """
        known = {setting.name: setting for setting in _settings()}
        if unknown := overrides.keys() - known.keys():
            raise ConfigError(f"no setting is called {min(unknown)!r}; there are {', '.join(known)}")
        variables = {**_dotenv(), **_environment()}
        found = {
            name: given for name in known if (given := _find(known[name], overrides.get(name), variables))
        }
        values: dict[str, Any] = {name: _parsed(known[name], given) for name, given in found.items()}
        settings = cls(**values, sources={name: given.source for name, given in found.items()})
        if settings.mongodb_min_pool_size > settings.mongodb_max_pool_size:
            raise ConfigError(
                f"mongodb_min_pool_size is {settings.mongodb_min_pool_size}, more than mongodb_max_pool_size,"
                f" which is {settings.mongodb_max_pool_size}; lower the first or raise the second"
            )
        return settings

    @property
    def is_server(self) -> bool:
        """Whether the index lives on a server, which answers many at once and is waited for."""
        return self.db.lower().startswith("mongodb")

    def describe(self) -> list[SettingView]:
        """Return every setting with its value and where that came from, in the order of this class."""
        return [
            SettingView(
                setting.name,
                _shown(getattr(self, setting.name)),
                self.sources.get(setting.name, "default"),
                setting.metadata["help"],
                setting.metadata["variables"],
                setting.metadata["rule"].allowed,
            )
            for setting in _settings()
        ]

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{view.name}={view.value!r}' for view in self.describe())})"


class _Given(NamedTuple):
    """A value as it was given, and by whom."""

    text: str
    source: str


def _settings() -> Iterator[Field[Any]]:
    return (setting for setting in fields(Settings) if setting.metadata)


def _shown(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


def _environment() -> dict[str, _Given]:
    return {name: _Given(text, f"environment {name}") for name, text in os.environ.items()}


def _dotenv() -> dict[str, _Given]:
    path = Path(".env")
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        values = dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the file .env in the current directory: {error}") from error
    return {name: _Given(text, f".env {name}") for name, text in values.items() if text is not None}


def _find(setting: Field[Any], argument: object, variables: Mapping[str, _Given]) -> _Given | None:
    """The first place that gives *setting* a value."""
    if argument is not None:
        return _Given(str(argument), "argument")
    for name in setting.metadata["variables"]:
        given = variables.get(name)
        if given is not None and (text := _unquoted(given.text.strip())):
            return given._replace(text=text)
    return None


def _unquoted(text: str) -> str:
    """Without the pair of quotes that some tools for environment files leave in place."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _parsed(setting: Field[Any], given: _Given) -> str | int:
    rule: _Rule = setting.metadata["rule"]
    try:
        return rule.parse(given.text)
    except ValueError:
        shown = masked(given.text)
        raise ConfigError(
            f"the setting {setting.name} ({given.source}) cannot be {shown!r}; allowed is {rule.allowed}"
        ) from None
