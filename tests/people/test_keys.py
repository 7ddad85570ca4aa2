"""Tokens of an auth service that signs with private keys and publishes the public ones."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from tests.conftest import settings_of
from tests.support.http import Api, Loop

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Desk
from deskbridge.people.access import Access
from deskbridge.people.keys import PATIENCE

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


class Service:
    """A local auth service."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked += 1
                self.send_response(service.status if self.path == "/.well-known/jwks.json" else 404)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": service.keys}).encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, kid: str, key: Any) -> None:
        algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        self.keys.append(json.loads(algorithm.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"})


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture
def desk_api(app: FastAPI, desk: Desk, database_url: str, service: Service, loop: Loop) -> Api:
    url = f"http://127.0.0.1:{service.server.server_port}"
    app.state.access = app.state.front.access = Access(desk, settings_of(database_url, AUTH_SERVICE_URL=url))
    return Api(app, loop)


def token(clock: ManualClock, key: Any, kid: str = "one", algorithm: str | None = None, **claims: Any) -> str:
    now = clock.now().timestamp()
    said = {"iss": "sso", "sub": "u-1", "username": "Uma", "role": "AGENT", "type": "access", "exp": now + 9e4}
    algorithm = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
    return jwt.encode(said | claims, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_a_token_signed_by_a_published_key_is_accepted(
    desk_api: Api, service: Service, clock: ManualClock, key: Any
) -> None:
    service.publish("one", key)
    signed = desk_api.with_token(token(clock, key))
    for _ in range(3):
        assert signed.get("/auth/me").json()["role"] == "AGENT"
    assert service.asked == 1


def test_a_new_key_is_fetched_when_first_seen_and_unknown_ones_are_not_asked_for_again_and_again(
    desk_api: Api, service: Service, clock: ManualClock
) -> None:
    service.publish("one", RSA)
    assert desk_api.with_token(token(clock, RSA)).get("/auth/me").status_code == 200
    service.publish("two", EC)
    rotated = desk_api.with_token(token(clock, EC, "two"))
    for _ in range(3):
        assert rotated.get("/auth/me").status_code == 401
    assert service.asked == 1
    clock.advance(PATIENCE)
    assert (rotated.get("/auth/me").status_code, service.asked) == (200, 2)


def test_keys_go_on_counting_while_the_service_is_away(desk_api: Api, service: Service, clock: ManualClock) -> None:
    service.publish("one", RSA)
    signed = desk_api.with_token(token(clock, RSA))
    assert signed.get("/auth/me").status_code == 200
    service.status = 503
    clock.advance(timedelta(hours=2))
    assert signed.get("/auth/me").status_code == 200
    assert service.asked == 2


def test_forged_tokens_are_refused(desk_api: Api, service: Service, clock: ManualClock) -> None:
    service.publish("one", RSA)
    other = rsa.generate_private_key(65537, 2048)
    forged = [
        token(clock, other),
        token(clock, RSA, iss="deskbridge", fam="01a1fc42-4198-7264-9c1f-588729615b29"),
        token(clock, RSA, exp=1),
        token(clock, RSA, type="refresh"),
        token(clock, EC),
        token(clock, RSA, "unknown"),
        token(clock, service.keys[0]["n"], algorithm="HS256"),
        jwt.encode({"sub": "u-1", "role": "ADMIN", "type": "access", "exp": 9e12}, None, "none"),
    ]
    assert [desk_api.with_token(each).get("/auth/me").status_code for each in forged] == [401] * len(forged)
