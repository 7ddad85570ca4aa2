"""ServiceNow's own client pysnc, unmodified, against the ServiceNow simulator.

It refuses http addresses: most tests send its https requests to the plain port through a transport adapter, those about
the connection use the TLS port.
"""

import asyncio
import random
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from pysnc import ServiceNowClient
from pysnc.asyncio import AsyncServiceNowClient
from pysnc.auth import ServiceNowClientCredentialsFlow, ServiceNowPasswordGrantFlow
from pysnc.exceptions import AuthenticationException, InstanceException, RequestException, RoleException
from tests.simulators.conformance.matrix import conforms

from deskbridge.simulators.server import Running, running

CLIENT = "pysnc"
USER = ("desk@example.org", "desk-token")


class PlainHttp(requests.adapters.HTTPAdapter):
    """Sends what was addressed to https over plain http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("servicenow", tls=True) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset simulator; pysnc lets these variables win over its own `verify`."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    control(server, "reset")


@pytest.fixture
def client(server: Running) -> Iterator[ServiceNowClient]:
    """Signed in, over plain http, without pysnc's own retries."""
    with requests.Session() as session:
        session.auth = USER
        address = server.http.replace("http://", "https://")
        session.mount(f"{address}/", PlainHttp())
        yield ServiceNowClient(address, session)


def control(server: Running, action: str, body: object = None) -> Any:
    response = httpx.post(f"{server.http}/__sim__/{action}", json=body or {}, trust_env=False)
    assert response.status_code == 200, response.text
    return response.json()


def sent(server: Running, method: str) -> list[dict[str, Any]]:
    """What the simulator received with this method, in order."""
    received = httpx.get(f"{server.http}/__sim__/requests", trust_env=False).json()["requests"]
    return [request for request in received if request["method"] == method]


def create(client: ServiceNowClient, **fields: object) -> Any:
    """A new incident as pysnc's record."""
    record = client.GlideRecord("incident")
    record.initialize()
    for name, value in {"short_description": "Printer", **fields}.items():
        record.set_value(name, value)
    assert record.insert()
    return record


def user_id(client: ServiceNowClient, user_name: str) -> str:
    user = client.GlideRecord("sys_user")
    assert user.get("user_name", user_name)
    return str(user.sys_id)


def journal(client: ServiceNowClient, record: Any) -> list[tuple[str, str]]:
    entries = client.GlideRecord("sys_journal_field")
    entries.add_query("element_id", str(record.sys_id))
    entries.order_by("sys_created_on")
    entries.query()
    return [(str(entry.element), str(entry.value)) for entry in entries]


# Connect


@conforms(client=CLIENT, operation="connect")
def test_connects_over_tls_with_basic(server: Running) -> None:
    client = ServiceNowClient(server.https, USER, verify=server.certificate)
    user = client.GlideRecord("sys_user")
    assert user.get("user_name", USER[0])
    assert (user.name, user.get_display_value("active")) == ("Desk Integration", "true")
    client.session.close()


@conforms(client=CLIENT, operation="connect")
def test_connects_with_the_password_grant(server: Running) -> None:
    flow = ServiceNowPasswordGrantFlow(*USER, "desk", "desk-secret")
    client = ServiceNowClient(server.https, flow, verify=server.certificate)
    user = client.GlideRecord("sys_user")
    assert user.get("user_name", USER[0])
    assert sent(server, "GET")[0]["headers"]["authorization"].startswith("Bearer ")
    client.session.close()


@conforms(client=CLIENT, operation="connect")
def test_connects_with_client_credentials(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.certificate)  # this flow asks for its token without `verify`
    flow = ServiceNowClientCredentialsFlow("desk", "desk-secret")
    client = ServiceNowClient(server.https, flow)
    user = client.GlideRecord("sys_user")
    assert user.get("user_name", USER[0])
    client.session.close()


@conforms(client=CLIENT, operation="connect")
def test_the_asynchronous_client_does_the_same(server: Running) -> None:
    assert asyncio.run(_asynchronously(server)) == ["INC0010001", "INC0010002", "INC0010003"]


async def _asynchronously(server: Running) -> list[str]:
    """Make three incidents, change and delete, and list the numbers page by page."""
    trust = ssl.create_default_context(cafile=server.certificate)
    async with httpx.AsyncClient(base_url=server.https, auth=USER, verify=trust) as session:
        client = AsyncServiceNowClient(server.https, session)
        for _ in range(4):
            record = await client.GlideRecord("incident")
            record.initialize()
            record.short_description = "Printer"
            assert await record.insert()
        assert await record.delete()
        records = await client.GlideRecord("incident", batch_size=2)
        records.order_by("number")
        await records.query()
        return [str(found.number) async for found in records]


