"""Every setting, read once from the environment and `.env`."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

WHATSAPP_CREDENTIALS = (
    "whatsapp_app_secret",
    "whatsapp_verify_token",
    "whatsapp_access_token",
)


class SettingsError(Exception):
    """The environment is not fit to run in; the message says what to change, a sentence a line."""


@dataclass(frozen=True, slots=True)
class Must:
    """What a value has to be: the end of the sentence "PORT must be …"."""

    be: str


def _like(pattern: str) -> AfterValidator:
    """Accept a text or secret that matches the whole of `pattern`."""

    def check(value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is not None and not re.fullmatch(pattern, text):
            raise ValueError(pattern)
        return value

    return AfterValidator(check)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Secret: TypeAlias = Annotated[SecretStr | None, _like(r".*[^\s,].*"), Must("more than blanks")]
HTTP_URL = (
    _like(r"https?://\S+"),
    AfterValidator(lambda value: value and value.rstrip("/")),
    Must("an address that begins with https:// or http://"),
)
Port: TypeAlias = Annotated[
    int, Field(ge=0, le=65535), Must("a port number, 0 (any free one) to 65535")
]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1000), Must("a whole number, 1 to 1000")]
Name: TypeAlias = Annotated[str, _like(r"\S+"), Must("one word")]


def _default_data_dir() -> Path:
    checkout = Path(__file__).resolve().parents[1]
    home = checkout if (checkout / "pyproject.toml").exists() else Path.cwd()
    return home / ".usual"


def _default_log_format() -> Literal["json", "console"]:
    return "console" if sys.stdout.isatty() else "json"


class Settings(BaseSettings):
    """All settings: a field's name in capitals is its variable, and an empty variable is unset."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # Where the data is. Unset: embedded servers, kept under DATA_DIR.
    database_url: Annotated[
        SecretStr | None,
        _like(r"postgres(ql)?://\S+"),
        Must("an address that begins with postgresql://"),
    ] = None
    redis_url: Annotated[
        SecretStr | None,
        _like(r"(rediss?|unix)://\S+"),
        Must("an address that begins with redis://, rediss:// or unix://"),
    ] = None
    data_dir: Annotated[
        Path, AfterValidator(lambda path: path.expanduser().absolute()), Must("a folder")
    ] = Field(default_factory=_default_data_dir)
    db_pool_size: Count = 16

    # WhatsApp Business Platform.
    whatsapp_app_secret: Secret = None
    whatsapp_verify_token: Secret = None
    whatsapp_access_token: Secret = None
    whatsapp_api_url: Annotated[str, *HTTP_URL] = "https://graph.facebook.com"
    whatsapp_api_version: Annotated[
        str, _like(r"v\d{1,3}\.\d{1,2}"), Must("a version such as v25.0")
    ] = "v25.0"
    webhook_max_bytes: Annotated[
        int, Field(ge=1024), Must("a whole number of bytes, 1024 or more")
    ] = 3 * 1024 * 1024

    # The process.
    host: Name = "127.0.0.1"
    port: Port = 8080
    public_url: Annotated[str | None, *HTTP_URL] = None
    simulator_port: Port = 8081
    workers: Count = 32
    in_doubt_seconds: Annotated[
        float, Field(ge=1, le=3600), Must("a number of seconds, 1 to 3600")
    ] = 30.0
    log_format: Annotated[
        Literal["json", "console"], BeforeValidator(_lower), Must("json or console")
    ] = Field(default_factory=_default_log_format)
    log_level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"],
        BeforeValidator(_lower),
        Must("debug, info, warning, error or critical"),
    ] = "info"

    @property
    def app_secrets(self) -> tuple[bytes, ...]:
        """The secrets that may sign a webhook now: several while one is being replaced."""
        if self.whatsapp_app_secret is None:
            return ()
        parts = self.whatsapp_app_secret.get_secret_value().split(",")
        return tuple(part.strip().encode() for part in parts if part.strip())

    def require_whatsapp(self) -> None:
        """Raise SettingsError if what a real WhatsApp number needs is not all there."""
        missing = [name.upper() for name in WHATSAPP_CREDENTIALS if getattr(self, name) is None]
        if missing:
            raise SettingsError(
                f"{', '.join(missing)} must be set to serve a WhatsApp number: see .env.example."
            )


def load_settings() -> Settings:
    """Read the settings; SettingsError with a sentence for each variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors())
        raise SettingsError("\n".join(map(_sentence, wrong))) from None
    except UnicodeDecodeError:
        raise SettingsError(".env must be a text file in UTF-8.") from None


def _sentence(name: str) -> str:
    metadata = Settings.model_fields[name].metadata
    must = next((part.be for part in metadata if isinstance(part, Must)), "of another form")
    return f"{name.upper()} must be {must}."
