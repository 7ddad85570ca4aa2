"""Settings: read from the environment and `.env`, each bad one named at start, secrets never shown."""

from pathlib import Path
from typing import Any

import pytest

from deskbridge.settings import Settings, SettingsError, load_settings

SECRETS = {"JWT_SECRET_KEY": "j" * 32, "SECRET_KEY": "s" * 32}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


BAD: list[tuple[str, Any]] = [
    ("DATABASE_URL", "no address"),
    ("DATABASE_URL", "oracle://u@host/desk"),
    ("DATABASE_URL", "sqlite://"),
    ("JWT_SECRET_KEY", "too short"),
    ("SECRET_KEY", "x" * 31),
    ("AUTH_PROVISION_ADMIN", "perhaps"),
    ("DEBUG", "2"),
    ("LOG_LEVEL", "LOUD"),
    ("SERVICE_PORT", "0"),
    ("SERVICE_PORT", "65536"),
    ("SERVICE_PORT", "http"),
    ("CORS_ORIGINS", "https://a.example, portal.example.org"),
    ("CORS_ORIGINS", "https://portal.example.org/desk"),
    ("RATE_LIMIT_PERSON", "-1"),
    ("RATE_LIMIT_ADDRESS", "many"),
    ("API_DOCS", "maybe"),
    ("UPLOAD_STORAGE_URL", "ftp://desk"),
    ("UPLOAD_STORAGE_URL", "s3://"),
    ("UPLOAD_MAX_FILE_SIZE", "0"),
    ("UPLOAD_MAX_FILE_SIZE", "50 MB"),
    ("TICKET_REOPEN_WINDOW_DAYS", "-1"),
    ("TICKET_AUTO_CLOSE_DAYS", "a week"),
    ("SLA_ENABLED", "sometimes"),
    ("NOTIFICATIONS_ENABLED", "x"),
    ("VIRUS_SCAN_ENABLED", "x"),
    ("CLAMD_URL", "127.0.0.1:3310"),
    ("CLAMD_URL", "unix://clamd.sock"),
    ("SMTP_URL", "mail.example.org:25"),
    ("SMTP_URL", "smtp://user:password@"),
    ("SMTP_URL", "smtps://desk:gr%C3%BC%C3%9F@mail.example.org"),
    ("MAIL_FROM", "the desk"),
    ("MAIL_FROM", "desk@example.org\nBcc: all@example.org"),
    ("OPERATOR_EMAILS", "ops@example.org, nobody"),
    ("PORTAL_LOOKUP", "closed"),
    ("PORTAL_OPEN_TICKETS", "all"),
    ("ADMIN_EMAIL", "root"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=rf"(?m)^{name}: "):
        load_settings()


def test_all_bad_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SERVICE_PORT", "x"), ("LOG_LEVEL", "x"), ("PORTAL_LOOKUP", "x")):
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        "LOG_LEVEL",
        "SERVICE_PORT",
        "PORTAL_LOOKUP",
    ]


def test_operators_cannot_be_told_without_a_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_EMAILS", "ops@example.org, Second <second@example.org>")
    with pytest.raises(SettingsError, match="SMTP_URL and MAIL_FROM must be set"):
        load_settings()
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:25")
    monkeypatch.setenv("MAIL_FROM", "The desk <desk@example.org>")
    assert load_settings().OPERATOR_EMAILS == ("ops@example.org", "second@example.org")


def test_scanning_needs_a_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRUS_SCAN_ENABLED", "true")
    with pytest.raises(SettingsError, match="CLAMD_URL must say"):
        load_settings()
    monkeypatch.setenv("CLAMD_URL", "unix:///run/clamav/clamd.ctl")
    assert load_settings().VIRUS_SCAN_ENABLED


def test_a_complaint_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "oracle://desk:swordfish@host/desk")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)
    assert "swordfish" not in str(refused.value)


