"""Small ServiceNow logs for the tests, written the way the real one is."""

import csv
import os
from pathlib import Path

import pytest

COLUMNS = (
    "number",
    "incident_state",
    "active",
    "reassignment_count",
    "reopen_count",
    "sys_mod_count",
    "made_sla",
    "caller_id",
    "opened_by",
    "opened_at",
    "sys_created_by",
    "sys_created_at",
    "sys_updated_by",
    "sys_updated_at",
    "contact_type",
    "location",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "impact",
    "urgency",
    "priority",
    "assignment_group",
    "assigned_to",
    "knowledge",
    "u_priority_confirmation",
    "notify",
    "problem_id",
    "rfc",
    "vendor",
    "caused_by",
    "closed_code",
    "resolved_by",
    "resolved_at",
    "closed_at",
)
OPENED = {
    "number": "INC0000001",
    "incident_state": "New",
    "reassignment_count": "0",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "made_sla": "TRUE",
    "caller_id": "Caller 1",
    "opened_by": "Opened by  8",
    "opened_at": "29-02-2016 01:16",
    "sys_updated_by": "Updated by 21",
    "sys_updated_at": "29-02-2016 01:23",
    "contact_type": "Phone",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "u_symptom": "Symptom 72",
    "impact": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 56",
}


def event(**values: str) -> dict[str, str]:
    """Return a line of a log; what is not given is unknown, or as an incident is opened."""
    return dict.fromkeys(COLUMNS, "?") | OPENED | values


def write_log(folder: Path, *events: dict[str, str], name: str = "log.csv") -> Path:
    path = folder / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(events)
    return path


def story(number: int) -> list[dict[str, str]]:
    """Return the events of one ordinary incident: opened, taken, moved to another group, resolved, closed."""
    same = {
        "number": f"INC{number:07}",
        "caller_id": f"Caller {number % 40}",
        "category": f"Category {number % 5}",
        "closed_code": "code 5",
        "resolved_at": "01-03-2016 10:00",
        "closed_at": "08-03-2016 10:00",
    }
    taken = {"incident_state": "Active", "assigned_to": f"Resolver {number % 7}"}
    moved = taken | {"assignment_group": f"Group {number % 9}"}
    return [
        event(**same),
        event(**same, **taken, sys_updated_at="29-02-2016 09:00"),
        event(**same, **moved, sys_updated_at="29-02-2016 09:00"),
        event(**same, **moved | {"incident_state": "Resolved"}, sys_updated_at="01-03-2016 10:00"),
        event(**same, **moved | {"incident_state": "Closed"}, sys_updated_at="08-03-2016 10:00"),
    ]


def real_log() -> Path:
    """Return the real log, or skip the test where it is not at hand: it is no part of the project."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("DESKBRIDGE_DATA") or root.parent / "shared" / "data")
    path = folder / "servicenow-incident-events.csv"
    if not path.exists():
        pytest.skip(f"the real log is not there ({path}); DESKBRIDGE_DATA names its folder")
    return path
