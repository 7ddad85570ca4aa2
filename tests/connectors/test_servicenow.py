"""The ServiceNow connector keeps the contract."""

from tests.connectors.contract import Call, ContractSuite, Subject

from deskbridge.connectors.servicenow.connector import ServiceNow
from deskbridge.sync.connector import Audience


class TestServiceNow(ContractSuite):
    subject = Subject(
        simulator="servicenow",
        connect=ServiceNow,
        title="short_description",
        text="description",
        create=Call("POST", "/api/now/import/u_desk_incident"),
        fetch=Call("GET", r"/api/now/table/incident/\w{32}"),
        feed=Call("GET", r"/api/now/table/incident$"),
        update=Call("PATCH", "/api/now/table/incident/"),
        far_status="6",
        passed=["6"],
        demanded={"close_code": "Solution provided", "close_notes": "Restarted the service"},
        choice=("category", "network"),
        files=Audience.PUBLIC,
    )
