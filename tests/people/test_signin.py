"""Signing in by e-mail, phone or customer ID: who gets in, who is told what, and how often one may try."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import settings_of
from tests.factories import PASSWORD, Cast, Factory
from tests.support.http import Api, Loop

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.people.service import TRIES_PER_ADDRESS, TRIES_PER_PERSON, deactivate

WRONG = "a wrong password"


def sign_in(api: Api, username: str, password: str = PASSWORD) -> tuple[int, dict[str, Any]]:
    answer = api.post("/auth/login", {"username": username, "password": password})
    return answer.status_code, answer.json()


@pytest.mark.database
def test_every_name_a_person_has_signs_them_in(api: Api, cast: Cast) -> None:
    customer = cast.customer
    for name in (
        "carla@example.org",
        " Carla@EXAMPLE.org ",
        "+39 0471 123456",
        "0039 (0471) 12-34-56",
        customer.customer_id,
        customer.customer_id.lower(),
        customer.customer_id.replace("-", ""),
        f"C-{int(customer.customer_id[2:])}",
    ):
        status, tokens = sign_in(api, name)
        assert status == 200, name
        assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
        assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 900)
        me = api.with_token(tokens["access_token"]).get("/auth/me").json()
        assert me["id"] == str(customer.id)


@pytest.mark.database
def test_every_refusal_reads_the_same(api: Api, cast: Cast, make: Factory) -> None:
    """An unknown name, a wrong password, no password, a deactivated account: there is nothing to tell them apart by."""
    gone, without = make.person(), make.person(phone="+393331234567")
    make.database.write(deactivate, SYSTEM, gone.id)
    make.database.write(lambda uow: setattr(uow.session.get_one(type_of_user(), without.id), "password_hash", None))
    answers = [
        sign_in(api, "nobody@example.org"),
        sign_in(api, "C-999999"),
        sign_in(api, "+390471000000"),
        sign_in(api, "not a name at all"),
        sign_in(api, ""),
        sign_in(api, cast.customer.email or "", WRONG),
        sign_in(api, gone.email or ""),
        sign_in(api, without.email or "", ""),
    ]
    assert {status for status, _ in answers} == {401}
    assert len({str(body) for _, body in answers}) == 1


def type_of_user() -> Any:
    from deskbridge.people.model import User

    return User


@pytest.mark.database
@pytest.mark.parametrize(
    "variant", [PASSWORD.upper(), f"{PASSWORD} ", f" {PASSWORD}", PASSWORD[:-1], f"{PASSWORD}\x00", ""]
)
def test_a_password_is_compared_exactly(api: Api, cast: Cast, variant: str) -> None:
    assert sign_in(api, "carla@example.org" if cast.customer else "", variant)[0] == 401


# Limits


def fail(api: Api, username: str, times: int) -> list[int]:
    return [sign_in(api, username, WRONG)[0] for _ in range(times)]


@pytest.mark.database
def test_tries_run_out_and_come_back(api: Api, cast: Cast, clock: ManualClock) -> None:
    name = cast.customer.email or ""
    assert fail(api, name, TRIES_PER_PERSON) == [401] * TRIES_PER_PERSON
    answer = api.post("/auth/login", {"username": name, "password": PASSWORD})
    assert (answer.status_code, answer.json()["error_code"]) == (429, "RATE_LIMITED")
    assert int(answer.headers["retry-after"]) == 900
    clock.advance(timedelta(minutes=14, seconds=59))
    assert sign_in(api, name)[0] == 429
    clock.advance(timedelta(seconds=1))
    assert sign_in(api, name)[0] == 200


def test_a_person_has_one_count_however_they_are_called(api: Api, cast: Cast) -> None:
    """Another spelling, another identifier: an attacker gets no further guesses by them."""
    customer = cast.customer
    names = ["carla@example.org", "CARLA@example.org", "+39 0471 123456", "0039 0471 1234 56", customer.customer_id]
    assert [sign_in(api, name, WRONG)[0] for name in names] == [401] * TRIES_PER_PERSON
    for name in (
        *names,
        f"c{int(customer.customer_id[2:])}",
        f"C-{int(customer.customer_id[2:]):09}",
        "+390471-123456",
    ):
        assert sign_in(api, name)[0] == 429, name


def test_unknown_names_are_limited_like_known_ones(api: Api, cast: Cast) -> None:
    assert fail(api, "nobody@example.org", TRIES_PER_PERSON + 1) == [401] * TRIES_PER_PERSON + [429]
    assert sign_in(api, cast.customer.email or "")[0] == 200


def test_success_forgets_the_failures(api: Api, cast: Cast) -> None:
    name = cast.customer.email or ""
    for _ in range(3):
        assert fail(api, name, TRIES_PER_PERSON - 1) == [401] * (TRIES_PER_PERSON - 1)
        assert sign_in(api, name)[0] == 200


def test_an_address_has_its_own_limit_and_successes_do_not_use_it_up(
    api: Api, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deskbridge.people import service

    assert TRIES_PER_ADDRESS == 50
    monkeypatch.setattr(service, "TRIES_PER_ADDRESS", 6)
    people = [make.person() for _ in range(3)]
    for _ in range(3):
        assert [sign_in(api, person.email or "")[0] for person in people] == [200] * 3
    assert fail(api, "a@example.org", 3) + fail(api, "b@example.org", 3) == [401] * 6
    assert sign_in(api, people[0].email or "")[0] == 429


@pytest.mark.database
def test_guesses_at_the_same_instant_all_count(api: Api, cast: Cast) -> None:
    name = cast.customer.email
    call = ("POST", "/auth/login", {"json": {"username": name, "password": WRONG}})
    answers = sorted(answer.status_code for answer in api.together([call] * 12))
    assert answers == [401] * TRIES_PER_PERSON + [429] * (12 - TRIES_PER_PERSON)


@pytest.mark.database
def test_limits_survive_a_restart(database: Database, database_url: str, api: Api, cast: Cast, loop: Loop) -> None:
    """Another process on the same database knows of the failures."""
    from deskbridge.app import create_app

    assert fail(api, cast.customer.email or "", TRIES_PER_PERSON) == [401] * TRIES_PER_PERSON
    second = Database(database_url, database.clock)
    try:
        restarted = Api(create_app(settings_of(database_url), second), loop)
        assert sign_in(restarted, cast.customer.email or "")[0] == 429
    finally:
        second.close()