@conforms(client=CLIENT, operation="errors")
def test_plain_http_is_refused_by_the_client(server: Running) -> None:
    with pytest.raises(InstanceException, match="https"):
        ServiceNowClient(server.http, USER)


# Records


@conforms(client=CLIENT, operation="create")
def test_creates_and_shows_what_the_instance_made_of_it(client: ServiceNowClient) -> None:
    record = create(client, impact="1", urgency="2", bunk_field="ignored")
    assert len(str(record.sys_id)) == 32
    assert record.number == "INC0010001"
    assert (record.get_value("priority"), record.get_display_value("priority")) == ("2", "2 - High")
    assert record.get_display_value("opened_by") == "Desk Integration"
    assert len(str(record.opened_by)) == 32


@conforms(client=CLIENT, operation="create")
def test_creates_under_a_chosen_sys_id(client: ServiceNowClient) -> None:
    record = client.GlideRecord("incident")
    record.initialize()
    record.set_new_guid_value("AAAABBBBCCCCDDDDEEEEFFFF00001111")
    assert record.insert() == "AAAABBBBCCCCDDDDEEEEFFFF00001111"


@conforms(client=CLIENT, operation="get")
def test_gets_by_sys_id_and_by_field(client: ServiceNowClient) -> None:
    made = create(client, correlation_id="desk-1")
    by_id = client.GlideRecord("incident")
    assert by_id.get(str(made.sys_id))
    assert by_id.short_description == "Printer"
    assert by_id.opened_at.date_value().microsecond == 0
    by_field = client.GlideRecord("incident")
    assert by_field.get("correlation_id", "desk-1")
    assert by_field.number == made.number
    assert not client.GlideRecord("incident").get("bunk")


@conforms(client=CLIENT, operation="get")
def test_gets_dot_walked_fields(client: ServiceNowClient) -> None:
    made = create(client)
    record = client.GlideRecord("incident")
    record.fields = "sys_id,opened_by,opened_by.email"
    assert record.get(str(made.sys_id))
    assert record.opened_by.email == USER[0]


@conforms(client=CLIENT, operation="update")
def test_updates_every_field_because_every_column_is_shown(client: ServiceNowClient, server: Running) -> None:
    made = create(client)
    made.state = "6"
    made.close_code = "Solution provided"
    made.close_notes = "Restarted"
    assert made.update()
    assert made.get_display_value("state") == "Resolved"
    assert made.sys_mod_count == "1"
    patched = sent(server, "PATCH")[0]["body"]
    assert all(name in patched for name in ("state", "close_code", "close_notes"))


@conforms(client=CLIENT, operation="update")
def test_limited_fields_reproduce_the_loss_of_real_instances(client: ServiceNowClient, server: Running) -> None:
    """Fields that the record was not shown are silently left out of the PATCH: then the data policy speaks."""
    made = create(client)
    record = client.GlideRecord("incident")
    record.fields = "sys_id,state"
    record.get(str(made.sys_id))
    record.state = "6"
    record.close_code = "Solution provided"
    record.close_notes = "Restarted"
    with pytest.raises(RoleException, match="Resolution code, Resolution notes"):
        record.update()
    assert sent(server, "PATCH")[0]["body"] == '{"state": "6"}'


@conforms(client=CLIENT, operation="update")
def test_updates_several_in_a_batch(client: ServiceNowClient) -> None:
    for number in range(4):
        create(client, short_description=f"Mass {number}")
    records = client.GlideRecord("incident")
    records.add_query("short_description", "LIKE", "Mass")
    records.query()
    while records.next():
        records.state = "2" if records.number != "INC0010003" else "6"
    assert not records.update_multiple(), "one of them lacks its resolution code"
    started = client.GlideRecord("incident")
    started.add_query("state", "2")
    started.query()
    assert len(started) == 3


@conforms(client=CLIENT, operation="search changed since")
def test_finds_what_changed_since(client: ServiceNowClient, server: Running) -> None:
    control(server, "clock", {"at": "2025-03-10T09:00:00Z"})
    old, changed = create(client, short_description="old"), create(client, short_description="changed")
    control(server, "clock", {"advance": 60})
    changed.impact = "1"
    assert changed.update()
    records = client.GlideRecord("incident")
    records.add_query("sys_updated_on", ">", "2025-03-10 09:00:30")
    records.order_by("sys_updated_on")
    records.query()
    assert [str(record.short_description) for record in records] == ["changed"]
    assert old.sys_updated_on == "2025-03-10 09:00:00"


