"""Jira's connector against its simulator: the contract on Cloud and on Server, and what only Jira has."""

from tests.connectors.contract import Call, ContractSuite, Subject

from deskbridge.connectors.jira.connector import Jira

CLOUD = Subject(
    simulator="jira",
    connect=Jira,
    scope="DESK",
    title="summary",
    text="description",
    create=Call("POST", r"/rest/api/\d/issue$"),
    fetch=Call("GET", r"/rest/api/\d/issue/\d+$"),
    feed=Call("GET", r"/rest/api/\d/search"),
    update=Call("PUT", r"/rest/api/\d/issue/\d+$"),
    far_status="10002",
    passed=("3", "10001", "10002"),
    minimum={"issuetype": "10002"},
    demanded={"resolution": "10000"},
    choice=("priority", "2"),
)


class TestJiraCloud(ContractSuite):
    subject = CLOUD
