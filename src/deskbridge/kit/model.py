"""The base of every table, and column types that mean the same on SQLite, PostgreSQL and MariaDB."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    types,
)
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin"}


def table_args(*items: SchemaItem, never_reuse_ids: bool = False) -> tuple[Any, ...]:
    """Return `__table_args__` with the indexes and constraints given and a collation that compares byte for byte.

    With `never_reuse_ids`, a `Serial` key only ever counts up, also where rows were deleted.
    """
    return (*items, {**MARIADB, "sqlite_autoincrement": True} if never_reuse_ids else MARIADB)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant with microseconds; SQLite keeps it as ISO 8601 text of one width, so that it sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(types.String(27))
        if dialect.name == "mariadb":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True, precision=6))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must be aware")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"  # strftime drops zeros of years
        return value.replace(tzinfo=None) if dialect.name == "mariadb" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        """Return what reads a value: itself, as the usual way through `process_result_value` costs as much again."""
        return _time_of_text if dialect.name == "sqlite" else _time_in_utc


def _time_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _time_in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Id(TypeDecorator[UUID]):
    """A UUID: PostgreSQL's own type, sixteen bytes elsewhere."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        return dialect.type_descriptor(mysql.BINARY(16) if dialect.name == "mariadb" else LargeBinary(16))

    def process_bind_param(self, value: UUID | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], UUID | None] | None:  # noqa: ARG002
        """Return what reads a value: none where the driver knows UUIDs."""
        return None if dialect.name == "postgresql" else _id_of_bytes


@lru_cache(maxsize=10_000)
def _id_of_bytes(value: bytes | None) -> UUID | None:
    """Return an id; the same people and teams come in row upon row, and making a UUID is slow."""
    return None if value is None else UUID(bytes=value)


def choice(kind: type[StrEnum]) -> Enum:
    """Return the type of a column that holds a member of `kind`, as plain text: new members need no migration."""
    return Enum(kind, native_enum=False, length=30, create_constraint=False)


Digest = LargeBinary(32).with_variant(mysql.BINARY(32), "mariadb")
"""A SHA-256, kept in place of the secret it was made from."""

Json = JSON().with_variant(postgresql.JSONB(), "postgresql")

LongText = Text().with_variant(mysql.MEDIUMTEXT(), "mariadb")
"""Text past MariaDB's 64 KiB; the domain bounds it."""

Serial = BigInteger().with_variant(Integer(), "sqlite")
"""An integer key the database counts up by itself."""


class Base(DeclarativeBase):
    """The base of every mapped class."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime, UUID: Id}
    __table_args__: Any = table_args()