def test_defaults_are_the_promised_ones() -> None:
    settings = Settings(_env_file=None)
    promised: dict[str, Any] = {
        "DATABASE_URL": "sqlite:///deskbridge.db",
        "AUTH_PROVISION_ADMIN": False,
        "ENVIRONMENT": "development",
        "DEBUG": False,
        "LOG_LEVEL": "INFO",
        "SERVICE_PORT": 8002,
        "UPLOAD_MAX_FILE_SIZE": 52_428_800,
        "TICKET_REOPEN_WINDOW_DAYS": 7,
        "TICKET_AUTO_CLOSE_DAYS": 7,
        "SLA_ENABLED": True,
        "NOTIFICATIONS_ENABLED": True,
        "VIRUS_SCAN_ENABLED": False,
        "PORTAL_LOOKUP": "code",
        "PORTAL_OPEN_TICKETS": "customer",
    }
    assert {name: getattr(settings, name) for name in promised} == promised
    assert settings.base_url == "http://127.0.0.1:8002"
    for name in [
        "JWT_SECRET_KEY",
        "SECRET_KEY",
        "AUTH_SERVICE_URL",
        "BASE_URL",
        "TRUSTED_PROXIES",
        "CORS_ORIGINS",
        "API_DOCS",
        "UPLOAD_STORAGE_PATH",
        "UPLOAD_STORAGE_URL",
        "CLAMD_URL",
        "SMTP_URL",
        "MAIL_FROM",
        "SMS_URL",
        "OPERATOR_EMAILS",
        "OUTBOUND_ALLOW",
        "ADMIN_EMAIL",
        "ADMIN_PASSWORD",
    ]:
        assert name in Settings.model_fields
    assert all(field.description for field in Settings.model_fields.values())


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SERVICE_PORT=9001\nMAIL_FROM=desk@example.org\nSOMETHING_ELSE=1\n")
    assert load_settings().SERVICE_PORT == 9001
    monkeypatch.setenv("SERVICE_PORT", "9002")
    assert (load_settings().SERVICE_PORT, load_settings().MAIL_FROM) == (9002, "desk@example.org")
    monkeypatch.setenv("SERVICE_PORT", "")
    assert load_settings().SERVICE_PORT == 9001


def test_lists_are_read_by_comma(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", " https://a.example , https://b.example,,")
    assert load_settings().CORS_ORIGINS == ("https://a.example", "https://b.example")


# Secrets


@pytest.mark.parametrize("missing", ["JWT_SECRET_KEY", "SECRET_KEY"])
def test_production_refuses_to_start_without_secrets(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    for name, value in SECRETS.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=missing):
        load_settings()
    monkeypatch.setenv(missing, SECRETS[missing])
    assert load_settings().production


def test_development_makes_secrets_and_keeps_them_beside_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    url = f"sqlite:///{folder}/desk.db"
    first, again = load_settings(DATABASE_URL=url), load_settings(DATABASE_URL=url)
    for name in SECRETS:
        secret = getattr(first, name).get_secret_value()
        assert len(secret) >= 32
        assert getattr(again, name).get_secret_value() == secret
    assert first.JWT_SECRET_KEY.get_secret_value() != first.SECRET_KEY.get_secret_value()
    kept = list(folder.iterdir())
    assert len(kept) == 2
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    elsewhere = load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/other.db")
    assert elsewhere.SECRET_KEY.get_secret_value() != first.SECRET_KEY.get_secret_value()


def test_secrets_that_cannot_be_kept_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET_KEY"):
        load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/desk.db")


@pytest.mark.parametrize("given", ["ADMIN_EMAIL", "ADMIN_PASSWORD"])
def test_the_first_administrator_needs_both(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(given, "root@example.org")
    with pytest.raises(SettingsError, match="ADMIN_EMAIL and ADMIN_PASSWORD go together"):
        load_settings()


def test_secrets_stay_out_of_representations() -> None:
    settings = Settings(_env_file=None, **SECRETS, ADMIN_EMAIL="root@example.org", ADMIN_PASSWORD="swordfish123")
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        for secret in (*SECRETS.values(), "swordfish123"):
            assert secret not in text


@pytest.mark.parametrize(
    ("environment", "asked", "served"),
    [
        ("development", None, True),
        ("production", None, False),
        ("production", True, True),
        ("development", False, False),
    ],
)
def test_api_docs_are_off_in_production_unless_asked_for(environment: str, asked: bool | None, served: bool) -> None:
    assert Settings(_env_file=None, **SECRETS, ENVIRONMENT=environment, API_DOCS=asked).api_docs is served
