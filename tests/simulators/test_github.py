"""GitHub's simulator: what it refuses and how, paging, search, files, webhooks, pages; started by its name."""

import base64
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbridge.simulators import wire
from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.product import NAMES, Simulator, known, product
from deskbridge.simulators.server import running
from deskbridge.simulators.wire import Response

REPOSITORY = "/repos/example/desk"


@pytest.fixture
def github() -> Simulator:
    return Simulator(product("github"), SettableClock())


def _call(github: Simulator, method: str, path: str, body: object = None, **headers: str) -> Response:
    sent = [("Authorization", "Bearer desk-token"), ("Host", "github.test"), *headers.items()]
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = github.receive(wire.request(method, path, headers=sent, body=raw)).response
    assert answer is not None
    return answer


def _made(github: Simulator, **fields: Any) -> Any:
    answer = _call(github, "POST", f"{REPOSITORY}/issues", {"title": "Printer on fire", **fields})
    assert answer.status == 201, answer.body
    return answer.json()


def test_it_is_started_by_its_name_only() -> None:
    assert "github" not in NAMES
    assert "github" in known()
    with running("github") as started:
        answer = httpx.get(f"{started.http}/user", headers={"Authorization": "Bearer desk-token"}, trust_env=False)
        assert answer.json()["login"] == "desk"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [("", "Requires authentication"), ("Bearer wrong", "Bad credentials"), ("Basic eDp5", "Bad credentials")],
)
def test_anything_but_the_known_credentials_is_githubs_401(github: Simulator, authorization: str, message: str) -> None:
    request = wire.request("GET", "/user", headers=[("Authorization", authorization)])
    answer = github.receive(request).response
    assert answer is not None
    assert (answer.status, answer.json()["message"]) == (401, message)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": None}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 257}, "title"),
        ({"body": "x" * 65537}, "body"),
        ({"body": 1}, "body"),
        ({"labels": "bug"}, "labels"),
        ({"labels": [1]}, "labels"),
        ({"milestone": 9}, "milestone"),
        ({"milestone": "1"}, "milestone"),
        ({"assignees": ["nobody"]}, "assignees"),
        ({"assignees": [[]]}, "assignees"),
    ],
)
def test_a_bad_field_is_refused_by_name_and_nothing_is_kept(
    github: Simulator, fields: dict[str, object], field: str
) -> None:
    answer = _call(github, "POST", f"{REPOSITORY}/issues", {"title": "x", **fields})
    assert answer.status == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert _call(github, "GET", f"{REPOSITORY}/issues").json() == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
