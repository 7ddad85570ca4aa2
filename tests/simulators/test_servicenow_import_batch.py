"""The Import Set API, which makes creating repeatable, and the Batch API."""

import base64
import json
from typing import Any

import pytest
from tests.simulators.servicenow_kit import HOST, JSON, RESOLVED, TABLE, TOKEN, ServiceNow, error

from deskbridge.simulators.faults import parse_rule
from deskbridge.simulators.wire import request

IMPORT = "/api/now/import/u_desk_incident"
BATCH = "/api/now/v1/batch"


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


def _import(now: ServiceNow, **columns: object) -> dict[str, Any]:
    response = now.call("POST", IMPORT, {f"u_{name}": value for name, value in columns.items()})
    assert response.status == 201
    (result,) = response.json()["result"]
    found: dict[str, Any] = result
    return found


def test_import_inserts_then_ignores_then_updates(now: ServiceNow) -> None:
    """A create whose answer was lost is sent again: still one incident."""
    columns = {"correlation_id": "desk-1", "correlation_display": "desk", "short_description": "Printer", "impact": 1}
    first = now.call("POST", IMPORT, {f"u_{name}": value for name, value in columns.items()}).json()
    result = first["result"][0]
    assert (first["staging_table"], first["import_set"]) == ("u_desk_incident", "ISET0010001")
    assert (result["status"], result["table"], result["display_value"]) == ("inserted", "incident", "INC0010001")
    assert result["record_link"] == f"http://127.0.0.1:8082{TABLE}/incident/{result['sys_id']}"
    again = _import(now, **columns)
    assert (again["status"], again["sys_id"]) == ("ignored", result["sys_id"])
    changed = _import(now, **{**columns, "urgency": 1})
    assert (changed["status"], changed["sys_id"]) == ("updated", result["sys_id"])
    (row,) = now.find("correlation_id=desk-1")
    assert (row["priority"], row["sys_mod_count"], row["correlation_display"]) == ("1", "1", "desk")


@pytest.mark.parametrize(("fault", "status"), [("drop_after_commit", "ignored"), ("drop_before_commit", "inserted")])
def test_a_lost_answer_is_repaired_by_sending_again(now: ServiceNow, fault: str, status: str) -> None:
    now.simulator.faults.rules.append(parse_rule({"match": {"method": "POST", "path": "/import/"}, "fault": fault}))
    headers = [TOKEN, HOST, JSON]
    lost = now.simulator.receive(request("POST", IMPORT, headers=headers, body=b'{"u_correlation_id": "k"}'))
    assert lost.response is None
    assert _import(now, correlation_id="k")["status"] == status
    assert len(now.find("correlation_id=k")) == 1


def test_the_table_api_knows_no_unique_correlation_id(now: ServiceNow) -> None:
    """There a repeated create makes a second incident: look before sending again."""
    first, second = now.create(correlation_id="k"), now.create(correlation_id="k")
    assert [row["number"] for row in now.find("correlation_id=k")] == [first["number"], second["number"]]


def test_import_repeats_no_comment(now: ServiceNow) -> None:
    made = _import(now, correlation_id="k", comments="Hello", work_notes="from the desk")
    _import(now, correlation_id="k", comments="Hello", impact=2)
    assert now.journal(made) == [("comments", "Hello"), ("work_notes", "from the desk")]


def test_import_reads_names_and_labels(now: ServiceNow) -> None:
    made = _import(now, correlation_id="k", caller_id="Grace Okafor", assignment_group="Network", state="In Progress")
    row = now.get(made)
    assert (row["caller_id"], row["assignment_group"]) == (now.user("grace.okafor"), now.group("Network"))
    assert row["state"] == "2"


def test_import_takes_plain_column_names_too(now: ServiceNow) -> None:
    response = now.call("POST", IMPORT, {"correlation_id": "k", "short_description": "x", "bunk": 1})
    assert response.json()["result"][0]["status"] == "inserted"
    assert now.titles("correlation_id=k") == ["x"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "correlation_id is required"),
        ({"correlation_id": ""}, "correlation_id is required"),
        ({"correlation_id": "k", "state": "6"}, "mandatory: Resolution code, Resolution notes"),
        ({"correlation_id": "k", "category": "pets"}, "'pets' is not a choice of category"),
    ],
)
def test_import_tells_failures_in_its_result(now: ServiceNow, columns: dict[str, object], reason: str) -> None:
    """The answer is 201 all the same: only the result tells."""
    result = _import(now, **columns)
    assert result["status"] == "error"
    assert reason in result["error_message"]
    assert now.find("") == []
    (staged,) = now.find("", "u_desk_incident")
    assert (staged["sys_import_state"], staged["sys_target_sys_id"]) == ("error", "")


