"""Browser sessions: how long they last, what ends them, and what a secret must match."""

from datetime import timedelta

import pytest
from tests.factories import Cast, Person
from tests.support.http import Api

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import NotFound
from deskbridge.kit.ids import fingerprint
from deskbridge.people import queries, service
from deskbridge.people.access import COOKIE
from deskbridge.people.actor import SYSTEM

pytestmark = pytest.mark.database
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def start(database: Database, person: Person) -> str:
    return database.write(service.start_session, person.id, "Firefox\n on \x00Linux", "192.0.2.1")


def holds(api: Api, secret: str) -> bool:
    status = api.get("/auth/me", headers={"Cookie": f"{COOKIE}={secret}"}).status_code
    assert status in {200, 401}
    return status == 200


def test_a_session_ends_twelve_hours_after_its_last_use(
    api: Api, database: Database, cast: Cast, clock: ManualClock
) -> None:
    secret = start(database, cast.customer)
    for _ in range(3):
        clock.advance(timedelta(hours=11, minutes=59))
        assert holds(api, secret)
    clock.advance(timedelta(hours=12))
    assert not holds(api, secret)


def test_a_session_ends_after_two_weeks_however_busy(
    api: Api, database: Database, cast: Cast, clock: ManualClock
) -> None:
    secret, began = start(database, cast.customer), clock.now()
    while clock.now() + timedelta(hours=10) < began + timedelta(days=14):
        clock.advance(timedelta(hours=10))
        assert holds(api, secret)
    clock.at = began + timedelta(days=14)
    assert not holds(api, secret)


def test_use_is_noted_every_few_minutes_only(api: Api, database: Database, cast: Cast, clock: ManualClock) -> None:
    secret = start(database, cast.customer)

    def seen() -> object:
        return database.read(queries.sessions_of, cast.customer.id, None)[0].seen_at

    began = seen()
    clock.advance(timedelta(minutes=4))
    holds(api, secret)
    assert seen() == began
    clock.advance(timedelta(minutes=1))
    holds(api, secret)
    assert seen() == clock.now()


def test_variants_of_a_secret_fail(api: Api, database: Database, cast: Cast) -> None:
    secret = start(database, cast.customer)
    for variant in ("", secret.upper(), secret.lower(), secret[:-1], f"{secret}x", f"{secret}%20", f"x{secret}", '""'):
        assert not holds(api, variant), variant
    assert not holds(api, fingerprint(secret).hex())
    assert holds(api, secret)


def test_signing_out_a_deactivation_and_the_owner_end_a_session(api: Api, database: Database, cast: Cast) -> None:
    first, second, third = (start(database, cast.customer) for _ in range(3))
    database.write(service.end_session, fingerprint(first))
    assert [holds(api, secret) for secret in (first, second, third)] == [False, True, True]
    mine = database.read(queries.sessions_of, cast.customer.id, fingerprint(second))
    assert sorted(session.current for session in mine) == [False, True]
    assert {(session.user_agent, session.address) for session in mine} == {("Firefox on Linux", "192.0.2.1")}
    (other,) = [session.id for session in mine if not session.current]
    with pytest.raises(NotFound):
        database.write(service.revoke_session, cast.stranger.actor, other)
    database.write(service.revoke_session, cast.customer.actor, other)
    assert [holds(api, secret) for secret in (second, third)] == [True, False]
    database.write(service.deactivate, SYSTEM, cast.customer.id)
    assert not holds(api, second)


def test_two_sessions_never_share_a_secret(database: Database, cast: Cast) -> None:
    assert len({start(database, cast.customer) for _ in range(20)}) == 20


def test_ended_sessions_are_swept_and_live_ones_kept(
    api: Api, database: Database, cast: Cast, clock: ManualClock
) -> None:
    start(database, cast.customer)
    clock.advance(timedelta(hours=12))
    live = start(database, cast.customer)
    database.write(service.sweep_sign_ins)
    clock.advance(timedelta(hours=-12))
    assert len(database.read(queries.sessions_of, cast.customer.id, None)) == 1
    clock.advance(timedelta(hours=12))
    assert holds(api, live)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Origin": "http://desk.test"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_another_site_cannot_write_with_a_visitors_cookie(
    api: Api, database: Database, cast: Cast, headers: dict[str, str], status: int
) -> None:
    cookie = {"Cookie": f"{COOKIE}={start(database, cast.customer)}"}
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    assert api.post("/tickets", new, headers=cookie | headers).status_code == status
    assert len(api.get("/tickets", headers=cookie).json()["items"]) == (status == 201)


def test_a_bad_token_is_not_made_good_by_a_cookie(api: Api, database: Database, cast: Cast) -> None:
    cookie = {"Cookie": f"{COOKIE}={start(database, cast.customer)}", "Authorization": "Bearer nonsense"}
    assert api.get("/auth/me", headers=cookie).status_code == 401
