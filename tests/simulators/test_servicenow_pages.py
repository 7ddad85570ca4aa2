"""The instance in a browser: everything by plain forms, and nothing that a text can break."""

from urllib.parse import urlencode

import pytest
from tests.simulators.servicenow_kit import HOST, TABLE, ServiceNow

from deskbridge.simulators.wire import Response, request


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


def _show(now: ServiceNow, address: str) -> Response:
    page = now.simulator.page(request("GET", address, headers=[HOST]))
    assert page is not None
    return page


def _post(now: ServiceNow, address: str, **form: str) -> Response:
    headers = [HOST, ("Content-Type", "application/x-www-form-urlencoded")]
    page = now.simulator.page(request("POST", address, headers=headers, body=urlencode(form).encode()))
    assert page is not None
    return page


def _text(page: Response) -> str:
    return page.body.decode()


def _address(sys_id: str, **more: str) -> str:
    return f"/incident.do?{urlencode({'sys_id': sys_id, **{f'sysparm_{name}': value for name, value in more.items()}})}"


def test_the_list_shows_labels_and_links(now: ServiceNow) -> None:
    assert "No records to display" in _text(_show(now, "/"))
    made = now.create(short_description="Printer on fire", impact=1, urgency=1, caller_id=now.user("grace.okafor"))
    text = _text(_show(now, "/incident_list.do"))
    for shown in (made["number"], "Printer on fire", "Grace Okafor", "1 - Critical", "New", "Inquiry / Help"):
        assert shown in text
    assert f"/incident.do?sys_id={made['sys_id']}" in text


def test_the_filter_is_an_encoded_query_and_says_what_is_wrong(now: ServiceNow) -> None:
    now.create(short_description="one", impact=1)
    now.create(short_description="two")
    found = _text(_show(now, "/incident_list.do?sysparm_query=impact%3D1"))
    assert "one" in found
    assert "two" not in found
    assert "unknown field bunk" in _text(_show(now, "/?sysparm_query=bunk%3D1"))


def test_a_person_creates_edits_comments_and_resolves(now: ServiceNow) -> None:
    assert "New incident" in _text(_show(now, "/incident.do?sys_id=-1"))
    made = _post(
        now, "/incident.do?sys_id=-1", short_description="Printer", impact="1", urgency="2", category="hardware"
    )
    assert made.status == 303
    address = made.header("location")
    sys_id = address.partition("=")[2]
    assert "2 - High" in _text(_show(now, address))
    assert 'value="Printer"' in _text(_show(now, _address(sys_id, view="edit")))
    _post(now, _address(sys_id, action="edit"), short_description="Printer on fire", impact="1", urgency="1")
    _post(now, _address(sys_id, action="post"), element="comments", text="On my way\r\nsoon")
    _post(now, _address(sys_id, action="post"), element="work_notes", text="Bring a bucket")
    _post(now, _address(sys_id, action="time"), minutes="90", comments="extinguishing")
    text = _text(_show(now, address))
    for shown in ("Printer on fire", "1 - Critical", "On my way\nsoon", "Bring a bucket", "1 Hour 30 Minutes"):
        assert shown in text
    resolve = _address(sys_id, action="move", state="6")
    refused = _post(now, resolve)
    assert refused.status == 403
    assert "mandatory: Resolution code, Resolution notes" in _text(refused)
    assert _post(now, resolve, close_code="Solution provided", close_notes="Water").status == 303
    assert _post(now, _address(sys_id, action="move", state="7")).status == 303
    closed = _text(_show(now, address))
    assert "Closed" in closed
    assert "<form" not in closed, "nothing can be done to a closed incident"


def test_a_person_can_answer_as_the_caller(now: ServiceNow) -> None:
    made = now.create(caller_id=now.user("grace.okafor"), state=3, hold_reason=1, comments="Which one?")
    _post(now, _address(made["sys_id"], action="post"), element="comments", text="That one", as_caller="true")
    assert now.get(made)["state"] == "2"
    assert (
        now.find(f"element_id={made['sys_id']}^value=That one", "sys_journal_field")[0]["sys_created_by"]
        == "grace.okafor"
    )


