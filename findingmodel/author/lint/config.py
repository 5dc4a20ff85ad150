"""Which rules count in a collection: the file ``.findingmodel.toml`` and the options of a command."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from findingmodel.author.lint.rule import Level
from findingmodel.author.lint.rules import RULES
from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FILENAME = ".findingmodel.toml"
NOT_DUPLICATES = "not-duplicates.txt"
_ALL = "all"
_TABLES = {"duplicates": {"not"}, "lint": {"select", "ignore", "level", "ignore-in"}}
"""The tables of the file, and their keys."""


@dataclass(frozen=True)
class LintConfig:
    """Which rules count, and how much.

    Attributes:
        levels: the level of each active rule, by code.
        ignored_in: rules that do not count for some files: a pattern of paths, and codes.
        root: the directory that the patterns are relative to; None if there is no configuration file.
    """

    levels: Mapping[str, Level] = field(
        default_factory=lambda: {code: rule.level for code, rule in RULES.items()}
    )
    ignored_in: tuple[tuple[str, frozenset[str]], ...] = ()
    root: Path | None = None

    def level_of(self, code: str, path: Path) -> Level | None:
        """Return how much a violation of the rule *code* in the file *path* matters; None if not at all."""
        level = self.levels.get(code)
        if level is None or not self.ignored_in or self.root is None:
            return level
        absolute = path.absolute()
        root = self.root.absolute()
        below = absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else path.name
        ignored = any(code in codes and fnmatchcase(below, pattern) for pattern, codes in self.ignored_in)
        return None if ignored else level

    def narrowed(
        self, *, select: Iterable[str] = (), ignore: Iterable[str] = (), min_level: Level = Level.REVIEW
    ) -> LintConfig:
        """Return this configuration with the options of a command.

        Args:
            select: codes, levels or "all", which replace the selection of the configuration; empty keeps it.
            ignore: codes or levels to leave out.
            min_level: leave out rules of lower levels.

        Raises:
            ConfigError: one of them is neither a code nor a level.
        """
        chosen = codes_of(select, self.levels, "--select")
        defaults = {code: rule.level for code, rule in RULES.items()}
        known = defaults | dict(self.levels)
        levels = {code: known[code] for code in chosen} if chosen else dict(self.levels)
        left_out = codes_of(ignore, known, "--ignore")
        reported = list(Level)[: list(Level).index(min_level) + 1]
        kept = {code: level for code, level in levels.items() if code not in left_out and level in reported}
        return replace(self, levels=kept)


@dataclass(frozen=True)
class CollectionConfig:
    """The content of ``.findingmodel.toml``.

    Attributes:
        root: the directory that the file is in; without a file, the directory that was asked about.
        lint: which rules count.
        not_duplicates: the file of pairs of models that are not duplicates; it need not exist.
    """

    root: Path
    lint: LintConfig
    not_duplicates: Path


def load_config(start: Path) -> CollectionConfig:
    """Return the configuration of the collection that *start*, a file or a directory, belongs to.

    It is the nearest ``.findingmodel.toml`` in the directory of *start* or above it; the search ends at the
    root of a git repository. Without one, all rules count with their own levels.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has a key or a value that is not known.
    """
    directory = start if start.is_dir() else start.parent
    for candidate in (directory.absolute(), *directory.absolute().parents):
        if (candidate / FILENAME).is_file():
            return read_config(candidate / FILENAME)
        if (candidate / ".git").exists():
            break
    return CollectionConfig(directory, LintConfig(), directory / NOT_DUPLICATES)


def read_config(path: Path) -> CollectionConfig:
    """Return the configuration in the file *path*.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or has a key or a value that is not known.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    for name, table in document.items():
        _check_name(name, _TABLES, str(path), "table")
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {name} must be a table: write [{name}] and its keys below")
        for key in table:
            _check_name(key, _TABLES[name], f"{path}: [{name}]", "key")
    lint = document.get("lint", {})
    where = f"{path}: lint."
    configured = {code: rule.level for code, rule in RULES.items()} | _levels(
        lint.get("level", {}), f"{where}level"
    )
    selected = codes_of(_list(lint.get("select", [_ALL]), f"{where}select"), configured, f"{where}select")
    ignored = codes_of(_list(lint.get("ignore", []), f"{where}ignore"), configured, f"{where}ignore")
    levels = {code: configured[code] for code in RULES if code in selected and code not in ignored}
    not_duplicates = _inner_path(document.get("duplicates", {}).get("not", NOT_DUPLICATES), path)
    ignored_in = _ignored_in(lint.get("ignore-in", {}), configured, f"{where}ignore-in")
    rules = LintConfig(levels, ignored_in, path.parent)
    return CollectionConfig(path.parent, rules, path.parent / not_duplicates)


def _inner_path(name: Any, path: Path) -> str:
    """Return *name* if it is a file in the collection, whose configuration may come from anybody."""
    inner = PurePath(name) if isinstance(name, str) else None
    if inner is None or not inner.name or inner.is_absolute() or ".." in inner.parts:
        raise ConfigError(f"{path}: duplicates.not must name a file in {path.parent} or below it, in quotes")
    return str(inner)


def codes_of(names: Iterable[str], levels: Mapping[str, Level], where: str) -> frozenset[str]:
    """Return the codes that *names* stand for: codes, levels and "all".

    Args:
        names: what to look up.
        levels: the level of each rule, by code.
        where: what names them, for the message of an error.

    Raises:
        ConfigError: a name is neither a code nor a level.
    """
    found: set[str] = set()
    for name in names:
        if name == _ALL:
            found.update(RULES)
        elif name in set(Level):
            found.update(code for code, level in levels.items() if level == name)
        else:
            _check_name(name, [*RULES, *Level, _ALL], where, "rule or level")
            found.add(name)
    return frozenset(found)


def _levels(table: Any, where: str) -> dict[str, Level]:
    if not isinstance(table, dict):
        raise ConfigError(f'{where} must be a table, such as [lint.level] with title-case = "error" below it')
    for code, level in table.items():
        _check_name(code, RULES, where, "rule")
        if level not in list(Level):
            raise ConfigError(f'{where}.{code} must be "error", "warning" or "review", not {level!r}')
    return {code: Level(level) for code, level in table.items()}


def _ignored_in(
    table: Any, levels: Mapping[str, Level], where: str
) -> tuple[tuple[str, frozenset[str]], ...]:
    if not isinstance(table, dict):
        raise ConfigError(f'{where} must be a table, with lines such as "devices/*" = ["name-with"]')
    return tuple(
        (pattern, codes_of(_list(names, f"{where}.{pattern}"), levels, f"{where}.{pattern}"))
        for pattern, names in table.items()
    )


def _list(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f'{where} must be a list of names, such as ["title-case", "review"]')
    return value


def _check_name(name: str, known: Iterable[str], where: str, kind: str) -> None:
    names = list(known)
    if name in names:
        return
    from rapidfuzz import process

    near = process.extractOne(name, names, score_cutoff=70)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(names))}"
    raise ConfigError(f"{where}: {name!r} is not a {kind}: {hint}")
