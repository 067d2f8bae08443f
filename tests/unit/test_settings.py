"""Settings: what the environment may say, and what is answered when it says it wrong."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, load_settings
from tests.support.checkout import CHECKOUT

EXAMPLE = CHECKOUT / ".env.example"
NOT_OURS = {"POSTGRES_PASSWORD"}  # docker-compose.yml's


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.data_dir == CHECKOUT / ".usual"
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.whatsapp_api_url == "https://graph.facebook.com"
    assert settings.log_format == "json"  # the tests' output is no terminal
    assert settings.app_secrets == ()


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = load_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert load_settings() == unset


def test_a_file_named_env_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("PORT=9000\nWORKERS=3\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("WORKERS", "4")
    settings = load_settings()
    assert (settings.port, settings.workers) == (9000, 4)


def test_two_app_secrets_are_valid_while_one_replaces_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WHATSAPP_APP_SECRET", "old, new,")
    assert load_settings().app_secrets == (b"old", b"new")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", "PORT must be a port number, 0 (any free one) to 65535."),
        ("PORT", "70000", "PORT must be a port number, 0 (any free one) to 65535."),
        ("WORKERS", "0", "WORKERS must be a whole number, 1 to 1000."),
        ("IN_DOUBT_SECONDS", "soon", "IN_DOUBT_SECONDS must be a number of seconds, 1 to 3600."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be json or console."),
        ("HOST", "a b", "HOST must be one word."),
        (
            "PUBLIC_URL",
            "bot.example.com",
            "PUBLIC_URL must be an address that begins with https:// or http://.",
        ),
        ("WHATSAPP_API_VERSION", "25", "WHATSAPP_API_VERSION must be a version such as v25.0."),
        ("WHATSAPP_APP_SECRET", " , ", "WHATSAPP_APP_SECRET must be more than blanks."),
        (
            "DATABASE_URL",
            "mysql://usual:hush@db/usual",
            "DATABASE_URL must be an address that begins with postgresql://.",
        ),
        (
            "REDIS_URL",
            "localhost:6379",
            "REDIS_URL must be an address that begins with redis://, rediss:// or unix://.",
        ),
    ],
)
def test_a_wrong_value_is_answered_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == sentence


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match=r"^PORT must .*\nLOG_LEVEL must .*$"):
        load_settings()


def test_an_env_file_that_is_no_text_is_answered_with_a_sentence() -> None:
    Path(".env").write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env must be a text file"):
        load_settings()


def test_every_setting_has_a_sentence_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        if name == "data_dir":  # any text names a folder
            continue
        monkeypatch.setenv(name.upper(), " ,\t")
        with pytest.raises(SettingsError) as caught:
            load_settings()
        assert "of another form" not in str(caught.value)
        monkeypatch.delenv(name.upper())


def test_a_secret_is_shown_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APP_SECRET", "VERIFY_TOKEN", "ACCESS_TOKEN"):
        monkeypatch.setenv(f"WHATSAPP_{name}", "hush-hush")
    monkeypatch.setenv("DATABASE_URL", "postgresql://usual:hush-hush@db/usual")
    monkeypatch.setenv("REDIS_URL", "redis://:hush-hush@valkey/0")
    settings = load_settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hush-hush" not in shown


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.port = 1


def test_serving_a_number_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_VERIFY_TOKEN", "t")
    with pytest.raises(
        SettingsError, match=r"^WHATSAPP_APP_SECRET, WHATSAPP_ACCESS_TOKEN must be set"
    ):
        load_settings().require_whatsapp()


def test_the_example_lists_every_setting_with_its_default() -> None:
    found = dotenv_values(EXAMPLE, interpolate=False)
    assert set(found) - NOT_OURS == {name.upper() for name in Settings.model_fields}
    default = load_settings()
    Path(".env").write_text(EXAMPLE.read_text())
    assert load_settings() == default


def test_the_example_says_what_each_variable_is() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for above, line in pairwise(lines):
        if re.match(r"[A-Z_]+=", line):
            assert above.startswith("# "), line
