"""What a fresh org holds: people, queues, customers, and no case."""

from typing import Any

from deskbridge.simulators.product import USER
from deskbridge.simulators.salesforce import ids, objects
from deskbridge.simulators.salesforce.objects import ACCOUNT, CASE, CASE_STATUS, CONTACT, GROUP, ORGANIZATION
from deskbridge.simulators.salesforce.rules import WEB_QUEUE
from deskbridge.simulators.salesforce.schema import SObject
from deskbridge.simulators.store import State

AGENT_ID = ids.make(objects.USER.prefix, 1)
ORGANIZATION_ID = ids.make(ORGANIZATION.prefix, 1)
_SINCE = "2024-01-15T09:00:00.000+0000"
_PEOPLE = (
    ("Desk", "Agent", USER, True),
    ("Maria", "Rossi", "maria.rossi@example.org", True),
    ("Jonas", "Weber", "jonas.weber@example.org", True),
    ("Piet", "de Vries", "piet.devries@example.org", False),
)
_QUEUES = (("Support Queue", WEB_QUEUE), ("Second Level", "Second_Level"))
_CUSTOMERS = (
    ("Northwind Clinic", "+39 0471 555100", "Aiko", "Tanaka", "aiko.tanaka@example.com"),
    ("Alpine Rail", "+41 31 555 0200", "Luca", "Bernasconi", "luca.bernasconi@example.com"),
)


def seed(state: State) -> None:
    """Fill an empty state; the same ids in every org."""
    _put(
        state,
        ORGANIZATION,
        {"Name": "Desk Test Org", "OrganizationType": "Enterprise Edition", "InstanceName": "SIM1"}
        | {"IsSandbox": True, "TimeZoneSidKey": "UTC"},
    )
    for first, last, email, active in _PEOPLE:
        _put(state, objects.USER, _person(first, last, email) | {"Username": email, "IsActive": active})
    for name, developer_name in _QUEUES:
        _put(state, GROUP, {"Name": name, "DeveloperName": developer_name, "Type": "Queue"})
    for company, phone, first, last, email in _CUSTOMERS:
        account = _put(state, ACCOUNT, {"Name": company, "Phone": phone})
        contact = {"Name": f"{first} {last}", "FirstName": first, "LastName": last, "Email": email, "Phone": phone}
        _put(state, CONTACT, contact | {"AccountId": account})
    _seed_statuses(state)


def _person(first: str, last: str, email: str) -> dict[str, Any]:
    return {
        "Name": f"{first} {last}",
        "FirstName": first,
        "LastName": last,
        "Alias": (first[:1] + last.replace(" ", ""))[:8].lower(),
        "Email": email,
        "UserType": "Standard",
        "TimeZoneSidKey": "UTC",
    }


def _seed_statuses(state: State) -> None:
    status = CASE.field("Status")
    for place, choice in enumerate(status.choices if status else (), 1):
        label = {"MasterLabel": choice.value, "ApiName": choice.value, "SortOrder": place}
        _put(state, CASE_STATUS, label | {"IsDefault": choice.default, "IsClosed": choice.closed})


def _put(state: State, sobject: SObject, given: dict[str, Any]) -> str:
    row: dict[str, Any] = {field.name: field.default for field in sobject.fields}
    stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), _SINCE)
    authors = dict.fromkeys(("CreatedById", "LastModifiedById"), AGENT_ID)
    row |= {name: value for name, value in (stamps | authors).items() if sobject.field(name)}
    record_id = ids.make(sobject.prefix, state.next(sobject.name))
    state.table(sobject.name).put(record_id, row | given | {"Id": record_id})
    return record_id
