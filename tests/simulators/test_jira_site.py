"""The site around the issues: signing in, metadata, limits, webhooks, and whatever else is sent at it."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.jira_kit import Site

from deskbridge.simulators import wire
from deskbridge.simulators.webhooks import Delivery

HOOK = {"url": "http://127.0.0.1:9/hook", "secret": "s3cret"}


@pytest.fixture
def site() -> Site:
    return Site()


def _token(site: Site, **form: str) -> dict[str, object]:
    body = {"client_id": "desk", "client_secret": "desk-secret", **form}
    answer = site.simulator.receive(wire.request("POST", "/oauth/token", body=urlencode(body).encode()))
    assert answer.response is not None
    token: dict[str, object] = answer.response.json()
    return token


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic eDp5", "Bearer wrong", "Bearer ", "Digest x", "Basic ZGVza0BleGFtcGxlLm9yZzo="],
)
def test_anything_but_the_known_credentials_is_jiras_401(site: Site, authorization: str) -> None:
    response = site.call("GET", "/myself", headers={"Authorization": authorization})
    assert response.status == 401
    assert response.header("WWW-Authenticate")
    assert response.header("Content-Type") == "application/json;charset=UTF-8"


def test_server_information_is_public_but_not_with_wrong_credentials(site: Site) -> None:
    assert site.call("GET", "/serverInfo", headers={"Authorization": ""}).json()["versionNumbers"]
    assert site.call("GET", "/serverInfo", headers={"Authorization": "Bearer wrong"}).status == 401


def test_issued_tokens_expire_and_are_refreshed_once(site: Site) -> None:
    issued = _token(site, grant_type="client_credentials")
    headers = {"Authorization": f"Bearer {issued['access_token']}"}
    assert site.call("GET", "/myself", headers=headers).status == 200
    site.clock.advance(3601)
    assert site.call("GET", "/myself", headers=headers).status == 401
    again = _token(site, grant_type="refresh_token", refresh_token=str(issued["refresh_token"]))
    assert site.call("GET", "/myself", headers={"Authorization": f"Bearer {again['access_token']}"}).status == 200
    assert (
        _token(site, grant_type="refresh_token", refresh_token=str(issued["refresh_token"]))["error"] == "invalid_grant"
    )
    assert _token(site, grant_type="password")["error"] == "unsupported_grant_type"
    assert _token(site, client_secret="wrong", grant_type="client_credentials")["error"] == "access_denied"


def test_a_refresh_token_opens_no_door(site: Site) -> None:
    issued = _token(site, grant_type="client_credentials")
    headers = {"Authorization": f"Bearer {issued['refresh_token']}"}
    assert site.call("GET", "/myself", headers=headers).status == 401


def test_metadata_describes_the_project(site: Site) -> None:
    assert [kind["name"] for kind in site.get("/project/DESK")["issueTypes"]] == ["Task", "Bug", "Story"]
    assert [one["name"] for one in site.get("/status")] == ["To Do", "In Progress", "In Review", "Done"]
    assert site.get("/priority")[0]["name"] == "Highest"
    kinds = site.get("/issue/createmeta/DESK/issuetypes")["issueTypes"]
    described = site.get(f"/issue/createmeta/DESK/issuetypes/{kinds[0]['id']}")["fields"]
    assert {field["fieldId"] for field in described if field["required"]} == {"project", "issuetype", "summary"}
    assert site.get("/mypermissions", permissions="CREATE_ISSUES")["permissions"]["CREATE_ISSUES"]["havePermission"]
    assert site.call("GET", "/project/OTHER").status == 404
    assert site.get("/attachment/meta")["enabled"]


def test_unknown_paths_methods_and_versions(site: Site) -> None:
    assert site.call("GET", "/nothing").status == 404
    assert site.call("GET", "/myself", version="4").status == 404
    refused = site.call("PATCH", "/issue/DESK-1", {})
    assert (refused.status, refused.header("Allow")) == (405, "DELETE, GET, PUT")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"null", b"[" * 5000, b"\xff\xfe", b'{"fields": NaN}', b'{"fields": 1e999}']
)
def test_a_body_that_is_no_object_is_400(site: Site, body: bytes) -> None:
    response = site.call("POST", "/issue", body)
    assert response.status == 400
    assert response.json()["errorMessages"] or response.json()["errors"]


def test_writes_to_one_issue_are_limited(site: Site) -> None:
    site.set("limits", {})
    key = site.create()
    statuses = [site.call("PUT", f"/issue/{key}/properties/x", 1).status for _ in range(21)]
    assert statuses[-1] == 429
    refused = site.call("PUT", f"/issue/{key}/properties/x", 1)
    assert refused.header("RateLimit-Reason") == "jira-per-issue-on-write"
    assert site.call("GET", f"/issue/{key}").status == 200
    site.clock.advance(int(refused.header("Retry-After")))
    assert site.call("PUT", f"/issue/{key}/properties/x", 1).status == 200


def test_a_burst_is_limited_per_endpoint(site: Site) -> None:
    site.set("limits", {})
    statuses = [site.call("GET", "/myself").status for _ in range(201)]
    assert (statuses.count(200), statuses[-1]) == (200, 429)
    assert site.call("GET", "/field").header("X-RateLimit-Remaining") == "199"


def test_the_limit_can_be_set_and_switched_off(site: Site) -> None:
    site.set("limits", {"requests": 0, "seconds": 5})
    refused = site.call("GET", "/myself")
    assert (refused.status, refused.header("Retry-After")) == (429, "5")
    site.set("limits", {"enabled": False})
    assert site.call("GET", "/myself").status == 200


def test_apps_have_an_hourly_quota_that_tokens_do_not(site: Site) -> None:
    issued = _token(site, grant_type="client_credentials")
    site.set("limits", {})
    spent = {"start": site.clock.now().timestamp(), "used": 65000, "until": 0}
    site.simulator.state.table("_throttle").put("quota", spent)
    refused = site.call("GET", "/myself", headers={"Authorization": f"Bearer {issued['access_token']}"})
    assert (refused.status, refused.header("RateLimit-Reason")) == (429, "jira-quota-tenant-based")
    assert refused.header("Retry-After") == "3600"
    assert site.call("GET", "/myself").status == 200


def test_a_server_tells_its_bucket(site: Site) -> None:
    site.set("option.deployment", "Server")
    site.set("limits", {"requests": 1, "seconds": 30})
    site.call("GET", "/myself")
    refused = site.call("GET", "/myself")
    assert (refused.status, refused.header("X-RateLimit-Interval-Seconds")) == (429, "30")
    assert refused.header("RateLimit-Reason") == ""


def test_a_server_locks_an_account_after_three_wrong_passwords(site: Site) -> None:
    """Retrying a 401 costs the account: even the right password is refused then."""
    site.set("option.deployment", "Server")
    wrong = {"Authorization": "Basic ZGVza0BleGFtcGxlLm9yZzp4"}
    assert [site.call("GET", "/myself", headers=wrong).status for _ in range(2)] == [401, 401]
    assert site.call("GET", "/myself").status == 200
    assert [site.call("GET", "/myself", headers=wrong).status for _ in range(4)] == [401, 401, 401, 403]
    refused = site.call("GET", "/myself")
    assert refused.status == 403
    assert refused.header("X-Authentication-Denied-Reason").startswith("CAPTCHA_CHALLENGE")
    assert site.call("GET", "/myself", headers={"Authorization": "Bearer desk-token"}).status == 200


def _told(site: Site) -> list[Delivery]:
    return site.simulator.due()


def _events(site: Site) -> list[str]:
    return [delivery.event for delivery in _told(site)]


def test_webhooks_are_signed_over_the_raw_body(site: Site) -> None:
    site.set("webhooks", HOOK)
    key = site.create("Überschrift 🔥")
    (delivery,) = _told(site)
    headers = dict(delivery.headers)
    expected = hmac.new(b"s3cret", delivery.body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature"] == f"sha256={expected}"
    told = json.loads(delivery.body)
    assert (told["webhookEvent"], told["issue"]["key"]) == ("jira:issue_created", key)
    assert told["issue"]["fields"]["summary"] == "Überschrift 🔥"


def test_webhooks_without_a_secret_are_not_signed(site: Site) -> None:
    site.set("webhooks", {"url": HOOK["url"]})
    site.create()
    assert "X-Hub-Signature" not in dict(_told(site)[0].headers)


def test_each_change_tells_its_event(site: Site) -> None:
    key = site.create()
    site.set("webhooks", HOOK)
    site.call("PUT", f"/issue/{key}", {"fields": {"summary": "New"}})
    comment = site.call("POST", f"/issue/{key}/comment", {"body": "x"}).json()["id"]
    site.call("DELETE", f"/issue/{key}/comment/{comment}")
    site.call("POST", f"/issue/{key}/worklog", {"timeSpent": "1h"})
    site.call("DELETE", f"/issue/{key}")
    assert _events(site) == [
        "jira:issue_updated",
        "comment_created",
        "jira:issue_updated",
        "comment_deleted",
        "jira:issue_updated",
        "worklog_created",
        "jira:issue_updated",
        "jira:issue_deleted",
    ]
    first = json.loads(_told(site)[0].body)
    assert first["changelog"]["items"][0]["toString"] == "New"


def test_a_failed_delivery_comes_again_under_its_identifier(site: Site) -> None:
    site.set("webhooks", HOOK)
    site.create()
    (first,) = _told(site)
    site.simulator.settle(first, 503)
    assert _told(site) == []
    site.clock.advance(2)
    (again,) = _told(site)
    assert dict(again.headers)["X-Atlassian-Webhook-Retry"] == "1"
    assert (
        dict(again.headers)["X-Atlassian-Webhook-Identifier"] == dict(first.headers)["X-Atlassian-Webhook-Identifier"]
    )
    for status in (None, 408, 429, 500):
        (delivery,) = _told(site)
        site.simulator.settle(delivery, status)
        site.clock.advance(40)
    (last,) = _told(site)
    site.simulator.settle(last, 500)
    site.clock.advance(1000)
    assert _told(site) == []


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404])
def test_an_accepted_or_hopeless_delivery_is_not_repeated(site: Site, status: int) -> None:
    site.set("webhooks", HOOK)
    site.create()
    site.simulator.settle(_told(site)[0], status)
    site.clock.advance(1000)
    assert _told(site) == []


def test_no_webhook_no_work(site: Site) -> None:
    site.create()
    assert _told(site) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fields", "update", "add", "set", "id", "name", "key", "body", "type", "content"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
NAMES = [
    *("summary", "description", "priority", "labels", "assignee", "components", "duedate", "timetracking", "comment"),
    *("customfield_10050", "customfield_10051", "customfield_10052", "project", "issuetype", "worklog", "status"),
]
FIELDS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    body=st.fixed_dictionaries(
        {"fields": FIELDS | JSON, "update": FIELDS | JSON, "properties": JSON, "transition": JSON}
    ),
    version=st.sampled_from("23"),
)
def test_whatever_is_written_gets_an_answer_of_jiras_own(body: dict[str, object], version: str) -> None:
    site = Site()
    site.create()
    site.set("webhooks", HOOK)
    calls = [
        ("POST", "/issue", body),
        ("PUT", "/issue/DESK-1", body),
        ("POST", "/issue/DESK-1/transitions", {**body, "transition": {"id": "11"}}),
        ("POST", "/issue/DESK-1/transitions", body),
        (
            "POST",
            "/issue/DESK-1/comment",
            {"body": body["fields"], "visibility": body["update"], "properties": body["properties"]},
        ),
        (
            "POST",
            "/issue/DESK-1/worklog",
            {"timeSpent": body["fields"], "started": body["update"], "comment": body["properties"]},
        ),
        ("POST", "/search/jql", {"jql": body["fields"], "fields": body["update"], "maxResults": body["properties"]}),
        ("PUT", "/issue/DESK-1/properties/x", body),
        ("POST", "/issue/bulk", {"issueUpdates": body["fields"]}),
        ("POST", "/issue/bulkfetch", {"issueIdsOrKeys": body["fields"], "fields": body["update"]}),
        ("POST", "/comment/list", {"ids": body["fields"]}),
    ]
    for method, path, sent in calls:
        assert site.call(method, path, sent, version=version).status in {200, 201, 204, 400, 404}
    assert site.get("/issue/DESK-1", version)["key"] == "DESK-1"
    assert site.search("project = DESK")
