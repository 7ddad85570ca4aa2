"""A simulator's state: named tables of JSON records in memory, with undo, dirty tracking and snapshots.

Records are never changed in place: `put` replaces one, so that a failed request can be taken back as a whole.
"""

import base64
import hashlib
import itertools
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

Record = Mapping[str, Any]
Value = TypeVar("Value")
_ABSENT: Any = object()


class Shelf(Generic[Value]):
    """Values by text key, in the order they were first put."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._undo: list[dict[str, Any]] = []
        self.dirty: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def get(self, key: str) -> Value | None:
        return self._values.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._values))

    def values(self) -> list[Value]:
        return list(self._values.values())

    def items(self) -> list[tuple[str, Value]]:
        return list(self._values.items())

    def put(self, key: str, value: Value) -> Value:
        self._remember(key)
        self._values[key] = value
        return value

    def delete(self, key: str) -> None:
        """Remove a value; nothing happens when there is none."""
        if key in self._values:
            self._remember(key)
            del self._values[key]

    def clear(self) -> None:
        for key in list(self._values):
            self.delete(key)

    def _remember(self, key: str) -> None:
        self.dirty[key] = None
        if self._undo:
            self._undo[-1].setdefault(key, self._values.get(key, _ABSENT))

    def begin(self) -> None:
        self._undo.append({})

    def commit(self) -> None:
        done = self._undo.pop()
        if self._undo:
            for key, old in done.items():
                self._undo[-1].setdefault(key, old)

    def rollback(self) -> None:
        for key, old in self._undo.pop().items():
            if old is _ABSENT:
                self._values.pop(key, None)
            else:
                self._values[key] = old


class Table(Shelf[Record]):
    """Records by key, with an index on any top-level field that `by` was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {}

    def by(self, field: str, value: object) -> list[Record]:
        """The records whose `field` equals `value` (hashable), in order of their last change."""
        if field not in self._indexes:
            index = self._indexes[field] = {}
            for key, record in self._values.items():
                _index(index, record.get(field), key)
        return [self._values[key] for key in self._indexes[field].get(value, ())]

    def put(self, key: str, value: Record) -> Record:
        self._unindex(key)
        super().put(key, value)
        for field, index in self._indexes.items():
            _index(index, value.get(field), key)
        return value

    def delete(self, key: str) -> None:
        self._unindex(key)
        super().delete(key)

    def rollback(self) -> None:
        super().rollback()
        self._indexes.clear()

    def _unindex(self, key: str) -> None:
        if (old := self._values.get(key)) is not None:
            for field, index in self._indexes.items():
                if isinstance(held := old.get(field), (str, int, float, bool, type(None))):
                    index.get(held, {}).pop(key, None)


def _index(index: dict[Any, dict[str, None]], value: object, key: str) -> None:
    if isinstance(value, (str, int, float, bool, type(None))):
        index.setdefault(value, {})[key] = None


class State:
    """Everything one simulator knows: tables, blobs, sequences, settings (the reserved table `_settings`)."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.tables: dict[str, Table] = {}
        self.blobs: Shelf[bytes] = Shelf()
        self._depth = 0

    def table(self, name: str) -> Table:
        if name not in self.tables:
            table = self.tables[name] = Table()
            for _ in range(self._depth):
                table.begin()
        return self.tables[name]

    def next(self, sequence: str, start: int = 1) -> int:
        """The next number of a named sequence, beginning with `start`."""
        row = self.table("_sequences").get(sequence)
        number = int(row["last"]) + 1 if row else start
        self.table("_sequences").put(sequence, {"last": number})
        return number

    def hex(self, length: int = 32) -> str:
        """A new identifier of hex digits (at most 64): unlike any other, the same in every run with the same seed."""
        material = f"{self.seed}:{self.next('_hex')}".encode()
        return hashlib.sha256(material).hexdigest()[:length]

    def uuid(self) -> str:
        return str(uuid.UUID(self.hex()))

    def setting(self, name: str, default: Any = None) -> Any:
        """A value set through the control API (or by the product itself); `default` when it was never set."""
        row = self.table("_settings").get(name)
        return default if row is None else row["value"]

    def set(self, name: str, value: object) -> None:
        self.table("_settings").put(name, {"value": value})

    def reset(self) -> None:
        """Forget everything: content, numbers and settings."""
        for shelf in self._shelves():
            shelf.clear()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none when an exception leaves it. May be nested."""
        for shelf in self._shelves():
            shelf.begin()
        self._depth += 1
        try:
            yield
        except BaseException:
            for shelf in self._shelves():
                shelf.rollback()
            raise
        else:
            for shelf in self._shelves():
                shelf.commit()
        finally:
            self._depth -= 1

    def dump(self) -> dict[str, Any]:
        """The whole state as JSON (blobs as base64), for `load`."""
        tables = {name: dict(table.items()) for name, table in self.tables.items()}
        return {"tables": tables, "blobs": {key: base64.b64encode(raw).decode() for key, raw in self.blobs.items()}}

    def load(self, snapshot: Mapping[str, Any]) -> None:
        """Replace the whole state by what `dump` gave."""
        self.reset()
        for name, records in snapshot["tables"].items():
            for key, record in records.items():
                self.table(name).put(key, record)
        for key, text in snapshot["blobs"].items():
            self.blobs.put(key, base64.b64decode(text))

    def _shelves(self) -> Iterator[Shelf[Any]]:
        return itertools.chain([self.blobs], self.tables.values())
