"""The tables that describe tables: choices, dictionary and table names, derived from the schema and read-only."""

import hashlib
from collections.abc import Iterator
from functools import cache

from deskbridge.simulators.servicenow.columns import Column, TableDefinition
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.store import Record

_INSTALLED = "2025-01-01 00:00:00"


def stable_id(*parts: str) -> str:
    """The sys_id of something that came with the instance: the same in every one."""
    return hashlib.sha256(":".join(parts).encode()).hexdigest()[:32]


@cache
def rows(table: str) -> list[Record] | None:
    """All rows of a describing table; None for a table that holds records."""
    if table not in _SOURCES:
        return None
    return [_row(table, values) for values in _SOURCES[table]()]


@cache
def by_id(table: str) -> dict[str, Record]:
    return {row["sys_id"]: row for row in rows(table) or ()}


def _choices() -> Iterator[dict[str, str]]:
    for definition, column in _own_columns():
        for sequence, (value, label) in enumerate(column.choices):
            parents = [parent for parent, allowed in (column.dependents or {}).items() if value in allowed] or [""]
            for parent in parents:
                yield {
                    "name": definition.name,
                    "element": column.name,
                    "value": value,
                    "label": label,
                    "sequence": str(sequence),
                    "dependent_value": parent,
                }


def _dictionary() -> Iterator[dict[str, str]]:
    for definition, column in _own_columns():
        yield {
            "name": definition.name,
            "element": column.name,
            "column_label": column.label,
            "internal_type": column.type,
            "max_length": str(column.max_length),
            "reference": column.reference,
            "default_value": column.default,
            "read_only": str(column.read_only).lower(),
            "choice": "1" if column.choices else "0",
            "display": str(column.name == definition.display).lower(),
        }


def _objects() -> Iterator[dict[str, str]]:
    for definition in TABLES.values():
        yield {"name": definition.name, "label": definition.label, "super_class": definition.extends}


def _own_columns() -> Iterator[tuple[TableDefinition, Column]]:
    """Each column at the table that defines it, as the dictionary does, and choices with it."""
    for definition in TABLES.values():
        inherited = TABLES[definition.extends].by_name if definition.extends else {}
        for column in definition.columns:
            if column.name not in inherited or column.choices:
                yield definition, column


def _row(table: str, values: dict[str, str]) -> Record:
    defaults = {column.name: column.default for column in TABLES[table].columns}
    system = {"sys_created_on": _INSTALLED, "sys_updated_on": _INSTALLED, "sys_created_by": "system"}
    key = {"sys_id": stable_id(table, *values.values()), "sys_updated_by": "system"}
    return {**defaults, **system, **key, **values}


_SOURCES = {"sys_choice": _choices, "sys_dictionary": _dictionary, "sys_db_object": _objects}