@conforms(client=CLIENT, operation="search changed since")
def test_finds_by_keyset_and_other_conditions(client: ServiceNowClient, server: Running) -> None:
    control(server, "clock", {"at": "2025-03-10T09:00:00Z"})
    ids = sorted(str(create(client).sys_id) for _ in range(5))
    records = client.GlideRecord("incident")
    stamp = "2025-03-10 09:00:00"
    records.add_encoded_query(f"sys_updated_on>{stamp}^NQsys_updated_on={stamp}^sys_id>{ids[1]}")
    records.query()
    assert [str(record.sys_id) for record in records] == ids[2:]
    either = client.GlideRecord("incident")
    either.add_query("number", "INC0010001").add_or_condition("number", "INC0010002")
    either.add_active_query()
    either.add_null_query("correlation_id")
    either.add_not_null_query("opened_by")
    either.query()
    assert either.get_row_count() == 2


@conforms(client=CLIENT, operation="search changed since")
def test_joins_and_related_lists(client: ServiceNowClient) -> None:
    create(client, caller_id=user_id(client, "grace.okafor"))
    joined = client.GlideRecord("sys_user")
    joined.add_join_query("incident", join_table_field="caller_id").add_query("active", "true")
    joined.query()
    assert [str(user.name) for user in joined] == ["Grace Okafor"]
    related = client.GlideRecord("sys_user")
    related.add_rl_query("incident", "caller_id", ">0", True).add_query("opened_by.name", "STARTSWITH", "Desk")
    related.query()
    assert [str(user.name) for user in related] == ["Grace Okafor"]


@conforms(client=CLIENT, operation="search changed since")
def test_a_very_long_query_goes_through_the_batch_api(client: ServiceNowClient, server: Running) -> None:
    made = create(client)
    record = client.GlideRecord("incident")
    for _ in range(1500):
        record.add_query("short_description", "Printer")
    record.add_query("sys_id", str(made.sys_id))
    record.query()
    assert len(record) == 1
    assert sent(server, "POST")[-1]["path"] == "/api/now/v1/batch"


@conforms(client=CLIENT, operation="comments")
def test_comments_and_work_notes(client: ServiceNowClient) -> None:
    made = create(client, comments="opened by phone")
    made.comments = "public 👋"
    made.work_notes = "private \u202eשלום"
    assert made.update()
    assert sorted(journal(client, made)) == [
        ("comments", "opened by phone"),
        ("comments", "public 👋"),
        ("work_notes", "private \u202eשלום"),
    ]
    again = client.GlideRecord("incident")
    again.get(str(made.sys_id))
    assert "public 👋" in again.get_display_value("comments")


@conforms(client=CLIENT, operation="comments")
def test_a_very_long_comment(client: ServiceNowClient) -> None:
    made = create(client, comments="x" * 40_000)
    assert journal(client, made) == [("comments", "x" * 40_000)]


@conforms(client=CLIENT, operation="transitions")
def test_moves_through_the_states(client: ServiceNowClient) -> None:
    record = create(client)
    for fields in (
        {"state": "2"},
        {"state": "3", "hold_reason": "1", "comments": "Which one?"},
        {"state": "6", "close_code": "Duplicate", "close_notes": "As before"},
        {"state": "7"},
    ):
        for name, value in fields.items():
            record.set_value(name, value)
        assert record.update()
        assert record.get_value("state") == fields["state"]
    assert record.get_display_value("state") == "Closed"
    assert record.active == "false"


@conforms(client=CLIENT, operation="transitions")
def test_policies_and_access_rules_speak(client: ServiceNowClient) -> None:
    record = create(client)
    record.state = "3"
    with pytest.raises(RoleException, match="mandatory: On hold reason"):
        record.update()
    closed = create(client, state="8")
    closed.state = "1"
    with pytest.raises(RoleException, match="ACL Exception Update Failed"):
        closed.update()


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("content", [random.Random(3).randbytes(400_000), b"\x00", b"--+++\r\n--+++--", "ü\n".encode()])
def test_attachments_up_and_down_are_identical(client: ServiceNowClient, content: bytes) -> None:
    made = create(client)
    location = made.add_attachment("Übung 1.bin", content)
    attachments = made.get_attachments()
    assert len(attachments) == 1
    assert attachments.next()
    assert attachments.file_name == "Übung 1.bin"
    assert attachments.size_bytes == str(len(content))
    assert attachments.read() == content
    with attachments.as_temp_file() as file:
        assert file.read() == content
    assert location.endswith(attachments.sys_id)
    attachments.delete()
    assert len(made.get_attachments()) == 0


@conforms(client=CLIENT, operation="attachments")
def test_a_file_too_large_is_refused(client: ServiceNowClient) -> None:
    made = create(client)
    with pytest.raises(RequestException, match="max_size"):
        made.add_attachment("large.bin", bytes(34 * 1024 * 1024))
    assert len(made.get_attachments()) == 0


