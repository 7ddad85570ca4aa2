"""Writing rows: system columns, journals, worked time, what hangs on a row, and the outbound call about it."""

from deskbridge.simulators.servicenow import errors, incident, notify, values
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.inputs import Input
from deskbridge.simulators.servicenow.schema import TABLES
from deskbridge.simulators.store import Record

_FIRST_NUMBER = 10001


def insert(context: Context, table: str, given: Input) -> Record:
    """A new row; FailureError when a rule refuses it."""
    blank = {column.name: column.default for column in TABLES[table].columns}
    row = {**blank, **given.values}
    if table == "incident":
        row = {**row, "opened_at": row["opened_at"] or context.stamp}
        row["opened_by"] = row["opened_by"] or context.user["sys_id"]
        row["number"] = row["task_effective_number"] = f"INC{context.state.next('INC', _FIRST_NUMBER):07d}"
        row = {**incident.save(context, blank, row, given.journals), "sys_class_name": "incident"}
    if table == "task_time_worked":
        _complete_worked(context, blank, row)
    stored = _store_new(context, table, row, given.sys_id)
    _follow_up(context, table, blank, stored, given)
    notify.emit(context, table, stored, "insert")
    return stored


def update(context: Context, table: str, old: Record, given: Input) -> Record:
    """The row after the change, or as it was when nothing changed: then neither its stamp nor its count moves."""
    row: dict[str, str] = {**old, **given.values}
    if table == "incident" and (row != old or given.journals):
        row = incident.save(context, old, row, given.journals)
    if table == "task_time_worked":
        _complete_worked(context, old, row)
    if row == old and not given.journals:
        return old
    row |= {"sys_updated_on": context.stamp, "sys_updated_by": context.user_name}
    row["sys_mod_count"] = str(int(old["sys_mod_count"]) + 1)
    stored = context.state.table(table).put(row["sys_id"], row)
    _follow_up(context, table, old, stored, given)
    notify.emit(context, table, stored, "update")
    return stored


def delete(context: Context, table: str, row: Record) -> None:
    """Remove a row with its journal, attachments and worked time."""
    sys_id = row["sys_id"]
    for dependent, pointer in (
        ("sys_journal_field", "element_id"),
        ("task_time_worked", "task"),
        ("sys_attachment", "table_sys_id"),
    ):
        for child in context.state.table(dependent).by(pointer, sys_id):
            _remove(context, dependent, child)
    _remove(context, table, row)
    notify.emit(context, table, row, "delete")


def create(context: Context, table: str, row: dict[str, str]) -> Record:
    """Store a row that the instance itself makes, with its system columns, and tell about it."""
    blank = {column.name: column.default for column in TABLES[table].columns}
    stored = _store_new(context, table, {**blank, **row}, "")
    notify.emit(context, table, stored, "insert")
    return stored


def _store_new(context: Context, table: str, row: dict[str, str], chosen_id: str) -> Record:
    if chosen_id and chosen_id in context.state.table(table):
        raise errors.duplicate(chosen_id)
    known = TABLES[table].by_name
    system = {
        "sys_id": chosen_id or context.state.hex(),
        "sys_created_on": context.stamp,
        "sys_created_by": context.user_name,
        "sys_updated_on": context.stamp,
        "sys_updated_by": context.user_name,
        "sys_mod_count": "0",
    }
    row |= {name: value for name, value in system.items() if name in known}
    return context.state.table(table).put(row["sys_id"], row)


def _remove(context: Context, table: str, row: Record) -> None:
    context.state.table(table).delete(row["sys_id"])
    if table == "sys_attachment":
        context.state.blobs.delete(row["sys_id"])


def _follow_up(context: Context, table: str, old: Record, new: Record, given: Input) -> None:
    """Rows of other tables that come out of saving a task."""
    if table != "incident":
        return
    for element, text in given.journals.items():
        entry = {"element": element, "element_id": new["sys_id"], "name": table, "value": text}
        create(context, "sys_journal_field", entry)
    worked = (values.seconds(new["time_worked"]) or 0) - (values.seconds(old["time_worked"]) or 0)
    if worked > 0:
        _log(context, new, worked)


def _log(context: Context, task: Record, worked: int) -> None:
    row = {"task": task["sys_id"], "user": context.user["sys_id"], "time_worked": values.duration(worked)}
    create(context, "task_time_worked", {**row, "time_in_seconds": str(worked)})


def _complete_worked(context: Context, old: Record, row: dict[str, str]) -> None:
    """Worked time belongs to a task and a user; its length may be given in either of two columns."""
    row["user"] = row["user"] or context.user["sys_id"]
    if row["time_worked"] != old["time_worked"]:
        row["time_in_seconds"] = str(values.seconds(row["time_worked"]) or 0)
    elif row["time_in_seconds"]:
        row["time_worked"] = values.duration(max(0, int(row["time_in_seconds"])))
    if missing := [TABLES["task_time_worked"].by_name[name].label for name in ("task",) if not row[name]]:
        raise errors.data_policy(missing)
