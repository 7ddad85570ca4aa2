"""Calling a desk that is away, busy, confused or behind a proxy: what is sent again, what never is, what is raised."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.client.conftest import Scripted

from deskbridge.client import AnswerLost, Client, NotReached, Refused, UnreadableAnswer
from deskbridge.client.calls import LONGEST_WAIT, TRIES

Make = Callable[..., tuple[Client, Scripted]]

LOST = httpx.ReadError("cut off")
AWAY = httpx.ConnectError("refused")
TOKENS = {"access_token": "new", "refresh_token": "next", "expires_in": 900, "token_type": "bearer"}
CATEGORIES: dict[str, Any] = {"items": [{"key": "BUG", "name": "Bug", "active": True, "position": 1, "version": 1}]}


def ok(body: Any = None, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=CATEGORIES if body is None else body)


def refused(status: int, code: str = "SOME_CODE", headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"detail": "No.", "error_code": code, **more}, headers=headers)


def busy(seconds: str) -> httpx.Response:
    return refused(429, "RATE_LIMITED", {"Retry-After": seconds})


CATEGORY = {"key": "BUG", "name": "Bug", "active": True, "position": 1, "version": 1}


@pytest.mark.parametrize("trouble", [LOST, AWAY, refused(503), httpx.Response(502, text="<h1>"), busy("1")])
def test_what_passes_is_waited_for_where_repeating_does_no_harm(scripted: Make, trouble: Any) -> None:
    desk, server = scripted(trouble, ok())
    assert [one.key for one in desk.categories.list_categories().items] == ["BUG"]
    assert len(server.waited) == 1


@pytest.mark.parametrize("trouble", [LOST, AWAY, refused(503), refused(409, "IDEMPOTENCY_IN_PROGRESS"), busy("1")])
def test_a_write_is_repeated_under_its_key(scripted: Make, trouble: Any) -> None:
    desk, server = scripted(trouble, ok(CATEGORY, 201))
    assert desk.categories.add_category(key="BUG", name="Bug").name == "Bug"
    first, second = server.keys
    assert first == second
    assert first
    assert server.asked[0].content == server.asked[1].content == b'{"name":"Bug","key":"BUG"}'


def test_each_write_has_a_key_of_its_own_unless_one_is_given(scripted: Make) -> None:
    desk, server = scripted(ok(CATEGORY, 201), ok(CATEGORY, 201), ok(CATEGORY, 201))
    desk.categories.add_category(key="BUG", name="Bug")
    desk.categories.add_category(key="BUG", name="Bug")
    desk.categories.add_category(key="BUG", name="Bug", idempotency_key="mine")
    assert len(set(server.keys)) == 3
    assert server.keys[2] == "mine"


@pytest.mark.parametrize(("trouble", "kind"), [(LOST, AnswerLost), (refused(503), Refused)])
def test_a_write_without_a_key_is_never_repeated_once_it_may_have_happened(
    scripted: Make, trouble: Any, kind: type[Exception]
) -> None:
    desk, server = scripted(trouble, ok())
    with pytest.raises(kind):
        desk.people.create_token(name="mine")
    assert len(server.asked) == 1


def test_a_write_without_a_key_is_sent_again_when_it_never_left(scripted: Make) -> None:
    made = {"id": "0199a000-0000-7000-8000-000000000000", "secret": "s", "name": "mine", "scopes": ["read"]}
    desk, server = scripted(AWAY, ok({**made, "created_at": "2026-11-20T08:30:00Z", "expires_at": None}, 201))
    assert desk.people.create_token(name="mine").secret == "s"
    assert len(server.asked) == 2


def test_patience_ends(scripted: Make) -> None:
    desk, server = scripted(*[AWAY] * 10)
    with pytest.raises(NotReached, match="refused"):
        desk.categories.list_categories()
    assert len(server.asked) == TRIES
    assert server.waited == sorted(server.waited)


def test_the_desk_says_how_long_to_wait(scripted: Make) -> None:
    desk, server = scripted(busy("3"), ok())
    desk.categories.list_categories()
    assert server.waited == [3.0]


def test_a_longer_wait_is_the_callers_to_decide(scripted: Make) -> None:
    desk, server = scripted(busy("900"))
    with pytest.raises(Refused) as error:
        desk.categories.list_categories()
    assert (error.value.status, error.value.retry_after) == (429, 900.0)
    assert error.value.retry_after > LONGEST_WAIT
    assert server.waited == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422, 500])
def test_a_refusal_is_final_and_says_why(scripted: Make, status: int) -> None:
    errors = [{"field": "name", "message": "Too long."}]
    desk, server = scripted(refused(status, "VALIDATION_FAILED", errors=errors, version=7))
    with pytest.raises(Refused, match=r"name: Too long\.") as error:
        desk.categories.add_category(key="BUG", name="Bug")
    assert (error.value.status, error.value.code, error.value.detail) == (status, "VALIDATION_FAILED", "No.")
    assert [(one.field, one.message) for one in error.value.fields] == [("name", "Too long.")]
    assert error.value.data == {"version": 7}
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>gone</html>", b"", b"[1]", b'{"detail": "x"}', b'{"errors": 3}'])
def test_a_refusal_that_is_not_the_desks_is_told_by_its_status(scripted: Make, body: bytes) -> None:
    desk, _ = scripted(httpx.Response(404, content=body))
    with pytest.raises(Refused, match="404") as error:
        desk.categories.list_categories()
    assert error.value.code == "UNKNOWN"


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"items": 1}', b""])
def test_an_answer_that_is_not_the_desks_is_never_taken_for_one(scripted: Make, body: bytes) -> None:
    desk, _ = scripted(httpx.Response(200, content=body))
    with pytest.raises(UnreadableAnswer, match=r"desk\.test"):
        desk.categories.list_categories()


def test_a_redirect_is_not_followed_with_the_token(scripted: Make) -> None:
    desk, server = scripted(httpx.Response(302, headers={"Location": "http://elsewhere.test/"}))
    with pytest.raises(UnreadableAnswer):
        desk.categories.list_categories()
    assert len(server.asked) == 1


# Signing in


def signed_in(*script: Any) -> tuple[Client, Scripted]:
    desk = Scripted([ok({**TOKENS, "access_token": "old", "refresh_token": "first"}), *script])
    return Client.sign_in("http://desk.test", "anna", "secret", transport=desk, sleep=desk.waited.append), desk


def bearers(server: Scripted) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.asked]


def test_a_token_that_ran_out_is_renewed(scripted: Make) -> None:
    desk, server = signed_in(refused(401), ok(TOKENS), ok(), ok())
    desk.categories.list_categories()
    desk.categories.list_categories()
    assert bearers(server) == [None, "Bearer old", None, "Bearer new", "Bearer new"]
    assert server.asked[2].content == b'{"refresh_token":"first"}'


def test_a_refresh_token_is_used_once_even_when_its_answer_is_lost(scripted: Make) -> None:
    desk, server = signed_in(refused(401), LOST, refused(401))
    with pytest.raises(Refused):
        desk.categories.list_categories()
    assert [request.url.path for request in server.asked].count("/api/v1/auth/refresh") == 1


def test_being_refused_twice_ends_it(scripted: Make) -> None:
    desk, server = signed_in(refused(401), ok(TOKENS), refused(401))
    with pytest.raises(Refused) as error:
        desk.categories.list_categories()
    assert error.value.status == 401
    assert len(server.asked) == 4


# Lists


def page(keys: list[int], cursor: str | None) -> httpx.Response:
    items = [{"at": f"2026-11-20T08:30:{key:02}Z"} for key in keys]
    return ok({"items": items, "next_cursor": cursor})


def test_a_list_is_read_page_by_page_as_far_as_wanted(scripted: Make) -> None:
    desk, server = scripted(page([1, 2], "a"), page([3], "b"), page([4], None))
    entries = iter(desk.conversation.chat_timeline(1042, limit=2))
    assert next(entries).at.second == 1
    assert len(server.asked) == 1
    assert [entry.at.second for entry in entries] == [2, 3, 4]
    assert [dict(request.url.params) for request in server.asked] == [
        {"limit": "2"},
        {"limit": "2", "cursor": "a"},
        {"limit": "2", "cursor": "b"},
    ]


def test_a_list_that_goes_round_in_circles_ends(scripted: Make) -> None:
    desk, _ = scripted(page([1], "a"), page([1], "a"))
    with pytest.raises(UnreadableAnswer, match="same page"):
        list(desk.conversation.chat_timeline(1042))


def test_what_goes_into_an_address_stays_in_its_place(scripted: Make) -> None:
    desk, server = scripted(refused(404), page([], None))
    with pytest.raises(Refused):
        desk.categories.get_category("../tickets?x=#")
    list(desk.tickets.list_tickets(assignee=[None], tag=["a&b=c", "ü"], breached=True))
    assert server.asked[0].url.raw_path == b"/api/v1/categories/..%2Ftickets%3Fx%3D%23"
    assert server.asked[1].url.params.multi_items() == [
        ("assignee", "none"),
        ("tag", "a&b=c"),
        ("tag", "ü"),
        ("breached", "true"),
    ]
