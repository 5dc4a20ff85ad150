"""Settings: arguments > environment > ``.env`` in the current directory > defaults.

`Settings` is the table of all settings: each field states its rule, default, help and variables once, for
loading, ``findingmodel config`` and the documentation. An empty variable counts as absent. A variable of the
environment hides the one of the same name in ``.env``. The environment is never modified.

By hand instead of pydantic-settings, because short commands read settings and do not import pydantic.
"""

from __future__ import annotations

import re
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel import limits
from findingmodel.errors import ConfigError
from findingmodel.variables import PREFIX, Variable, misnamed, read_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
"""A valid branch name. Collections and tables are named after the branch."""

_HIDDEN = "***"
_DATABASE = re.compile(r"sqlite:.*|mongodb(\+srv)?://.+|.+\.(db|sqlite3?)", re.IGNORECASE)
MONGODB_NAME = re.compile(r'[^/\\. "$*<>:|?\0]{1,63}')
"""A valid name of a MongoDB database, whatever operating system the server runs on."""

# From the first colon, escaped or not, to the last @: this hides passwords with an unescaped @, / or ?.
_PASSWORD = re.compile(
    r"\A((?:[a-z][a-z0-9+.-]*:/+)?+(?:(?!%3a)[^:])*)(?::|%3a).*@", re.IGNORECASE | re.DOTALL
)
_SECRET_OPTION = re.compile(
    r"([?&;][^=&;]*(?:pass(?:word|phrase|wd)|pwd|secret|token|authmechanismproperties)[^=&;]*=)[^&;]*",
    re.IGNORECASE,
)


def masked(uri: str) -> str:
    """Replace the password in *uri*, and query options that hold secrets, by ``***``.

    Never fails: of a malformed URI, too much is hidden rather than too little. SQLite URLs have no password
    and are returned unchanged.

    >>> masked("mongodb://user:p@ss/word@host:27017/?tls=true&tlsCertificateKeyFilePassword=x")
    'mongodb://user:***@host:27017/?tls=true&tlsCertificateKeyFilePassword=***'
    """
    if uri.lower().startswith("sqlite:"):
        return uri
    return _SECRET_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", uri, count=1))


def server_of(uri: str) -> str:
    """Return the servers and the user of a MongoDB URI, without password and options.

    >>> server_of("mongodb://user:secret@host:27017/findings?tls=true")
    'mongodb://user:***@host:27017'
    """
    server = re.match(r"[^:/?#]*://[^/?#]*", masked(uri))
    return server[0] if server else "mongodb://"


class SettingView(NamedTuple):
    """A setting as it is shown to users.

    Attributes:
        name: the field of `Settings`, and the keyword of `Settings.load`.
        value: its value, without passwords.
        source: ``argument``, ``environment NAME``, ``.env NAME`` or ``default``.
        help: one sentence.
        variables: the environment variables that set it; the first that is set wins.
        allowed: the allowed values, in words.
    """

    name: str
    value: str | int
    source: str
    help: str
    variables: tuple[str, ...]
    allowed: str


class _Rule(NamedTuple):
    """Converts text to a value; where `parse` raises ValueError, `allowed` describes valid values."""

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


def _path(allowed: str) -> _Rule:
    return _text(re.compile(r"[^\0]+"), allowed)


_MILLISECONDS = _whole(1, 3_600_000)


def _default_db() -> str:
    from urllib.parse import quote

    import platformdirs

    path = platformdirs.user_data_path("findingmodel", appauthor=False) / "index.db"
    return f"sqlite:///{quote(path.as_posix())}"


def state_directory() -> Path:
    """Return the directory for the state of this user's programs, such as ledgers; it is not created."""
    import platformdirs

    return platformdirs.user_state_path("findingmodel", appauthor=False)


