"""The Salesforce connector keeps the contract."""

from tests.connectors.contract import Call, ContractSuite, Subject
from tests.connectors.remote import CLIENT, TOKEN

from deskbridge.connectors.salesforce.connector import Salesforce
from deskbridge.sync.connector import Connector


class TestSalesforce(ContractSuite):
    subject = Subject(
        simulator="salesforce",
        connect=Salesforce,
        title="Subject",
        text="Description",
        create=Call("PATCH", "/sobjects/Case/Desk_Ref__c/"),
        fetch=Call("GET", "/sobjects/Case/500"),
        feed=Call("POST", "/composite$"),
        update=Call("PATCH", "/sobjects/Case/500"),
        far_status="Closed",
        passed=["Closed"],
        demanded={"Reason": "Solved"},
        choice=("Priority", "High"),
        accounts=(TOKEN, CLIENT),
    )

    def test_metadata_has_the_fields_a_mapping_needs(self, connector: Connector) -> None:
        """As for every tracker, but that a case needs no subject: Salesforce takes one without any field at all."""
        metadata = connector.describe()
        assert not [info.name for info in metadata.fields.values() if info.required]
        assert {"Subject", "Description", "Reason"} <= set(metadata.fields)
        assert metadata.fields["Description"].max_length == 32_000
        assert "High" in metadata.fields["Priority"].choices
        assert metadata.status_field == "Status"
        assert list(metadata.statuses) == ["New", "Working", "On Hold", "Escalated", "Closed"]