def test_import_into_a_closed_incident_fails(now: ServiceNow) -> None:
    made = _import(now, correlation_id="k")
    now.update(now.get(made), **{**RESOLVED, "state": "7"})
    assert "ACL Exception" in _import(now, correlation_id="k", short_description="other")["error_message"]


def test_a_staged_row_can_be_read(now: ServiceNow) -> None:
    made = _import(now, correlation_id="k", short_description="x")
    (staged,) = now.find("", "u_desk_incident")
    row = now.result(now.call("GET", f"{IMPORT}/{staged['sys_id']}"), 200)
    assert (row["u_short_description"], row["sys_target_sys_id"]) == ("x", made["sys_id"])
    assert now.call("GET", f"{IMPORT}/{'0' * 32}").status == 404


def test_import_wants_its_table_and_an_object(now: ServiceNow) -> None:
    assert error(now.call("POST", "/api/now/import/u_other", {}))[1] == "Invalid table u_other"
    assert error(now.call("POST", IMPORT, [1]))[0] == 400
    now.state.set("option.unknown_columns", "refuse")
    assert error(now.call("POST", IMPORT, {"u_correlation_id": "k", "u_bunk": 1}))[1] == "Invalid field"


# Batch


def _inner(identity: str, method: str, address: str, body: object = None) -> dict[str, Any]:
    headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "Authorization", "value": "Basic bad"}]
    content = "" if body is None else base64.b64encode(json.dumps(body).encode()).decode()
    return {"id": identity, "method": method, "url": address, "headers": headers, "body": content}


def _batch(now: ServiceNow, *requests: object) -> dict[str, Any]:
    answer = now.call("POST", BATCH, {"batch_request_id": 1, "rest_requests": list(requests)})
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


def test_batch_answers_each_request_for_itself(now: ServiceNow) -> None:
    made = now.create()
    answer = _batch(
        now,
        _inner("a", "POST", f"{TABLE}/incident", {"short_description": "from a batch"}),
        _inner("b", "PATCH", f"{TABLE}/incident/{made['sys_id']}", {"state": 6}),
        _inner("c", "GET", f"{TABLE}/incident?sysparm_query=ORDERBYnumber&sysparm_fields=number"),
        _inner("d", "DELETE", f"{TABLE}/incident/{made['sys_id']}"),
    )
    assert (answer["batch_request_id"], answer["unserviced_requests"]) == ("1", [])
    serviced = {item["id"]: item for item in answer["serviced_requests"]}
    assert {key: item["status_code"] for key, item in serviced.items()} == {"a": 201, "b": 403, "c": 200, "d": 204}
    numbers = json.loads(base64.b64decode(serviced["c"]["body"]))["result"]
    assert numbers == [{"number": "INC0010001"}, {"number": "INC0010002"}]
    assert {"name": "X-Total-Count", "value": "2"} in serviced["c"]["headers"]
    assert now.titles("") == ["from a batch"]


def test_a_batch_in_a_batch_is_refused(now: ServiceNow) -> None:
    inner = _inner("x", "POST", BATCH, {"batch_request_id": 2, "rest_requests": []})
    assert _batch(now, inner)["serviced_requests"][0]["status_code"] == 400


@pytest.mark.parametrize(
    "body", [{}, {"rest_requests": {}}, {"rest_requests": [1]}, {"rest_requests": [{"id": "1", "method": "GET"}]}]
)
def test_a_malformed_batch_is_refused(now: ServiceNow, body: object) -> None:
    assert error(now.call("POST", BATCH, body))[0] == 400


def test_a_batch_with_a_broken_body_changes_nothing(now: ServiceNow) -> None:
    good = _inner("a", "POST", f"{TABLE}/incident", {"short_description": "x"})
    bad = {**good, "body": "not base64!"}
    assert now.call("POST", BATCH, {"batch_request_id": 1, "rest_requests": [good, bad]}).status == 400
    assert now.find("") == []
