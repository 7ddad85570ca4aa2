"""Access and refresh tokens: what is accepted, for how long, and what ends them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from tests.factories import PASSWORD, Cast
from tests.support.http import Api
from tests.support.threads import at_once

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.errors import Unauthenticated
from deskbridge.people import service
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.people.tokens import TokenReader, issue_access_token

KEY = "j" * 40


def signed_in(api: Api, cast: Cast) -> dict[str, Any]:
    answer = api.post("/auth/login", {"username": cast.customer.email, "password": PASSWORD})
    tokens: dict[str, Any] = answer.json()
    return tokens


def works(api: Api, token: str) -> bool:
    status = api.with_token(token).get("/auth/me").status_code
    assert status in {200, 401}
    return status == 200


def refresh(api: Api, token: str) -> tuple[int, dict[str, Any]]:
    answer = api.post("/auth/refresh", {"refresh_token": token})
    return answer.status_code, answer.json()


@pytest.mark.database
def test_an_access_token_lives_a_quarter_of_an_hour(api: Api, cast: Cast, clock: ManualClock) -> None:
    token = signed_in(api, cast)["access_token"]
    claims = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert (claims["iss"], claims["type"], claims["sub"]) == ("deskbridge", "access", str(cast.customer.id))
    assert {"username", "email", "role", "exp", "iat", "jti"} <= set(claims)
    clock.advance(timedelta(minutes=14, seconds=59))
    assert works(api, token)
    clock.advance(timedelta(seconds=1))
    assert not works(api, token)


@pytest.mark.database
def test_a_refresh_token_is_traded_once_for_new_ones(api: Api, cast: Cast, clock: ManualClock) -> None:
    first = signed_in(api, cast)
    clock.advance(timedelta(minutes=20))
    status, second = refresh(api, first["refresh_token"])
    assert status == 200
    assert works(api, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(api, second["refresh_token"])[0] == 200


@pytest.mark.database
def test_using_a_refresh_token_twice_ends_the_whole_sign_in(api: Api, cast: Cast, database: Database) -> None:
    """Somebody has stolen it: both the thief's and the owner's tokens are refused from then on, others' are not."""
    from sqlalchemy import select

    from deskbridge.kit.events import EventRow

    first, elsewhere = signed_in(api, cast), signed_in(api, cast)
    _, second = refresh(api, first["refresh_token"])
    _, third = refresh(api, second["refresh_token"])
    status, body = refresh(api, first["refresh_token"])
    assert (status, body["error_code"]) == (401, "UNAUTHENTICATED")
    for tokens in (first, second, third):
        assert not works(api, tokens["access_token"])
        assert refresh(api, tokens["refresh_token"])[0] == 401
    assert works(api, elsewhere["access_token"])
    assert refresh(api, elsewhere["refresh_token"])[0] == 200
    stolen = database.read(
        lambda reader: reader.execute(select(EventRow.subject_id).where(EventRow.name == "TokensStolen")).all()
    )
    assert stolen == [(cast.customer.id,)]


@pytest.mark.database
def test_of_two_trades_at_the_same_instant_at_most_one_succeeds(api: Api, cast: Cast, database: Database) -> None:
    secret = signed_in(api, cast)["refresh_token"]
    traded = at_once(6, lambda: database.write(service.rotate_refresh_token, secret))
    assert sum(new is not None for new in traded) == 1


@pytest.mark.database
def test_a_sign_in_lasts_two_weeks_from_its_last_use(api: Api, cast: Cast, clock: ManualClock) -> None:
    token = signed_in(api, cast)["refresh_token"]
    clock.advance(timedelta(days=13, hours=23))
    _, tokens = refresh(api, token)
    clock.advance(timedelta(days=13, hours=23))
    status, tokens = refresh(api, tokens["refresh_token"])
    assert status == 200
    clock.advance(timedelta(days=14))
    assert refresh(api, tokens["refresh_token"])[0] == 401


