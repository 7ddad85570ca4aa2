"""The mapping that is shipped for Jira works with a fresh site."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from tests.connectors.remote import Remote, started

from deskbridge.connectors.jira.connector import Jira

DESK = {
    "status": {"NEW", "OPEN", "IN_PROGRESS", "PENDING_INFO", "RESOLVED", "CLOSED", "REOPENED", "ESCALATED"},
    "priority": {"P1", "P2", "P3", "P4"},
    "category": {"INCIDENT", "SERVICE_REQUEST", "BUG", "FEATURE_REQUEST", "SUPPORT", "FACILITY_MANAGEMENT"}
    | {"TECHNICAL_IT", "SERVICE_COMPLAINT"},
}
MAPPING: dict[str, Any] = yaml.safe_load(files("deskbridge.connectors.jira").joinpath("mapping.yaml").read_text())
TABLES: dict[str, Any] = {name: field["values"] for name, field in MAPPING["fields"].items() if "values" in field}


@pytest.fixture
def remote() -> Iterator[Remote]:
    with started("jira") as remote:
        yield remote


@pytest.fixture
def connector(remote: Remote) -> Jira:
    return Jira(remote.site(scope="DESK"), remote.line())


def test_every_field_and_every_value_is_there(connector: Jira) -> None:
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
            assert row["inbound"] in DESK[name]


def test_what_is_required_is_mapped(connector: Jira) -> None:
    required = {name for name, info in connector.describe().fields.items() if info.required}
    assert required <= {field["remote"] for field in MAPPING["fields"].values()}


def test_every_status_that_is_written_can_be_reached_with_its_demands(connector: Jira) -> None:
    demands = MAPPING["fields"]["status"]["demands"]
    for status, row in TABLES["status"].items():
        if row["desk"]:
            ref = connector.create(f"T-{status}", {"summary": "Printer on fire", "issuetype": "10002"})
            connector.transition(ref.id, status, demands.get(status, {}))
            record = connector.fetch(ref.id)
            assert record is not None
            assert record.fields["status"] == status