def test_a_person_puts_on_hold_and_takes_back(now: ServiceNow) -> None:
    made = now.create()
    hold = _address(made["sys_id"], action="move", state="3")
    assert _post(now, hold, hold_reason="1", comments="").status == 403
    assert _post(now, hold, hold_reason="4", comments="").status == 303
    assert "Awaiting Vendor" in _text(_show(now, _address(made["sys_id"])))
    assert _post(now, _address(made["sys_id"], action="move", state="2")).status == 303
    assert now.get(made)["state"] == "2"


def test_a_file_goes_up_and_down(now: ServiceNow) -> None:
    made = now.create()
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="<x>.txt"\r\n\r\n\x00\xff--+++\r\n--b--\r\n'
    headers = [HOST, ("Content-Type", "multipart/form-data; boundary=b")]
    sent = request("POST", _address(made["sys_id"], action="attach"), headers=headers, body=body)
    page = now.simulator.page(sent)
    assert page is not None
    assert page.status == 303
    (row,) = now.find("", "sys_attachment")
    text = _text(_show(now, _address(made["sys_id"])))
    assert "&lt;x&gt;.txt (7 bytes)" in text
    down = _show(now, f"/sys_attachment.do?sys_id={row['sys_id']}")
    assert (down.body, down.header("x-content-type-options")) == (b"\x00\xff--+++", "nosniff")
    assert down.header("content-disposition").startswith("attachment")


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=b"])
def test_a_form_without_a_file_is_refused_politely(now: ServiceNow, content_type: str) -> None:
    made = now.create()
    sent = request("POST", _address(made["sys_id"], action="attach"), headers=[HOST, ("Content-Type", content_type)])
    page = now.simulator.page(sent)
    assert page is not None
    assert page.status == 400
    assert 'role="alert"' in _text(page)


@pytest.mark.parametrize("minutes", ["", "-5", "many", "9" * 30])
def test_time_that_is_none_is_refused(now: ServiceNow, minutes: str) -> None:
    made = now.create()
    refused = _post(now, _address(made["sys_id"], action="time"), minutes=minutes)
    assert refused.status == 400
    assert "Minutes must be" in _text(refused)


def test_a_refused_form_keeps_what_was_written(now: ServiceNow) -> None:
    refused = _post(now, "/incident.do?sys_id=-1", short_description="Kept", category="pets")
    assert refused.status == 403
    assert 'value="Kept"' in _text(refused)
    made = now.create()
    refused = _post(now, _address(made["sys_id"], action="edit"), short_description="Also kept", impact="9")
    assert 'value="Also kept"' in _text(refused)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\u202eevil", "👩‍🔧", "x" * 40_000])
def test_no_text_breaks_a_page(now: ServiceNow, text: str) -> None:
    made = now.create(short_description=text, description=text, comments=text)
    page = _show(now, _address(made["sys_id"]))
    assert "<script>" not in _text(page)
    assert "script-src" not in page.header("content-security-policy")
    assert page.header("content-security-policy").startswith("default-src 'none'")
    assert _show(now, "/").status == 200


def test_users_and_worked_time_are_listed(now: ServiceNow) -> None:
    made = now.create(time_worked="00:10:00")
    users = _text(_show(now, "/sys_user_list.do"))
    assert "Lucía Ortega" in users
    worked = _text(_show(now, "/task_time_worked_list.do"))
    assert made["number"] in worked
    assert "10 Minutes" in worked


def test_what_is_not_there(now: ServiceNow) -> None:
    assert _show(now, _address("0" * 32)).status == 404
    assert _show(now, "/sys_attachment.do?sys_id=x").status == 404
    assert _post(now, _address("0" * 32, action="edit")).status == 404
    assert _post(now, _address(now.create()["sys_id"], action="bunk")).status == 404
    assert now.simulator.page(request("GET", f"{TABLE}/incident")) is None
