"""Pages of other origins: none may call the API unless the operator names it, and then with a token, not a cookie."""

import httpx
import pytest

from deskbridge.app import create_app
from deskbridge.kit.db import Database
from deskbridge.people.access import COOKIE
from tests.conftest import settings_of
from tests.factories import Cast, Factory
from tests.support.http import Api, Loop, access_token

PORTAL = "https://portal.example.org"


@pytest.fixture
def open_api(database: Database, database_url: str, loop: Loop) -> Api:
    """The API of a desk that lets one other origin call."""
    return Api(create_app(settings_of(database_url, CORS_ORIGINS=PORTAL), database), loop)


def preflight(api: Api, path: str, method: str, headers: str, origin: str = PORTAL) -> httpx.Response:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return api.request("OPTIONS", path, headers={"Origin": origin, **asked})


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_named_origin_may_send_every_method_with_our_headers(open_api: Api, method: str) -> None:
    wanted = "authorization,content-type,idempotency-key,if-match,if-none-match,last-event-id,x-request-id"
    answer = preflight(open_api, "/tickets", method, wanted)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PORTAL
    assert method in answer.headers["access-control-allow-methods"]
    assert names(wanted) <= names(answer.headers["access-control-allow-headers"])
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{PORTAL}.evil.example", "http://portal.example.org"]
)
def test_any_other_origin_may_not(open_api: Api, origin: str) -> None:
    for answer in (
        preflight(open_api, "/tickets", "POST", "authorization", origin),
        open_api.root.get("/health", headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in answer.headers
    assert preflight(open_api, "/tickets", "POST", "authorization", origin).status_code == 400


def test_a_header_that_we_do_not_read_is_not_allowed(open_api: Api) -> None:
    assert preflight(open_api, "/tickets", "POST", "x-forwarded-for").status_code == 400


def test_answers_and_errors_are_readable_with_what_they_say_in_headers(
    open_api: Api, make: Factory, cast: Cast
) -> None:
    caller, ticket = open_api.as_(cast.customer), make.ticket(cast.customer)
    for path, status in ((ticket.path, 200), ("/tickets/999999", 404)):
        answer = caller.get(path, headers={"Origin": PORTAL})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PORTAL
        shown = names(answer.headers["access-control-expose-headers"])
        assert {"etag", "x-request-id", "retry-after", "idempotency-replayed", "content-disposition"} <= shown
    large = caller.post("/tickets", {"title": "x" * 2_000_000}, headers={"Origin": PORTAL})
    assert (large.status_code, large.headers["access-control-allow-origin"]) == (413, PORTAL)


def test_cookies_never_count_for_another_origin(open_api: Api, make: Factory, cast: Cast) -> None:
    """Browsers are told to send none, and a write that carries one all the same is refused."""
    from deskbridge.people.service import start_session

    secret = make.database.write(start_session, cast.customer.id, "Firefox", "192.0.2.1")
    headers = {"Origin": PORTAL, "Cookie": f"{COOKIE}={secret}"}
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    answer = open_api.post("/tickets", new, headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-credentials" not in answer.headers
    with_token = {"Origin": PORTAL, "Authorization": f"Bearer {access_token(open_api.access, cast.customer)}"}
    assert open_api.post("/tickets", new, headers=with_token).status_code == 201


def test_without_named_origins_no_page_may_call(api: Api) -> None:
    for answer in (
        api.root.get("/health", headers={"Origin": PORTAL}),
        preflight(api, "/tickets", "POST", "authorization"),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
