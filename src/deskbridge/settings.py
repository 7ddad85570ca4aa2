"""Every setting, once: its name, type, default and meaning. Read from the environment or `.env`, checked at start."""

import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import EmailStr, Field, SecretStr, ValidationError, field_validator, model_validator, validate_email
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from deskbridge.kit.engines import DatabaseMisconfigured, engine_url

MIN_SECRET_LENGTH = 32
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
"""What a browser sends as `Origin`: scheme, host in small letters, port unless it is the usual one, no path; or any."""

OBJECT_STORE = re.compile(r"(s3|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[^\s?#]*)?")
MAIL_SERVER = re.compile(r"smtps?://([^\s/@]*@)?([^\s/:@?#]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?/?")
SCANNER = re.compile(r"unix:///\S+|tcp://([^\s/:@]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


class SettingsError(Exception):
    """A setting is missing or wrong; the text names each and says what it should be."""


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """The settings of one desk."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", case_sensitive=True, env_ignore_empty=True)

    DATABASE_URL: str = Field(
        "sqlite:///deskbridge.db",
        description="Where the desk lives: sqlite:///…, postgresql://… or mysql://… (MariaDB).",
    )
    JWT_SECRET_KEY: SecretStr = Field(
        SecretStr(""),
        description="Signs access tokens, and is shared with an external auth service (HS256). At least 32 characters. "
        "Made and kept beside the database in development; required in production.",
    )
    SECRET_KEY: SecretStr = Field(
        SecretStr(""),
        description="Encrypts stored credentials and signs form tokens. At least 32 characters. "
        "Made and kept beside the database in development; required in production.",
    )
    AUTH_SERVICE_URL: str = Field("", description="An external auth service whose JWKS signs tokens (RS256, ES256).")
    AUTH_PROVISION_ADMIN: bool = Field(False, description="Let an unknown person with an ADMIN token become an ADMIN.")
    ENVIRONMENT: str = Field(
        "development", description="Where this runs; `production` demands secrets and sends strict transport security."
    )
    DEBUG: bool = Field(False, description="Log more; never shown in answers.")
    LOG_LEVEL: LogLevel = Field(LogLevel.INFO, description="The least grave message that is logged.")
    SERVICE_PORT: int = Field(8002, ge=1, le=65535, description="The port the desk listens on.")
    BASE_URL: str = Field(
        "", description="The address people reach the desk at; http://127.0.0.1:SERVICE_PORT if empty."
    )
    TRUSTED_PROXIES: CommaSeparated = Field(
        (), description="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, by comma."
    )
    CORS_ORIGINS: CommaSeparated = Field(
        (),
        description="Origins whose pages may call the API with a token (never with cookies), by comma; * is any.",
    )
    RATE_LIMIT_PERSON: int | None = Field(
        None,
        ge=0,
        description="Requests a minute that one person may send; 0 is no limit. By default 1200 in production, else 0. "
        "Each web process counts for itself.",
    )
    RATE_LIMIT_ADDRESS: int | None = Field(
        None,
        ge=0,
        description="Requests a minute that may come from one address (of IPv6, one /64); 0 is no limit. By default "
        "6000 in production, else 0. Each web process counts for itself; behind a proxy, set TRUSTED_PROXIES.",
    )
    API_DOCS: bool | None = Field(
        None, description="Serve /docs, /redoc and /openapi.json; by default everywhere but in production."
    )
    UPLOAD_STORAGE_PATH: Path = Field(Path("uploads"), description="The folder that attachments are kept in.")
    UPLOAD_STORAGE_URL: str = Field("", description="Keep attachments in an object store instead: s3://… or az://…")
    UPLOAD_MAX_FILE_SIZE: int = Field(52_428_800, ge=1, description="The largest attachment, in bytes.")
    TICKET_REOPEN_WINDOW_DAYS: int = Field(7, ge=0, description="How many days a CLOSED ticket can be reopened.")
    TICKET_AUTO_CLOSE_DAYS: int = Field(7, ge=0, description="A RESOLVED ticket closes after as many days; 0 is never.")
    SLA_ENABLED: bool = Field(True, description="Count response and resolution times.")
    NOTIFICATIONS_ENABLED: bool = Field(True, description="Send notifications.")
    VIRUS_SCAN_ENABLED: bool = Field(False, description="Hold attachments back until ClamAV found them clean.")
    CLAMD_URL: str = Field("", description="Where ClamAV listens: unix:///path or tcp://host:port.")
    SMTP_URL: str = Field("", description="The mail server: smtp://user:password@host:port, or smtps://…")
    MAIL_FROM: str = Field("", description="The sender of the desk's mail.")
    SMS_URL: str = Field("", description="The gateway that text messages are posted to.")
    OPERATOR_EMAILS: CommaSeparated = Field((), description="Who hears of failing connections, by comma.")
    PORTAL_LOOKUP: Literal["code", "open"] = Field(
        "code", description="Whether a look-up on the portal needs a one-time code, or answers at once."
    )
    PORTAL_OPEN_TICKETS: Literal["customer", "category", "off"] = Field(
        "customer",
        description="Whether an open ticket keeps a customer from filing another: any, one of its category, no.",
    )
    OUTBOUND_ALLOW: CommaSeparated = Field(
        (), description="Private addresses the desk may call all the same, by comma: host or host:port."
    )
    ADMIN_EMAIL: EmailStr | None = Field(None, description="The first administrator, made at the first start only.")
    ADMIN_PASSWORD: SecretStr | None = Field(None, description="The first administrator's password.")

    @field_validator("TRUSTED_PROXIES", "CORS_ORIGINS", "OPERATOR_EMAILS", "OUTBOUND_ALLOW", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("DATABASE_URL")
    @classmethod
    def _names_a_database(cls, value: str) -> str:
        try:
            engine_url(value)
        except DatabaseMisconfigured as error:
            raise ValueError(error.detail.removeprefix("DATABASE_URL ")) from None
        return value

    @field_validator("CORS_ORIGINS")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(origin.lower().removesuffix("/") for origin in value)
        for origin in origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin} is no origin such as https://portal.example.org")
        return origins

    @field_validator("UPLOAD_STORAGE_URL")
    @classmethod
    def _names_an_object_store(cls, value: str) -> str:
        if value and not OBJECT_STORE.fullmatch(value):
            raise ValueError("must be s3://bucket or az://container, with a folder in it after a slash if wanted")
        return value

    @field_validator("CLAMD_URL")
    @classmethod
    def _names_a_scanner(cls, value: str) -> str:
        if value and not SCANNER.fullmatch(value):
            raise ValueError("must be unix:///path or tcp://host:port")
        return value

    @field_validator("SMTP_URL")
    @classmethod
    def _names_a_mail_server(cls, value: str) -> str:
        if value and not MAIL_SERVER.fullmatch(value):
            raise ValueError("must be smtp://host:port or smtps://host:port, with user:password@ before it if wanted")
        if not unquote(value).isascii():
            raise ValueError("must be ASCII, its user and password too: no mail server is sure to take others")
        return value

    @field_validator("MAIL_FROM")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value:
            validate_email(value)
        return value

    @field_validator("OPERATOR_EMAILS")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(validate_email(address)[1] for address in value)

    @field_validator("JWT_SECRET_KEY", "SECRET_KEY")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError(f"must have at least {MIN_SECRET_LENGTH} characters")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.production:
            missing = [name for name in ("JWT_SECRET_KEY", "SECRET_KEY") if not getattr(self, name).get_secret_value()]
            if missing:
                raise ValueError(f"{' and '.join(missing)} must be set when ENVIRONMENT=production")
        if self.VIRUS_SCAN_ENABLED and not self.CLAMD_URL:
            raise ValueError("CLAMD_URL must say where ClamAV listens when VIRUS_SCAN_ENABLED=true")
        if self.OPERATOR_EMAILS and self.NOTIFICATIONS_ENABLED and not (self.SMTP_URL and self.MAIL_FROM):
            raise ValueError("SMTP_URL and MAIL_FROM must be set for mail to OPERATOR_EMAILS")
        if (self.ADMIN_EMAIL is None) != (self.ADMIN_PASSWORD is None):
            raise ValueError("ADMIN_EMAIL and ADMIN_PASSWORD go together")
        return self

    @property
    def production(self) -> bool:
        return self.ENVIRONMENT == "production"

    @property
    def base_url(self) -> str:
        """The address people reach the desk at, without a trailing slash."""
        return (self.BASE_URL or f"http://127.0.0.1:{self.SERVICE_PORT}").rstrip("/")

    @property
    def person_limit(self) -> int:
        """Requests a minute for one person; 0 is no limit."""
        return (1200 if self.production else 0) if self.RATE_LIMIT_PERSON is None else self.RATE_LIMIT_PERSON

    @property
    def address_limit(self) -> int:
        """Requests a minute from one address; 0 is no limit."""
        return (6000 if self.production else 0) if self.RATE_LIMIT_ADDRESS is None else self.RATE_LIMIT_ADDRESS

    @property
    def api_docs(self) -> bool:
        return not self.production if self.API_DOCS is None else self.API_DOCS


def load_settings(**overrides: Any) -> Settings:
    """Return the settings, with secrets made for development; raises `SettingsError` naming every wrong one."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError(_complaint(error)) from None
    return settings.model_copy(
        update={
            name: SecretStr(_kept_secret(settings.DATABASE_URL, name))
            for name in ("JWT_SECRET_KEY", "SECRET_KEY")
            if not getattr(settings, name).get_secret_value()
        }
    )


def require_keys(keys: Mapping[str, str]) -> None:
    """Let a desk go on with the keys it had: those that no setting names are kept beside the database.

    Raises `SettingsError` when this place has other ones.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(_complaint(error)) from None
    for name, key in keys.items():
        present = getattr(settings, name).get_secret_value() or _kept_secret(settings.DATABASE_URL, name, key)
        if present != key:
            raise SettingsError(f"{name}: is not the one of the desk in the backup, which could not read what it kept")


def _complaint(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        name = ".".join(map(str, problem["loc"])) or "settings"
        lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _kept_secret(database_url: str, name: str, wanted: str = "") -> str:
    """Return the development secret kept beside the database (in the working folder for a server).

    Where there is none, `wanted` is kept, or a new one.
    """
    url = make_url(database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    folder = Path(url.database or "").parent if is_file else Path()
    path = folder / f".deskbridge-{name.lower().replace('_', '-')}"
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        secret = wanted or secrets.token_urlsafe(48)
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"{name}: is not set, and one cannot be kept in {folder.resolve()} ({error})") from error
    path.write_text(secret + "\n")
    return secret
