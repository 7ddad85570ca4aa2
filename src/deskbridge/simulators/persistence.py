"""The state in a SQLite file: loaded at start, the changed records written after each request in one transaction."""

import json
import sqlite3
from pathlib import Path

from deskbridge.simulators.store import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (position INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL,
                                    value TEXT NOT NULL, UNIQUE (name, key));
CREATE TABLE IF NOT EXISTS blobs (key TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_UPSERT_RECORD = """
INSERT INTO records (name, key, value) VALUES (?, ?, ?) ON CONFLICT (name, key) DO UPDATE SET value = excluded.value
"""
_UPSERT_BLOB = "INSERT INTO blobs (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Persistence:
    """One file per simulator; it survives a killed process, not a power cut (nobody's real work is in it)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)

    def load(self, state: State) -> bool:
        """Fill an empty state; False when the file holds nothing yet."""
        rows = self._connection.execute("SELECT name, key, value FROM records ORDER BY position").fetchall()
        for name, key, value in rows:
            state.table(name).put(key, json.loads(value))
        for key, raw in self._connection.execute("SELECT key, value FROM blobs ORDER BY rowid"):
            state.blobs.put(key, bytes(raw))
        _clean(state)
        return bool(rows)

    def save(self, state: State) -> None:
        """Write what changed since the last call."""
        with self._connection:
            for name, table in state.tables.items():
                for key in table.dirty:
                    self._save_record(name, key, table.get(key))
            for key in state.blobs.dirty:
                self._save_blob(key, state.blobs.get(key))
        _clean(state)

    def _save_record(self, name: str, key: str, record: object) -> None:
        if record is None:
            self._connection.execute("DELETE FROM records WHERE name = ? AND key = ?", (name, key))
        else:
            self._connection.execute(_UPSERT_RECORD, (name, key, json.dumps(record)))

    def _save_blob(self, key: str, raw: bytes | None) -> None:
        if raw is None:
            self._connection.execute("DELETE FROM blobs WHERE key = ?", (key,))
        else:
            self._connection.execute(_UPSERT_BLOB, (key, raw))

    def close(self) -> None:
        self._connection.close()


def _clean(state: State) -> None:
    for table in state.tables.values():
        table.dirty.clear()
    state.blobs.dirty.clear()
