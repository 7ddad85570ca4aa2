"""The databases that are measured on: each empty as a part begins, and gone when it ends."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deskbridge.kit.engines import sqlite_driver

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
ENGINES = tuple(NAMES)
DATABASE = "deskbridge_bench"


@dataclass(frozen=True)
class Databases:
    """The engines to measure on; `postgres` is the address of a server where databases may be made."""

    engines: Sequence[str]
    postgres: str

    @contextmanager
    def empty(self, engine: str) -> Iterator[str]:
        """Give the address of an empty database while the block lasts, and `FOLDER`, empty too.

        After a failure the folder stays, with the logs that are in it.
        """
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        if engine == "sqlite":
            yield f"sqlite:///{FOLDER / 'desk.db'}"
        else:
            with self._postgres() as url:
                yield url
        shutil.rmtree(FOLDER)

    @contextmanager
    def _postgres(self) -> Iterator[str]:
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {DATABASE}")
            try:
                yield f"{self.postgres.rpartition('/')[0]}/{DATABASE}"
            finally:
                connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")

    def versions(self) -> dict[str, str]:
        """Return the names and versions of what is measured on."""
        found = {}
        if "sqlite" in self.engines:
            found["SQLite"] = sqlite_driver().sqlite_version
        if "postgresql" in self.engines:
            with psycopg.connect(self.postgres) as connection:
                found["PostgreSQL"] = str(connection.info.server_version // 10_000)
        return found
