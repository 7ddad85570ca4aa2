"""Who may call, with what, and how often; the outbound call about changes."""

import base64
import json
from urllib.parse import urlencode

import pytest
from tests.simulators.servicenow_kit import HOST, RESOLVED, TABLE, TOKEN, ServiceNow, error

from deskbridge.simulators import webhooks
from deskbridge.simulators.webhooks import Delivery
from deskbridge.simulators.wire import Response, request

UNAUTHENTICATED = (401, "User Not Authenticated", "Required to provide Auth information")


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def _ask(now: ServiceNow, authorization: str) -> Response:
    headers = [HOST, *([("Authorization", authorization)] if authorization else [])]
    return now.send(request("GET", f"{TABLE}/incident", headers=headers))


def _token(now: ServiceNow, authorization: str = "", **form: str) -> Response:
    headers = [HOST, ("Content-Type", "application/x-www-form-urlencoded")]
    headers += [("Authorization", authorization)] if authorization else []
    return now.send(request("POST", "/oauth_token.do", headers=headers, body=urlencode(form).encode()))


def test_the_known_credentials_open(now: ServiceNow) -> None:
    assert _ask(now, _basic("desk@example.org", "desk-token")).status == 200
    assert _ask(now, "Bearer desk-token").status == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Basic !!!",
        "Basic /w==",
        _basic("desk@example.org", ""),
        _basic("x", "desk-token"),
    ],
)
def test_anything_else_is_the_instances_401(now: ServiceNow, authorization: str) -> None:
    answer = _ask(now, authorization)
    assert error(answer) == UNAUTHENTICATED
    assert 'realm="Service-now"' in answer.header("www-authenticate")


def test_client_credentials_with_the_client_in_the_form_or_in_basic(now: ServiceNow) -> None:
    in_form = _token(now, grant_type="client_credentials", client_id="desk", client_secret="desk-secret")
    in_basic = _token(now, _basic("desk", "desk-secret"), grant_type="client_credentials")
    for answer in (in_form, in_basic):
        granted = answer.json()
        assert (granted["token_type"], granted["expires_in"], granted["scope"]) == ("Bearer", 1799, "useraccount")
        assert _ask(now, f"Bearer {granted['access_token']}").status == 200
    assert in_form.json()["access_token"] != in_basic.json()["access_token"]


def test_a_token_expires_and_is_refreshed(now: ServiceNow) -> None:
    client = _basic("desk", "desk-secret")
    granted = _token(now, client, grant_type="password", username="desk@example.org", password="desk-token").json()
    now.clock.advance(1799)
    assert error(_ask(now, f"Bearer {granted['access_token']}")) == UNAUTHENTICATED
    assert error(_ask(now, f"Bearer {granted['refresh_token']}")) == UNAUTHENTICATED
    fresh = _token(now, client, grant_type="refresh_token", refresh_token=granted["refresh_token"]).json()
    assert _ask(now, f"Bearer {fresh['access_token']}").status == 200