@conforms(client=CLIENT, operation="worklogs")
def test_worked_time(client: ServiceNowClient) -> None:
    made = create(client)
    worked = client.GlideRecord("task_time_worked")
    worked.initialize()
    worked.task = str(made.sys_id)
    worked.time_in_seconds = 5400
    worked.comments = "on site"
    assert worked.insert()
    found = client.GlideRecord("task_time_worked")
    found.add_query("task", str(made.sys_id))
    found.query()
    assert found.next()
    assert (int(found.time_in_seconds), found.get_display_value("time_worked")) == (5400, "1 Hour 30 Minutes")
    assert found.get_display_value("user") == "Desk Integration"
    assert found.delete()


@conforms(client=CLIENT, operation="delete")
def test_deletes_one_and_several(client: ServiceNowClient) -> None:
    made = create(client)
    assert made.delete()
    assert not client.GlideRecord("incident").get(str(made.sys_id))
    for _ in range(3):
        create(client)
    several = client.GlideRecord("incident")
    several.add_query("short_description", "Printer")
    assert several.delete_multiple()
    left = client.GlideRecord("incident")
    left.query()
    assert len(left) == 0


# Errors, paging, throttling


@conforms(client=CLIENT, operation="errors")
def test_wrong_password(server: Running) -> None:
    client = ServiceNowClient(server.https, ("desk@example.org", "wrong"), verify=server.certificate)
    with pytest.raises(AuthenticationException, match="Required to provide Auth information"):
        client.GlideRecord("incident").get("x")
    client.session.close()


@conforms(client=CLIENT, operation="errors")
def test_unknown_table_and_unsupported_query(client: ServiceNowClient) -> None:
    with pytest.raises(RequestException, match="Invalid table bunk"):
        client.GlideRecord("bunk").get("x")
    record = client.GlideRecord("incident")
    record.add_encoded_query("opened_atRELATIVEGT@hour@ago@2")
    with pytest.raises(RequestException, match="unsupported operator RELATIVEGT"):
        record.query()


@conforms(client=CLIENT, operation="errors")
def test_a_sleeping_instance_answers_html(client: ServiceNowClient, server: Running) -> None:
    control(server, "faults", {"match": {"method": "GET"}, "fault": "html_200"})
    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.GlideRecord("incident").get("x")


@conforms(client=CLIENT, operation="errors")
def test_a_lost_answer_to_a_create_is_not_repeated_by_the_client(client: ServiceNowClient, server: Running) -> None:
    control(server, "faults", {"match": {"method": "POST"}, "fault": "drop_after_commit"})
    with pytest.raises(requests.exceptions.ConnectionError):
        create(client)
    records = client.GlideRecord("incident")
    records.query()
    assert (len(sent(server, "POST")), len(records)) == (1, 1)


@conforms(client=CLIENT, operation="paging")
def test_pages_through_more_than_250_records(client: ServiceNowClient, server: Running) -> None:
    control(server, "limits", {"enabled": False})
    wanted = {str(create(client, short_description=f"row {number}").number) for number in range(260)}
    records = client.GlideRecord("incident", batch_size=100)
    records.fields = "number"
    records.query()
    assert len(records) == 260
    assert {str(record.number) for record in records} == wanted
    pages = [dict(request["query"]) for request in sent(server, "GET")]
    assert [page["sysparm_offset"] for page in pages] == ["0", "100", "200"]


@conforms(client=CLIENT, operation="paging")
def test_a_limit_cuts_across_pages(client: ServiceNowClient) -> None:
    for _ in range(12):
        create(client)
    records = client.GlideRecord("incident", batch_size=5)
    records.limit = 7
    records.query()
    assert len([str(record.sys_id) for record in records]) == 7


@conforms(client=CLIENT, operation="throttling")
def test_a_throttled_get_is_tried_again_by_the_clients_own_retry(server: Running) -> None:
    client = ServiceNowClient(server.https, USER, verify=server.certificate)
    headers = {"Retry-After": "0"}
    control(server, "faults", {"match": {"method": "GET"}, "fault": "status", "status": 429, "headers": headers})
    users = client.GlideRecord("sys_user")
    users.query()
    assert len(users) > 0
    assert len(sent(server, "GET")) == 2
    client.session.close()


@conforms(client=CLIENT, operation="throttling")
def test_a_throttled_create_is_not(client: ServiceNowClient, server: Running) -> None:
    control(server, "limits", {"requests": 0, "seconds": 1000})
    record = client.GlideRecord("incident")
    record.initialize()
    with pytest.raises(RequestException, match="Rate limit exceeded"):
        record.insert()
    assert len(sent(server, "POST")) == 1
