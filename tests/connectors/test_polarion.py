"""Polarion's connector against its simulator: the inherited suite, and what only Polarion has."""

from tests.connectors.contract import Call, ContractSuite, Subject
from tests.connectors.remote import TOKEN, USER

from deskbridge.connectors.polarion.connector import Polarion


class TestPolarion(ContractSuite):
    subject = Subject(
        simulator="polarion",
        connect=Polarion,
        title="title",
        text="description",
        create=Call("POST", "/projects/DESK/workitems$"),
        fetch=Call("GET", r"/workitems/DESK-\d+$"),
        feed=Call("GET", "/projects/DESK/workitems$"),
        update=Call("PATCH", r"/workitems/DESK-\d+$"),
        far_status="done",
        passed=("in_progress", "done"),
        minimum={"type": "defect"},
        demanded={"resolution": "fixed"},
        choice=("severity", "critical"),
        scope="DESK",
        accounts=(USER, TOKEN),
    )
