"""Settings: the order of sources, invalid values, and masked passwords."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.errors import ConfigError
from findingmodel.settings import BRANCH, Settings, masked

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_directory")

VARIABLES = [name for view in Settings().describe() for name in view.variables]


def test_without_sources_every_setting_has_its_default() -> None:
    settings = Settings.load()
    assert settings == Settings()
    assert {view.source for view in settings.describe()} == {"default"}
    assert (settings.branch, settings.driver, settings.mongodb_db) == ("main", "motor", "findingmodels")


def test_the_default_index_is_a_file_in_the_users_data_directory(tmp_path: Path) -> None:
    assert Settings.load().db.startswith("sqlite:////")
    assert Settings.load().db.endswith("/findingmodel/index.db")
    assert not (tmp_path / "data").exists()


def test_a_data_directory_with_odd_characters_survives_the_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "50% off?#"
    monkeypatch.setenv("XDG_DATA_HOME", str(odd))
    assert quote(str(odd)) in Settings.load().db


def test_arguments_precede_environment_env_file_and_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings.load().batch_size == 1_000
    (tmp_path / ".env").write_text("FINDINGMODEL_BATCH_SIZE=1\n")
    assert Settings.load().batch_size == 1
    monkeypatch.setenv("FINDINGMODEL_BATCH_SIZE", "2")
    assert Settings.load().batch_size == 2
    assert Settings.load(batch_size=3).batch_size == 3


@pytest.mark.parametrize(
    ("argument", "environment", "expected", "source"),
    [
        (None, {}, "index.db", "default"),
        (None, {"MONGODB_URI": "mongodb://b"}, "mongodb://b", "environment MONGODB_URI"),
        (
            None,
            {"MONGODB_URI": "mongodb://b", "FINDINGMODEL_DB": "a.db"},
            "a.db",
            "environment FINDINGMODEL_DB",
        ),
        ("x.db", {"MONGODB_URI": "mongodb://b", "FINDINGMODEL_DB": "a.db"}, "x.db", "argument"),
        (
            None,
            {"MONGODB_URI": "mongodb://b", "FINDINGMODEL_DB": " "},
            "mongodb://b",
            "environment MONGODB_URI",
        ),
    ],
)
def test_which_database_is_used(
    argument: str | None,
    environment: dict[str, str],
    expected: str,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load(db=argument)
    assert settings.db.endswith(expected)
    assert settings.describe()[0].source == source


def test_quotes_around_a_value_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", '"mongodb://host/findings"')
    assert Settings.load().db == "mongodb://host/findings"


def test_the_environment_is_not_modified(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MONGODB_DB=other\nUNRELATED=1\nEMPTY\n")
    before = dict(os.environ)
    assert Settings.load().mongodb_db == "other"
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "content", [b"FINDINGMODEL_BRANCH=\xff\xfe\n", b"\xef\xbb\xbfFINDINGMODEL_BRANCH=-bad\n"]
)
def test_an_invalid_env_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigError, match=r"\.env"):
        Settings.load()


def test_a_directory_named_env_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert Settings.load() == Settings()


NUMBERS = [view for view in Settings().describe() if isinstance(view.value, int)]


@pytest.mark.parametrize("view", NUMBERS, ids=lambda view: view.name)
def test_numbers_outside_their_bounds_are_refused(view, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    low, high = map(int, re.findall(r"\d+", view.allowed))
    assert low >= 0
    assert low <= view.value <= high
    for wrong in (low - 1, high + 1, "many", "1.5", True):
        monkeypatch.setenv(view.variables[0], str(wrong))
        with pytest.raises(
            ConfigError, match=f"{view.name} .*{view.variables[0]}.*{str(wrong)!r}.*{low} to {high}"
        ):
            Settings.load()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("db", "mysql://host/x"),
        ("db", "findings"),
        ("branch", "../up"),
        ("branch", "-x"),
        ("branch", "a" * 64),
        ("branch", "main\n"),
        ("driver", "mongoengine"),
        ("mongodb_db", "a.b"),
        ("mongodb_db", "a" * 64),
    ],
)
def test_invalid_texts_are_refused(name: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=rf"the setting {name} \(argument\) cannot be .*allowed is"):
        Settings.load(**{name: wrong})


def test_a_minimum_pool_size_above_the_maximum_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mongodb_min_pool_size is 10.*mongodb_max_pool_size.*is 5"):
        Settings.load(mongodb_max_pool_size=5, mongodb_min_pool_size=10)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'colour'.*branch"):
        Settings.load(colour="red")


def test_an_invalid_value_is_shown_without_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load(db="postgres://me:hunter2@host/x")
    assert "postgres://me:***@host/x" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_show_no_password() -> None:
    settings = Settings.load(db="mongodb://me:hunter2@host/x")
    assert settings.db == "mongodb://me:hunter2@host/x"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.describe())
    assert "mongodb://me:***@host/x" in repr(settings)


def test_settings_are_values() -> None:
    one, two = Settings.load(branch="dev"), replace(Settings(), branch="dev")
    assert one == two
    assert len({one, two}) == 1
    with pytest.raises(AttributeError):
        one.branch = "main"  # type: ignore[misc]


def test_every_setting_is_described_and_has_its_own_variable() -> None:
    views = Settings().describe()
    assert [view.name for view in views] == [
        field.name for field in fields(Settings) if field.name not in ("sources", "ignored")
    ]
    assert len(set(VARIABLES)) == len(VARIABLES) > len(views)
    assert all(view.help.endswith(".") and len(view.help) < 80 for view in views)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://host:27017/findings", "mongodb://host:27017/findings"),
        ("mongodb://me@host/", "mongodb://me@host/"),
        ("mongodb://user:secret@host/", "mongodb://user:***@host/"),
        ("mongodb://user:secret@a:1,b:2/x?replicaSet=r", "mongodb://user:***@a:1,b:2/x?replicaSet=r"),
        ("mongodb+srv://u:secret@cluster.example/x", "mongodb+srv://u:***@cluster.example/x"),
        ("mongodb://me@clinic.example:secret@host/", "mongodb://me@clinic.example:***@host/"),
        ("mongodb://u:secret/with?odd#secret@host/", "mongodb://u:***@host/"),
        ("mongodb://u:sec@ret@host/", "mongodb://u:***@host/"),
        ("mongodb://host/x?appName=a@b", "mongodb://host/x?appName=a@b"),
        (
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=secret&w=1",
            "mongodb://h/?tls=true&tlsCertificateKeyFilePassword=***&w=1",
        ),
        (
            "mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:secret",
            "mongodb://h/?authMechanismProperties=***",
        ),
        ("mongodb://h/?ssl_pem_passphrase=secret", "mongodb://h/?ssl_pem_passphrase=***"),
        ("mongodb://me%3Asecret@host/", "mongodb://me:***@host/"),
        ("u:secret@host", "u:***@host"),
        ("mongodb:u:secret@host", "mongodb:***@host"),
        ("MONGODB://u:secret@host", "MONGODB://u:***@host"),
        ("sqlite:////data/a:b@c.db", "sqlite:////data/a:b@c.db"),
        ("", ""),
        ("@:@", "@:***@"),
    ],
)
def test_masked_uris(uri: str, shown: str) -> None:
    assert masked(uri) == shown
    assert "secret" not in shown


@given(
    user=st.text("abc.-_%+@", min_size=1),
    password=st.text(min_size=1).map(lambda text: f"<{text}>"),
    host=st.sampled_from(["host", "host:27017", "a:1,b:2"]),
    tail=st.sampled_from(["", "/", "/db", "/db?w=1", "?x"]),
)
def test_no_password_survives_masking(user: str, password: str, host: str, tail: str) -> None:
    shown = masked(f"mongodb://{user}:{password}@{host}{tail}")
    assert shown == f"mongodb://{user}:***@{host}{tail}"


@given(st.text())
def test_masking_never_fails_and_is_idempotent(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@given(st.from_regex(BRANCH, fullmatch=True))
def test_every_branch_name_that_matches_the_pattern_is_accepted(branch: str) -> None:
    assert Settings.load(branch=branch).branch == branch