@pytest.mark.database
def test_variants_of_a_refresh_token_fail(api: Api, cast: Cast) -> None:
    token = signed_in(api, cast)["refresh_token"]
    for variant in ("", " ", f"{token} ", f" {token}", f"{token}\n", token.upper(), token.lower(), token[:-1], "null"):
        assert refresh(api, variant)[0] == 401, repr(variant)
    assert refresh(api, f"{token}\x00")[0] == 422
    assert refresh(api, token)[0] == 200


@pytest.mark.database
@pytest.mark.parametrize("by", ["access_token", "refresh_token"])
def test_logging_out_ends_every_token_of_the_sign_in(api: Api, cast: Cast, by: str) -> None:
    first, elsewhere = signed_in(api, cast), signed_in(api, cast)
    _, second = refresh(api, first["refresh_token"])
    if by == "access_token":
        answer = api.with_token(second["access_token"]).post("/auth/logout")
    else:
        answer = api.post("/auth/logout", {"refresh_token": second["refresh_token"]})
    assert (answer.status_code, answer.content) == (204, b"")
    for tokens in (first, second):
        assert not works(api, tokens["access_token"])
        assert refresh(api, tokens["refresh_token"])[0] == 401
    assert works(api, elsewhere["access_token"])


def test_logging_out_needs_something_to_end(api: Api) -> None:
    assert api.post("/auth/logout").status_code == 401
    assert api.post("/auth/logout", {"refresh_token": "unknown"}).status_code == 204


@pytest.mark.database
def test_a_role_change_and_a_deactivation_hold_at_once(api: Api, cast: Cast, database: Database) -> None:
    tokens = signed_in(api, cast)
    caller = api.with_token(tokens["access_token"])
    database.write(service.set_role, SYSTEM, cast.customer.id, Role.AGENT)
    assert caller.get("/auth/me").json()["role"] == "AGENT"
    database.write(service.deactivate, SYSTEM, cast.customer.id)
    assert caller.get("/auth/me").status_code == 401
    assert refresh(api, tokens["refresh_token"])[0] == 401


# Forgeries