_NAMES = st.sampled_from(["title", "body", "labels", "milestone", "assignees", "state", "state_reason", "other"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(_NAMES, _JSON, max_size=3))
def test_whatever_is_sent_is_answered(github: Simulator, body: dict[str, object]) -> None:
    number = _made(github)["number"]
    for method, path in (("PATCH", f"/{number}"), ("POST", ""), ("POST", f"/{number}/comments")):
        answer = _call(github, method, f"{REPOSITORY}/issues{path}", body)
        assert answer.status in {200, 201, 422}


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_what_is_no_object_is_refused(github: Simulator, body: bytes) -> None:
    assert _call(github, "POST", f"{REPOSITORY}/issues", body).status == 400


@pytest.mark.parametrize("path", ["/nowhere", "/repos/example/other/issues", f"{REPOSITORY}/issues/9", "/users/nobody"])
def test_what_is_not_there_is_404(github: Simulator, path: str) -> None:
    assert _call(github, "GET", path).json()["message"] == "Not Found"


def test_closing_and_reopening_keep_their_reasons_and_stamps(github: Simulator) -> None:
    path = f"{REPOSITORY}/issues/{_made(github)['number']}"
    closed = _call(github, "PATCH", path, {"state": "closed", "state_reason": "not_planned"}).json()
    assert (closed["state"], closed["state_reason"], bool(closed["closed_at"])) == ("closed", "not_planned", True)
    opened = _call(github, "PATCH", path, {"state": "open"}).json()
    assert (opened["state"], opened["state_reason"], opened["closed_at"]) == ("open", "reopened", None)
    assert _call(github, "PATCH", path, {"state": "ajar"}).status == 422
    assert _call(github, "PATCH", path, {"state": "closed", "state_reason": "bored"}).status == 422


def test_lists_are_open_newest_first_in_pages_unless_asked_otherwise(github: Simulator) -> None:
    for _ in range(35):
        _made(github)
    first = _call(github, "GET", f"{REPOSITORY}/issues")
    assert [issue["number"] for issue in first.json()] == list(range(35, 5, -1))
    assert first.header("Link") == '<http://github.test/repos/example/desk/issues?page=2>; rel="next"'
    rest = _call(github, "GET", f"{REPOSITORY}/issues?direction=asc&per_page=30&page=2&state=all")
    assert [issue["number"] for issue in rest.json()] == list(range(31, 36))
    assert rest.header("Link") == ""
    _call(github, "PATCH", f"{REPOSITORY}/issues/1", {"state": "closed"})
    assert len(_call(github, "GET", f"{REPOSITORY}/issues?per_page=100").json()) == 34
    assert _call(github, "GET", f"{REPOSITORY}/issues?since=yesterday").status == 422


def test_search_lags_and_refuses_what_it_does_not_know(github: Simulator) -> None:
    github.state.set("lag", 60.0)
    _made(github, body="the needle")
    query = "/search/issues?q=repo:example/desk+is:issue+in:body+%22needle%22"
    assert _call(github, "GET", query).json()["total_count"] == 0
    assert isinstance(github.clock, SettableClock)
    github.clock.advance(61)
    assert [issue["number"] for issue in _call(github, "GET", query).json()["items"]] == [1]
    assert _call(github, "GET", "/search/issues?q=repo:example/desk+author:me").status == 422


def test_files_are_commits_to_a_branch(github: Simulator) -> None:
    raw = bytes(range(256))
    path = f"{REPOSITORY}/contents/a/b%20c.bin"
    body = {"message": "Add", "branch": "deskbridge", "content": base64.b64encode(raw).decode()}
    assert _call(github, "PUT", path, {**body, "content": "*"}).status == 422
    assert _call(github, "PUT", path, {**body, "branch": "other"}).status == 404
    made = _call(github, "PUT", path, body)
    assert (made.status, made.json()["content"]["path"]) == (201, "a/b c.bin")
    assert _call(github, "PUT", path, body).status == 422
    assert _call(github, "PUT", path, {**body, "sha": "0" * 40}).status == 409
    assert _call(github, "PUT", path, {**body, "sha": made.json()["content"]["sha"]}).status == 200
    assert [one["name"] for one in _call(github, "GET", f"{REPOSITORY}/contents/a?ref=deskbridge").json()] == [
        "b c.bin"
    ]
    assert _call(github, "GET", f"{REPOSITORY}/contents/a").status == 404
    assert _call(github, "GET", f"{path}?ref=deskbridge", Accept="application/vnd.github.raw+json").body == raw


def test_the_hours_limit_is_a_403_that_says_when_it_ends(github: Simulator) -> None:
    github.state.set("limits", {"requests": 1, "seconds": 60})
    assert _call(github, "GET", "/user").header("X-RateLimit-Remaining") == "0"
    refused = _call(github, "GET", "/user")
    assert (refused.status, refused.header("X-RateLimit-Remaining")) == (403, "0")
    assert int(refused.header("X-RateLimit-Reset")) >= int(github.clock.now().timestamp())


def test_webhooks_tell_what_happened_under_ids_of_their_own(github: Simulator) -> None:
    github.state.set("webhooks", {"url": "http://127.0.0.1:9/hook", "secret": "hush"})
    path = f"{REPOSITORY}/issues/{_made(github)['number']}"
    _call(github, "PATCH", path, {"title": "Smoke only"})
    _call(github, "PATCH", path, {"title": "Smoke only"})
    comment = _call(github, "POST", f"{path}/comments", {"body": "Hello"}).json()["id"]
    _call(github, "DELETE", f"{REPOSITORY}/issues/comments/{comment}")
    _call(github, "PATCH", path, {"state": "closed"})
    sent = github.due()
    actions = [(delivery.event, json.loads(delivery.body)["action"]) for delivery in sent]
    assert actions == [
        *(("issues", "opened"), ("issues", "edited"), ("issue_comment", "created"), ("issue_comment", "deleted")),
        ("issues", "closed"),
    ]
    assert len({dict(delivery.headers)["X-GitHub-Delivery"] for delivery in sent}) == 5
    assert all(dict(delivery.headers)["X-Hub-Signature-256"].startswith("sha256=") for delivery in sent)


def test_a_person_can_open_comment_and_close_on_the_pages(github: Simulator) -> None:
    def post(path: str, form: bytes) -> Response:
        answer = github.page(wire.request("POST", path, body=form))
        assert answer is not None
        return answer

    def get(path: str) -> str:
        answer = github.page(wire.request("GET", path))
        assert answer is not None
        return answer.body.decode()

    made = post("/example/desk/issues", b"title=%3Cb%3EFire&body=Help").header("Location")
    assert "&lt;b&gt;Fire" in get(made)
    post(f"{made}/comments", b"body=On+my+way")
    post(f"{made}/not_planned", b"")
    assert "On my way" in get(made)
    assert "Closed as not planned" in get(made)
    post(f"{made}/open", b"")
    post(f"{made}/edit", b"title=Smoke&body=")
    assert "Smoke" in get("/example/desk/issues")
    assert post("/example/desk/issues", b"title=").status == 422
    answer = github.page(wire.request("GET", "/example/desk/issues/99"))
    assert answer is not None
    assert answer.status == 404
