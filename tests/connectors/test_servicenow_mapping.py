"""The mapping that is shipped for ServiceNow works with a fresh instance."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from tests.connectors.remote import Remote, started

from deskbridge.connectors.servicenow.connector import ServiceNow

DESK = {
    "status": {"NEW", "OPEN", "IN_PROGRESS", "PENDING_INFO", "RESOLVED", "CLOSED", "REOPENED", "ESCALATED"},
    "priority": {"P1", "P2", "P3", "P4"},
    "category": {"INCIDENT", "SERVICE_REQUEST", "BUG", "FEATURE_REQUEST", "SUPPORT", "FACILITY_MANAGEMENT"}
    | {"TECHNICAL_IT", "SERVICE_COMPLAINT"},
}
MAPPING: dict[str, Any] = yaml.safe_load(files("deskbridge.connectors.servicenow").joinpath("mapping.yaml").read_text())
TABLES: dict[str, Any] = {name: field["values"] for name, field in MAPPING["fields"].items() if "values" in field}


@pytest.fixture
def remote() -> Iterator[Remote]:
    with started("servicenow") as remote:
        yield remote


@pytest.fixture
def connector(remote: Remote) -> ServiceNow:
    return ServiceNow(remote.site(), remote.line())


def test_every_column_and_every_value_is_there(connector: ServiceNow) -> None:
    fields = connector.describe().fields
    for name, field in MAPPING["fields"].items():
        assert field["remote"] in fields, name
    for name, table in TABLES.items():
        assert set(table) == set(fields[MAPPING["fields"][name]["remote"]].choices)


def test_a_table_gives_every_value_of_either_side_one_of_the_other() -> None:
    assert set(TABLES) == set(DESK)
    for name, table in TABLES.items():
        classes = [value for row in table.values() for value in row["desk"]]
        assert sorted(classes) == sorted(DESK[name])
        for row in table.values():
            assert row["inbound"] in (row["desk"] or DESK[name])


def test_what_is_written_for_a_priority_makes_it(connector: ServiceNow) -> None:
    for priority, row in TABLES["priority"].items():
        if row["desk"]:
            ref = connector.create(f"T-{priority}", {"short_description": "Printer on fire", **row["write"]})
            record = connector.fetch(ref.id)
            assert record is not None
            assert record.fields["priority"] == priority


def test_what_a_state_demands_is_what_the_instance_demands(connector: ServiceNow) -> None:
    demands = MAPPING["fields"]["status"]["demands"]
    for state, row in TABLES["status"].items():
        if row["desk"]:
            ref = connector.create(f"T-{state}", {"short_description": "Printer on fire"})
            connector.transition(ref.id, state, demands.get(state, {}))
            record = connector.fetch(ref.id)
            assert record is not None
            assert record.fields["state"] == state