@pytest.mark.parametrize(
    ("form", "status", "name"),
    [
        ({"grant_type": "client_credentials", "client_secret": "bad"}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "desk@example.org", "password": "bad"}, 401, "server_error"),
        ({"grant_type": "refresh_token", "refresh_token": "bad"}, 401, "server_error"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_refused_grants(now: ServiceNow, form: dict[str, str], status: int, name: str) -> None:
    answer = _token(now, **{"client_id": "desk", "client_secret": "desk-secret", **form})
    assert (answer.status, answer.json()["error"]) == (status, name)
    assert answer.json()["error_description"]


# Rate limits


def test_the_limit_holds_until_the_hour_of_the_clock_is_over() -> None:
    now = ServiceNow(limited=True)
    now.state.set("limits", {"requests": 3})
    now.clock.advance(1800)
    answers = [now.call("GET", f"{TABLE}/incident") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    refused = answers[3]
    assert error(refused)[1] == "Rate limit exceeded"
    assert (refused.header("retry-after"), refused.header("x-ratelimit-limit")) == ("1800", "3")
    assert refused.header("x-ratelimit-reset") == str(int(now.clock.now().timestamp()) + 1800)
    assert len(refused.header("x-ratelimit-rule")) == 32
    now.clock.advance(1799)
    assert now.call("GET", f"{TABLE}/incident").status == 429
    now.clock.advance(1)
    assert now.call("GET", f"{TABLE}/incident").status == 200


def test_failed_requests_count_and_the_limit_can_be_switched_off() -> None:
    now = ServiceNow(limited=True)
    now.state.set("limits", {"requests": 1, "seconds": 60})
    assert now.call("GET", f"{TABLE}/bunk").status == 400
    assert now.call("GET", f"{TABLE}/incident").status == 429
    now.state.set("limits", {"enabled": False})
    answer = now.call("GET", f"{TABLE}/incident")
    assert (answer.status, answer.header("x-ratelimit-limit")) == (200, "")


def test_a_fresh_instance_has_a_generous_limit_of_its_own() -> None:
    answer = ServiceNow(limited=True).call("GET", f"{TABLE}/incident")
    assert (answer.status, answer.header("x-ratelimit-limit")) == (200, "20000")


# The outbound call


def _listen(now: ServiceNow, **settings: object) -> None:
    now.state.set("webhooks", {"url": "http://127.0.0.1:9/hook", "secret": "s3cret", **settings})


def _told(now: ServiceNow) -> list[dict[str, str]]:
    return [json.loads(delivery.body) for delivery in now.simulator.due()]


def _header(delivery: Delivery, name: str) -> str:
    return dict(delivery.headers)[name]


def test_every_change_is_told_once_with_its_version(now: ServiceNow) -> None:
    _listen(now)
    made = now.create()
    now.update(made, impact=1)
    now.update(made, impact=1)
    now.update(made, comments="hello")
    now.call("DELETE", f"{TABLE}/incident/{made['sys_id']}")
    told = [(call["table"], call["operation"], call["sys_mod_count"]) for call in _told(now)]
    expected = [("insert", "0"), ("update", "1"), ("update", "2"), ("delete", "2")]
    assert told == [("incident", *call) for call in expected]
    identities = [_header(delivery, "X-Desk-Delivery").removeprefix(made["sys_id"]) for delivery in now.simulator.due()]
    assert identities == [":0", ":1", ":2", ":deleted"]


def test_a_call_names_the_record_but_not_its_content(now: ServiceNow) -> None:
    _listen(now)
    made = now.create(short_description="confidential")
    assert _told(now) == [
        {
            "table": "incident",
            "sys_id": made["sys_id"],
            "sys_mod_count": "0",
            "operation": "insert",
            "task": made["sys_id"],
            "number": made["number"],
            "sys_updated_on": made["sys_updated_on"],
            "sys_updated_by": "desk@example.org",
        }
    ]


def test_files_and_worked_time_are_told_as_well(now: ServiceNow) -> None:
    made = now.create()
    _listen(now)
    now.call("POST", f"/api/now/attachment/file?file_name=a&table_name=incident&table_sys_id={made['sys_id']}", {})
    now.call("POST", f"{TABLE}/task_time_worked", {"task": made["sys_id"], "time_in_seconds": 60})
    told = [(call["table"], call["operation"], call["task"]) for call in _told(now)]
    assert told == [("sys_attachment", "insert", made["sys_id"]), ("task_time_worked", "insert", made["sys_id"])]


def test_the_call_is_signed_over_its_raw_body_if_there_is_a_secret(now: ServiceNow) -> None:
    _listen(now)
    now.create()
    (delivery,) = now.simulator.due()
    assert _header(delivery, "X-Desk-Signature") == f"sha256={webhooks.sign('s3cret', delivery.body)}"
    now = ServiceNow()
    _listen(now, secret="")
    now.create()
    (unsigned,) = now.simulator.due()
    assert "X-Desk-Signature" not in dict(unsigned.headers)


@pytest.mark.parametrize(("status", "repeated"), [(None, True), (503, True), (429, True), (401, False), (200, False)])
def test_the_retry_policy_repeats_what_may_pass(now: ServiceNow, status: int | None, repeated: bool) -> None:
    _listen(now)
    now.create()
    (first,) = now.simulator.due()
    now.simulator.settle(first, status)
    assert now.simulator.due() == []
    now.clock.advance(30)
    again = now.simulator.due()
    assert [delivery.body for delivery in again] == ([first.body] if repeated else [])


def test_refused_writes_are_not_told(now: ServiceNow) -> None:
    _listen(now)
    made = now.create()
    now.patch(made, state=6)
    now.update(made, **RESOLVED)
    assert [call["operation"] for call in _told(now)] == ["insert", "update"]


def test_without_the_rule_nothing_is_told(now: ServiceNow) -> None:
    now.create()
    _listen(now, enabled=False)
    now.create()
    assert now.simulator.due() == []


def test_the_same_calls_give_the_same_instance() -> None:
    """Identifiers come from the state's own seed: a failing run can be repeated exactly."""
    first, second = ServiceNow(), ServiceNow()
    for now in (first, second):
        now.update(now.create(comments="a"), **RESOLVED)
        _token(now, grant_type="client_credentials", client_id="desk", client_secret="desk-secret")
    assert first.state.dump() == second.state.dump()


def test_a_state_survives_dump_and_load() -> None:
    first, second = ServiceNow(), ServiceNow()
    made = first.create(comments="a")
    second.state.load(json.loads(json.dumps(first.state.dump())))
    assert second.get(made) == first.get(made)
    assert second.journal(made) == [("comments", "a")]
    assert second.create()["number"] == "INC0010002"


def test_credentials_are_not_checked_by_the_token_endpoint_alone(now: ServiceNow) -> None:
    answer = now.send(request("GET", "/oauth_token.do", headers=[TOKEN, HOST]))
    assert error(answer)[1] == "Requested URI does not represent any resource"
