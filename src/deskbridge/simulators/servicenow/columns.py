"""What a table consists of: columns with their types, choices and references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Column:
    """One column. `type` is the dictionary's internal type; `choices` are (value, label) pairs in their order.

    `dependents` gives, per value of the parent column, the choices that it allows (only labels in the web pages and
    sys_choice know it; the instance stores any of them).
    """

    name: str
    label: str
    type: str = "string"
    max_length: int = 40
    reference: str = ""
    choices: Sequence[tuple[str, str]] = ()
    default: str = ""
    read_only: bool = False
    depends_on: str = ""
    dependents: Mapping[str, Sequence[str]] | None = None

    @cached_property
    def labels(self) -> dict[str, str]:
        return dict(self.choices)

    @property
    def is_journal(self) -> bool:
        return self.type in {"journal_input", "journal_list"}

    @property
    def truncates(self) -> bool:
        """Short texts are cut to their length without a word; long ones are kept in a text column of any length."""
        return self.type == "string" and self.max_length <= 255


@dataclass(frozen=True)
class TableDefinition:
    """One table; `columns` include the inherited ones. `operations`: what the integration user may do to its rows."""

    name: str
    label: str
    columns: Sequence[Column]
    display: str = "name"
    extends: str = ""
    operations: frozenset[str] = frozenset({"read"})

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def text(name: str, label: str, length: int = 40, default: str = "") -> Column:
    return Column(name, label, max_length=length, default=default)


def choice(name: str, label: str, choices: Sequence[tuple[str, str]], default: str = "") -> Column:
    return Column(name, label, choices=choices, default=default)


def level(name: str, label: str, choices: Sequence[tuple[str, str]], default: str = "") -> Column:
    """A choice whose values are numbers."""
    return Column(name, label, "integer", choices=choices, default=default)


def ref(name: str, label: str, table: str) -> Column:
    return Column(name, label, "reference", 32, table)


def moment(name: str, label: str, *, read_only: bool = False) -> Column:
    return Column(name, label, "glide_date_time", read_only=read_only)


def number(name: str, label: str, default: str = "", *, read_only: bool = False) -> Column:
    return Column(name, label, "integer", default=default, read_only=read_only)


def flag(name: str, label: str, default: str = "false", *, read_only: bool = False) -> Column:
    return Column(name, label, "boolean", default=default, read_only=read_only)


def duration(name: str, label: str) -> Column:
    return Column(name, label, "glide_duration")


SYSTEM = (
    Column("sys_id", "Sys ID", "GUID", 32, read_only=True),
    moment("sys_created_on", "Created", read_only=True),
    Column("sys_created_by", "Created by", read_only=True),
    moment("sys_updated_on", "Updated", read_only=True),
    Column("sys_updated_by", "Updated by", read_only=True),
    number("sys_mod_count", "Updates", "0", read_only=True),
    Column("sys_tags", "Tags", read_only=True),
)
