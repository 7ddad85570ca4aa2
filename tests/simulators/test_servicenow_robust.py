"""Whatever is sent, the instance answers in its own words, and what it stored can be shown."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.servicenow_kit import HOST, JSON, TABLE, TOKEN, ServiceNow

from deskbridge.simulators.servicenow.schema import STAGED, TABLES
from deskbridge.simulators.wire import Response, request

ANY_TEXT = st.text(max_size=30) | st.sampled_from(
    ["true", "1", "2025-01-01", "9998-12-31 23:59:59", "99 99:99:99", "0" * 32]
)
ANY_JSON = ANY_TEXT | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers(), max_size=1)
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "America/Los_Angeles"])
SWITCH = st.sampled_from(["on", "off"])


def _body(names: list[str]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=5), ANY_JSON, max_size=8)


def _shows(now: ServiceNow) -> None:
    """Every row in every form, and every page, can be drawn."""
    for table in ("incident", "task_time_worked", "u_desk_incident"):
        assert now.call("GET", f"{TABLE}/{table}", None, display_value="all").status == 200
    for row in now.find(""):
        page = now.simulator.page(request("GET", f"/incident.do?sys_id={row['sys_id']}", headers=[HOST]))
        assert page is not None
        assert page.status == 200


@settings(max_examples=150, deadline=None)
@given(_body(list(TABLES["incident"].by_name)), _body(list(TABLES["incident"].by_name)), ZONES, SWITCH)
def test_any_incident(first: dict[str, object], second: dict[str, object], zone: str, validation: str) -> None:
    now = ServiceNow(validation=validation)
    now.state.set("time_zone", zone)
    made = now.call("POST", f"{TABLE}/incident", first, input_display_value="true")
    assert made.status in {201, 400, 403}
    incident = made.json()["result"] if made.status == 201 else now.create()
    assert now.patch(incident, **second).status in {200, 400, 403}
    _shows(now)


@settings(max_examples=100, deadline=None)
@given(_body(list(TABLES["task_time_worked"].by_name)), _body([f"u_{name}" for name in STAGED]), SWITCH)
def test_any_worked_time_and_import(worked: dict[str, object], staged: dict[str, object], validation: str) -> None:
    now = ServiceNow(validation=validation)
    body = {**worked, "task": now.create()["sys_id"]}
    assert now.call("POST", f"{TABLE}/task_time_worked", body).status in {201, 400, 403}
    assert now.call("POST", "/api/now/import/u_desk_incident", {**staged, "u_correlation_id": "k"}).status == 201
    _shows(now)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    st.sampled_from(
        ["table/incident", "table/sys_choice/x", "attachment", "attachment/file", "batch", "import/x", "%00"]
    ),
    st.dictionaries(st.sampled_from(["sysparm_query", "sysparm_limit", "sysparm_fields", "table_name", "x"]), ANY_TEXT),
    st.binary(max_size=40),
)
def test_any_request(method: str, path: str, query: dict[str, str], body: bytes) -> None:
    sent = request(method, f"/api/now/{path}", headers=[TOKEN, HOST, JSON], body=body)
    answer: Response = ServiceNow().send(type(sent)(method, sent.path, list(query.items()), sent.headers, body))
    assert answer.status in {200, 201, 400, 403, 404, 405}
    assert answer.status < 400 or answer.json()["error"]["message"]
