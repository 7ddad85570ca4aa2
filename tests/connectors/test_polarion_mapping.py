"""The mapping that is shipped for Polarion works with a fresh project."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from tests.connectors.remote import Remote, started

from deskbridge.connectors.polarion.connector import Polarion
from deskbridge.sync.connector import Value

DESK = {
    "status": {"NEW", "OPEN", "IN_PROGRESS", "PENDING_INFO", "RESOLVED", "CLOSED", "REOPENED", "ESCALATED"},
    "priority": {"P1", "P2", "P3", "P4"},
    "category": {"INCIDENT", "SERVICE_REQUEST", "BUG", "FEATURE_REQUEST", "SUPPORT", "FACILITY_MANAGEMENT"}
    | {"TECHNICAL_IT", "SERVICE_COMPLAINT"},
}
MAPPING: dict[str, Any] = yaml.safe_load(files("deskbridge.connectors.polarion").joinpath("mapping.yaml").read_text())
TABLES: dict[str, Any] = {name: field["values"] for name, field in MAPPING["fields"].items() if "values" in field}


@pytest.fixture
def remote() -> Iterator[Remote]:
    with started("polarion") as remote:
        yield remote


@pytest.fixture
def connector(remote: Remote) -> Polarion:
    return Polarion(remote.site(scope="DESK"), remote.line())


def test_every_field_and_every_value_is_there(connector: Polarion) -> None:
    fields = connector.describe().fields
    for name, field in MAPPING["fields"].items():
        assert field["remote"] in fields, name
    for name, table in TABLES.items():
        assert set(table) == set(fields[MAPPING["fields"][name]["remote"]].choices)


def test_what_the_project_demands_is_mapped(connector: Polarion) -> None:
    written = {field["remote"] for field in MAPPING["fields"].values() if field["direction"] != "in"}
    fields = connector.describe().fields
    assert {name for name, info in fields.items() if info.required} <= written
    assert all(fields[name].writable for name in written)


def test_each_desk_value_is_written_as_one_value_of_the_project() -> None:
    assert set(TABLES) == set(DESK)
    for name, table in TABLES.items():
        if MAPPING["fields"][name]["direction"] != "in":
            assert sorted(value for row in table.values() for value in row["desk"]) == sorted(DESK[name])
        for row in table.values():
            assert set(row["desk"]) <= DESK[name]
            assert row["inbound"] in (row["desk"] or DESK[name])


def test_what_is_done_ends_an_escalation_and_never_resolves() -> None:
    for status, row in TABLES["status"].items():
        moves = DESK["status"] - set(row["desk"])
        assert moves == ({"ESCALATED"} if status in {"done", "verified"} else set())
        assert row["inbound"] not in {"RESOLVED", "CLOSED"}


def test_every_row_that_is_written_can_be(connector: Polarion) -> None:
    for item_type in TABLES["category"]:
        for priority, row in TABLES["priority"].items():
            if row["desk"]:
                values: dict[str, Value] = {"type": item_type, "title": "Printer on fire", "priority": priority}
                record = connector.fetch(connector.create(f"T-{item_type}-{priority}", values).id)
                assert record is not None
                assert {name: record.fields[name] for name in values} == values
