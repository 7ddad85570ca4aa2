"""Rows as the APIs show them: stored values, display values, or both."""

from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.servicenow import rows, values
from deskbridge.simulators.servicenow.columns import Column
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.encoded import UnknownFieldError
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.store import Record

JOURNALS = {"comments": "Additional comments", "work_notes": "Work notes"}
_DISPLAYED_AS_STORED = {"boolean", "GUID", "string"}


@dataclass(frozen=True, slots=True)
class Output:
    """`mode` is sysparm_display_value: false, true or all. `fields` None means every column."""

    mode: str = "false"
    links: bool = True
    fields: tuple[str, ...] | None = None


def render(context: Context, table: str, row: Record, output: Output) -> dict[str, Any]:
    """A row as JSON, empty columns as ""; fields that do not exist are left out."""
    fields = output.fields or tuple(TABLES[table].by_name)
    shown = {}
    for field in fields:
        try:
            columns = rows.walk(table, field)
        except UnknownFieldError:
            continue
        shown[field] = _field(context, row, columns, output)
    return shown


def _field(context: Context, row: Record, columns: list[Column], output: Output) -> Any:
    holder = rows.follow(context.state, row, columns)
    column = columns[-1]
    stored = str(holder.get(column.name, "")) if holder else ""
    link = context.link(column.reference, stored) if column.reference and stored and output.links else ""
    if output.mode == "false":
        return {"link": link, "value": stored} if link else stored
    shown = display(context, column, holder) if holder else ""
    if output.mode == "true":
        return {"display_value": shown, "link": link} if link else shown
    both = {"display_value": shown, "value": stored}
    return {**both, "link": link} if link else both


def display(context: Context, column: Column, row: Record) -> str:
    """A column of a row as people read it, times in the account's time zone."""
    stored = str(row.get(column.name, ""))
    if column.is_journal:
        return _journal(context, column.name, row)
    if not stored or (column.type in _DISPLAYED_AS_STORED and not column.choices):
        return stored
    if column.choices:
        return column.labels.get(stored, stored)
    if column.reference:
        return rows.name(context.state, column.reference, stored)
    return _typed(context, column, stored)


def _typed(context: Context, column: Column, stored: str) -> str:
    if column.type == "glide_date_time":
        return values.local(stored, context.zone)
    if column.type in {"glide_duration", "timer"}:
        return values.spoken(stored)
    if column.type == "integer" and values.INTEGER.fullmatch(stored):
        return f"{int(stored):,}"
    if column.type == "sys_class_name" and stored in TABLES:
        return TABLES[stored].label
    return stored


def _journal(context: Context, name: str, row: Record) -> str:
    """The whole journal in one text, newest entry first: what a list view and display values contain."""
    wanted = JOURNALS if name == "comments_and_work_notes" else {name: JOURNALS[name]}
    entries = [entry for entry in journal(context, row) if entry["element"] in wanted]
    return "".join(
        f"{values.local(entry['sys_created_on'], context.zone)} - {author(context, entry)}"
        f" ({wanted[entry['element']]})\n{entry['value']}\n\n"
        for entry in reversed(entries)
    )


def journal(context: Context, row: Record) -> list[Record]:
    """The journal entries of a record, oldest first."""
    return rows.related(context.state, "sys_journal_field", "element_id", str(row["sys_id"]))


def author(context: Context, row: Record) -> str:
    """The name of who created a row."""
    user_name = str(row["sys_created_by"])
    found = rows.related(context.state, "sys_user", "user_name", user_name)
    return str(found[0]["name"]) if found else user_name
