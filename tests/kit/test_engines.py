"""`DATABASE_URL` in every form that means one of the three databases, and a plain word for any other."""

import sqlite3

import pytest

from deskbridge.kit import engines
from deskbridge.kit.engines import DatabaseMisconfigured, engine_url, sqlite_driver


@pytest.mark.parametrize(
    ("written", "driver"),
    [
        ("sqlite:///desk.db", "sqlite"),
        ("postgresql://u:p@host/desk", "postgresql+psycopg"),
        ("mysql://u@host/desk", "mariadb+pymysql"),
        ("mariadb://u@host/desk", "mariadb+pymysql"),
        ("mysql+pymysql://u@host/desk", "mariadb+pymysql"),
        ("postgresql+psycopg2://u@host/desk", "postgresql+psycopg"),
    ],
)
def test_an_address_gets_our_driver(written: str, driver: str) -> None:
    assert engine_url(written).drivername == driver


@pytest.mark.parametrize(
    "written", ["", "desk.db", "oracle://u@host/desk", "mssql://u@host/desk", "http://example.org"]
)
def test_any_other_address_is_named(written: str) -> None:
    with pytest.raises(DatabaseMisconfigured, match="DATABASE_URL"):
        engine_url(written)


def test_the_sqlite_in_use_is_safe_with_several_connections() -> None:
    assert sqlite_driver().sqlite_version_info >= engines.OLDEST_SAFE_SQLITE


def test_a_sqlite_that_can_corrupt_the_log_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(engines, "OLDEST_SAFE_SQLITE", (99, 0, 0))
    sqlite_driver.cache_clear()
    with pytest.raises(DatabaseMisconfigured, match=r"99\.0\.0 or newer"):
        sqlite_driver()
    monkeypatch.undo()
    sqlite_driver.cache_clear()
    assert sqlite_driver()
