"""The outbound call of an asynchronous business rule: ServiceNow has no webhooks, an update set brings this one.

The body names the row and its version, not its content: {"table", "sys_id", "sys_mod_count", "operation", "task",
"number", "sys_updated_on", "sys_updated_by"}, where `task` and `number` are of the incident that the row belongs to.
The script signs the raw body (`X-Desk-Signature: sha256=<hex>`) and gives `X-Desk-Delivery: <sys_id>:<sys_mod_count>`
(`<sys_id>:deleted` at the end), which is the same each time the call is repeated.
"""

import json

from deskbridge.simulators import webhooks
from deskbridge.simulators.servicenow import rows
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.store import Record
from deskbridge.simulators.webhooks import RetryPolicy

_POINTER = {"incident": "sys_id", "sys_attachment": "table_sys_id", "task_time_worked": "task"}
"""The tables with the rule, and the column that names the incident."""


def _is_worth_a_retry(status: int | None) -> bool:
    return status is None or status == 429 or status >= 500


RETRIES = RetryPolicy(delays=(30, 60, 120), statuses=_is_worth_a_retry)
"""The REST message's retry policy; without one an asynchronous call is made once."""


def emit(context: Context, table: str, row: Record, operation: str) -> None:
    """Queue the call about a row that was inserted, updated or deleted, if the rule is there and concerns it."""
    target = webhooks.target(context.state)
    if target is None or table not in _POINTER:
        return
    task = rows.find(context.state, "incident", row[_POINTER[table]]) or (row if table == "incident" else None)
    if task is None:
        return
    body = json.dumps(_body(table, row, operation, task)).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "ServiceNow/1.0"),
        ("X-Desk-Delivery", f"{row['sys_id']}:{'deleted' if operation == 'delete' else row['sys_mod_count']}"),
    ]
    if target.secret:
        headers.append(("X-Desk-Signature", f"sha256={webhooks.sign(target.secret, body)}"))
    webhooks.emit(context.state, context.now, target, f"{table}.{operation}", headers, body)


def _body(table: str, row: Record, operation: str, task: Record) -> dict[str, str]:
    return {
        "table": table,
        "sys_id": row["sys_id"],
        "sys_mod_count": row["sys_mod_count"],
        "operation": operation,
        "task": task["sys_id"],
        "number": task["number"],
        "sys_updated_on": row["sys_updated_on"],
        "sys_updated_by": row["sys_updated_by"],
    }