def claims_of(cast: Cast, clock: ManualClock, **changes: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    claims = {
        "iss": "deskbridge",
        "sub": str(cast.customer.id),
        "type": "access",
        "role": "ADMIN",
        "iat": now,
        "exp": now + 600,
        "jti": str(uuid4()),
        "fam": str(uuid4()),
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_that_nobody_signed_is_refused(api: Api, cast: Cast, clock: ManualClock, algorithm: str) -> None:
    tokens = signed_in(api, cast)
    family = jwt.decode(tokens["access_token"], options={"verify_signature": False})["fam"]
    for claims in (claims_of(cast, clock, fam=family), claims_of(cast, clock, iss="https://auth.example.org")):
        forged = unsigned(claims, algorithm)
        for variant in (forged, f"{forged}{'A' * 43}", forged[:-1]):
            assert not works(api, variant)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_only_the_pinned_algorithm_counts(api: Api, cast: Cast, clock: ManualClock, algorithm: str) -> None:
    claims = claims_of(cast, clock, iss="https://auth.example.org", role="AGENT")
    assert works(api, jwt.encode(claims, KEY, "HS256"))
    assert not works(api, jwt.encode(claims, "k" * 64, "HS256"))
    assert not works(api, jwt.encode(claims, KEY * 2, algorithm))


def test_a_key_pair_is_not_taken_for_the_shared_key(api: Api, cast: Cast, clock: ManualClock) -> None:
    """RS256 signed with a key of one's own, and HS256 with somebody's public key as the secret: both refused."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = claims_of(cast, clock, iss="https://auth.example.org", role="AGENT")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert not works(api, jwt.encode(claims, key, "RS256"))
    assert not works(api, jwt.encode(claims, key, "RS256", headers={"jwk": {"kty": "RSA"}, "kid": "1"}))
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    import hashlib
    import hmac

    mac = hmac.new(public, f"{header}.{body}".encode(), hashlib.sha256).digest()
    assert not works(api, f"{header}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": 0},
        {"exp": -1},
        {"sub": None},
        {"sub": "somebody"},
        {"sub": 7},
        {"type": "refresh"},
        {"type": None},
        {"fam": None},
        {"fam": "x"},
        {"fam": str(uuid4())},
    ],
)
def test_a_token_of_ours_that_says_something_else_is_refused(
    api: Api, cast: Cast, clock: ManualClock, changes: dict[str, Any]
) -> None:
    tokens = signed_in(api, cast)
    right = claims_of(cast, clock) | {
        "fam": jwt.decode(tokens["access_token"], options={"verify_signature": False})["fam"]
    }
    assert works(api, jwt.encode(right, KEY, "HS256"))
    wrong = {name: value for name, value in (right | changes).items() if value is not None}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jwt.PyJWT, "_validate_sub", lambda *_args: None, raising=False)
        token = encode_anything(wrong)
    assert not works(api, token)


def encode_anything(claims: dict[str, Any]) -> str:
    """Sign claims that a library would refuse to sign."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, "HS256", {"typ": "JWT"})


def test_one_persons_token_does_not_speak_for_another(api: Api, cast: Cast, clock: ManualClock) -> None:
    """The family in it belongs to somebody else."""
    tokens = signed_in(api, cast)
    family = jwt.decode(tokens["access_token"], options={"verify_signature": False})["fam"]
    assert not works(api, jwt.encode(claims_of(cast, clock, sub=str(cast.admin.id), fam=family), KEY, "HS256"))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic Zm9vOmJhcg==",
        "Token x",
        "bearer x",
        "Bearer a b",
        "Bearer ..",
        "Bearer \u00e9",
        "Bearer " + "x" * 9000,
    ],
)
def test_a_header_that_is_no_token_is_refused(api: Api, header: str) -> None:
    answer = api.get("/auth/me", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


def access_token(now: datetime, key: str = KEY) -> str:
    return issue_access_token(key, uuid4(), "Nina", "nina@example.org", Role.AGENT, uuid4(), now)


def test_a_token_is_verified_once_for_its_life(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, token = TokenReader(KEY), access_token(clock.now())
    first = reader.read(token, clock.now())
    monkeypatch.setattr(jwt, "decode", None)
    clock.advance(timedelta(minutes=14, seconds=59))
    assert reader.read(token, clock.now()) == first


def test_a_token_that_is_known_still_expires(clock: ManualClock) -> None:
    reader, token = TokenReader(KEY), access_token(clock.now())
    reader.read(token, clock.now())
    clock.advance(timedelta(minutes=15))
    with pytest.raises(Unauthenticated, match="expired"):
        reader.read(token, clock.now())
    assert reader._known == {}


def test_knowing_a_token_lets_no_variant_of_it_in(clock: ManualClock) -> None:
    reader, token = TokenReader(KEY), access_token(clock.now())
    reader.read(token, clock.now())
    head, claims, signature = token.split(".")
    for variant in (f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}", token.swapcase(), token[:-1]):
        with pytest.raises(Unauthenticated):
            reader.read(variant, clock.now())


def test_a_token_of_another_key_is_not_remembered(clock: ManualClock) -> None:
    reader = TokenReader(KEY)
    with pytest.raises(Unauthenticated):
        reader.read(access_token(clock.now(), "k" * 40), clock.now())
    assert reader._known == {}


def test_the_tokens_known_are_bounded(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deskbridge.people.tokens.MAX_KNOWN_TOKENS", 3)
    reader = TokenReader(KEY)
    for _ in range(5):
        reader.read(access_token(clock.now()), clock.now())
    assert len(reader._known) == 3