def _setting(rule: _Rule, default: Any, line: str, *variables: str, secret: bool = False) -> Any:
    """Describe a setting.

    Args:
        rule: converts and checks its text.
        default: a value, or a function that returns one.
        line: its help.
        variables: its environment variables; by default ``FINDINGMODEL_`` and its name.
        secret: whether its value is never shown.
    """
    about = {"rule": rule, "help": line, "variables": variables, "secret": secret}
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
        _text(_DATABASE, "sqlite:///PATH, mongodb://HOST/NAME, mongodb+srv://HOST/NAME or a path like x.db"),
        _default_db,
        "Where the index is; by default a SQLite file in the user's data directory.",
        "FINDINGMODEL_DB",
        "MONGODB_URI",
    )
    mongodb_db: str = _setting(
        _text(MONGODB_NAME, r'1 to 63 characters, none of them a space or one of / \ . " $ * < > : | ?'),
        "findingmodels",
        "MongoDB: the database, if the URL names none.",
        "MONGODB_DB",
    )
    branch: str = _setting(
        _text(BRANCH, "a letter or digit, then up to 62 letters, digits, _ . or -"),
        "main",
        "The branch: one of several indexes in a database.",
    )
    driver: Literal["motor", "pymongo"] = _setting(
        _choice("motor", "pymongo"),
        "motor",
        "MongoDB: the driver; pymongo is pymongo's own asynchronous client.",
        "FINDINGMODEL_MONGODB_DRIVER",
    )
    mongodb_max_pool_size: int = _setting(
        _whole(1, 10_000), limits.POOL_MAX_SIZE, "MongoDB: maximum number of connections per server."
    )
    mongodb_min_pool_size: int = _setting(
        _whole(0, 10_000), limits.POOL_MIN_SIZE, "MongoDB: number of connections per server that stay open."
    )
    mongodb_max_idle_ms: int = _setting(
        _whole(1, 86_400_000),
        limits.POOL_MAX_IDLE_MS,
        "MongoDB: milliseconds after which an idle connection is closed.",
    )
    mongodb_wait_queue_timeout_ms: int = _setting(
        _MILLISECONDS,
        limits.POOL_WAIT_QUEUE_TIMEOUT_MS,
        "MongoDB: milliseconds to wait for a free connection.",
    )
    mongodb_server_selection_timeout_ms: int = _setting(
        _MILLISECONDS,
        limits.SERVER_SELECTION_TIMEOUT_MS,
        "MongoDB: milliseconds to wait for a server; a distant one may need 10 s.",
    )
    mongodb_connect_timeout_ms: int = _setting(
        _MILLISECONDS, limits.CONNECT_TIMEOUT_MS, "MongoDB: milliseconds to wait for a new connection."
    )
    mongodb_socket_timeout_ms: int = _setting(
        _MILLISECONDS,
        limits.SOCKET_TIMEOUT_MS,
        "MongoDB: milliseconds to wait for a reply; the server gives up too.",
    )
    mongodb_retry_attempts: int = _setting(
        _whole(1, 100),
        limits.RETRY_ATTEMPTS,
        "MongoDB: maximum attempts at an operation while the connection fails.",
    )
    mongodb_retry_seconds: int = _setting(
        _whole(0, 3_600),
        limits.RETRY_SECONDS,
        "MongoDB: seconds after the first attempt in which retries may begin.",
    )
    mongodb_breaker_failures: int = _setting(
        _whole(1, 10_000),
        limits.BREAKER_FAILURES,
        "MongoDB: failures in a row that open the circuit breaker.",
    )
    mongodb_breaker_seconds: int = _setting(
        _whole(1, 3_600), limits.BREAKER_SECONDS, "MongoDB: seconds the circuit breaker stays open."
    )
    concurrency: int = _setting(
        _whole(1, 1_000), limits.CONCURRENCY, "Update: chunks of files that are processed at the same time."
    )
    batch_size: int = _setting(_whole(1, 100_000), limits.BATCH_SIZE, "Update: models per write.")
    max_file_bytes: int = _setting(
        _whole(1, 2**31), limits.MAX_FILE_BYTES, "Update: maximum size of a file; larger files fail."
    )
    max_nesting: int = _setting(
        _whole(10, limits.MAX_NESTING),
        limits.MAX_NESTING,
        "Update: maximum depth of lists and objects in a file.",
    )
    lease_seconds: int = _setting(
        _whole(1, 86_400),
        limits.LEASE_SECONDS,
        "Update: seconds after which the lease of a crashed update expires.",
    )
    cache_ttl_seconds: int = _setting(
        _whole(1, 86_400), limits.CACHE_TTL_SECONDS, "Search: seconds for which results are cached."
    )
    cache_size: int = _setting(
        _whole(1, 10_000_000), limits.CACHE_SIZE, "Search: maximum number of cached results."
    )
    cache_file: str = _setting(
        _path("a path"),
        "",
        "Search on MongoDB: a file in which processes share cached results.",
    )
    warm_queries: str = _setting(
        _path("a path"),
        "",
        "Search: a file of frequent queries, one a line, answered when an Index opens.",
    )
    ledger: str = _setting(_path("a path, or off"), "", "Where changes to the index are recorded, or off.")
    ledger_max_bytes: int = _setting(
        _whole(10_000, 2**31), limits.LEDGER_MAX_BYTES, "Ledger: rotate the file at this size."
    )
    ledger_keep: int = _setting(
        _whole(0, 1_000), limits.LEDGER_KEEP, "Ledger: number of rotated files to keep."
    )
    mcp_token: str = _setting(
        _text(re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*"), "16 to 512 letters, digits or ._~+/-"),
        "",
        "Agents: the bearer token that requests over HTTP must carry.",
        secret=True,
    )
    log: Literal["off", "json", "text"] = _setting(
        _choice("off", "json", "text"), "off", "Log operations and their durations on stderr."
    )
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    ignored: tuple[str, ...] = field(default=(), compare=False)
    """For each variable that begins as those of the settings and is none of them, a sentence about it."""

    @classmethod
    def load(cls, **overrides: object) -> Settings:
        """Return the settings of this process: *overrides* > environment > ``.env`` > defaults.

        Args:
            overrides: values by field name; None is ignored.

        Raises:
            ConfigError: a value is not allowed, a name is unknown, or ``.env`` cannot be read.
        """
        known = {setting.name: setting for setting in _settings()}
        if unknown := overrides.keys() - known.keys():
            raise ConfigError(f"there is no setting {min(unknown)!r}; the settings are {', '.join(known)}")
        variables = read_variables()
        texts = {name: text for name in known if (text := _find(known[name], overrides.get(name), variables))}
        values: dict[str, Any] = {name: _parsed(known[name], text) for name, text in texts.items()}
        settings = cls(
            **values,
            sources={name: text.source for name, text in texts.items()},
            ignored=tuple(misnamed(variables, {v for s in known.values() for v in _variables(s)})),
        )
        if settings.mongodb_min_pool_size > settings.mongodb_max_pool_size:
            raise ConfigError(
                f"mongodb_min_pool_size is {settings.mongodb_min_pool_size}, more than mongodb_max_pool_size,"
                f" which is {settings.mongodb_max_pool_size}; lower the first or raise the second"
            )
        return settings

    @property
    def is_server(self) -> bool:
        """Whether the index is on a server, which can answer several queries at the same time."""
        return self.db.lower().startswith("mongodb")

    def describe(self) -> list[SettingView]:
        """Return every setting with its value and source, in the order of this class."""
        return [
            SettingView(
                setting.name,
                _shown(setting, getattr(self, setting.name)),
                self.sources.get(setting.name, "default"),
                setting.metadata["help"],
                _variables(setting),
                setting.metadata["rule"].allowed,
            )
            for setting in _settings()
        ]

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{view.name}={view.value!r}' for view in self.describe())})"


def _settings() -> Iterator[Field[Any]]:
    return (setting for setting in fields(Settings) if setting.metadata)


def _variables(setting: Field[Any]) -> tuple[str, ...]:
    return setting.metadata["variables"] or (f"{PREFIX}{setting.name.upper()}",)


def _shown(setting: Field[Any], value: Any) -> Any:
    """Return *value* without passwords; of a secret, only whether there is one."""
    if setting.metadata["secret"]:
        return _HIDDEN if value else value
    return masked(value) if isinstance(value, str) else value


def _find(setting: Field[Any], argument: object, variables: Mapping[str, Variable]) -> Variable | None:
    """Return the text of *setting* from the source that takes precedence."""
    if argument is not None:
        return Variable(str(argument), "argument")
    for name in _variables(setting):
        if name in variables and (text := _unquoted(variables[name].text.strip())):
            return variables[name]._replace(text=text)
    return None


def _unquoted(text: str) -> str:
    """Remove the pair of quotes that some tools for environment files leave around a value."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _parsed(setting: Field[Any], text: Variable) -> str | int:
    rule: _Rule = setting.metadata["rule"]
    try:
        return rule.parse(text.text)
    except ValueError:
        value = _shown(setting, text.text)
        raise ConfigError(
            f"the setting {setting.name} ({text.source}) cannot be {value!r}; allowed is {rule.allowed}"
        ) from None
