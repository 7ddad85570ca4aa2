"""A real server: it starts, keeps what it acknowledged whatever ends it, and ends when it is told."""

import signal
from pathlib import Path

import httpx
import pytest

from deskbridge.kit.db import Database
from tests.factories import PASSWORD, Cast
from tests.support.live import LiveServer, serve

NEW = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
ADMIN = {"ADMIN_EMAIL": "root@example.org", "ADMIN_PASSWORD": PASSWORD}


def signed_in(server: LiveServer, email: str) -> httpx.Client:
    answer = httpx.post(f"{server.url}/api/v1/auth/login", json={"username": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, timeout=30)


@pytest.mark.database
def test_what_was_acknowledged_survives_a_kill(database_url: str, cast: Cast, tmp_path: Path) -> None:
    """Killed in the middle of requests, started again: every ticket it answered 201 for is there, and once."""
    acknowledged = []
    with serve(database_url, tmp_path) as server, signed_in(server, cast.customer.email or "") as client:
        for number in range(25):
            answer = client.post("/tickets", json=NEW | {"title": f"Ticket {number}"})
            acknowledged.append(answer.json()["number"])
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with serve(database_url, tmp_path) as server, signed_in(server, cast.customer.email or "") as client:
        found = client.get("/tickets", params={"limit": 200, "sort_by": "number", "order": "asc"}).json()["items"]
    assert [ticket["number"] for ticket in found] == acknowledged
    assert [ticket["title"] for ticket in found] == [f"Ticket {number}" for number in range(25)]


def test_the_first_administrator_comes_from_the_environment(tmp_path: Path) -> None:
    """An empty folder is enough: the database and the secrets are made there, and the desk is ready."""
    url = f"sqlite:///{tmp_path}/desk.db"
    with serve(url, tmp_path, **ADMIN) as server, signed_in(server, "root@example.org") as client:
        assert client.get("/auth/me").json()["role"] == "ADMIN"
        token = client.headers["authorization"]
    with serve(url, tmp_path, ADMIN_EMAIL="other@example.org", ADMIN_PASSWORD=PASSWORD) as server:
        again = httpx.get(f"{server.url}/api/v1/auth/me", headers={"Authorization": token})
        assert again.json()["email"] == "root@example.org"
        other = {"username": "other@example.org", "password": PASSWORD}
        assert httpx.post(f"{server.url}/api/v1/auth/login", json=other).status_code == 401


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_when_told(database_url: str, tmp_path: Path, number: signal.Signals) -> None:
    with serve(database_url, tmp_path) as server:
        server.process.send_signal(number)
        assert server.process.wait(timeout=30) in {0, -number}
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_the_worker_beside_sqlite_runs_jobs(database: Database, database_url: str, tmp_path: Path) -> None:
    from sqlalchemy import select

    from deskbridge.kit.clock import SystemClock
    from deskbridge.kit.queue import JobRow

    database.clock = SystemClock()
    database.write(lambda uow: uow.enqueue("kit.sweep_tries", {}))
    with serve(database_url, tmp_path):
        left = select(JobRow.id).where(JobRow.kind == "kit.sweep_tries")
        assert any(not database.read(lambda reader: reader.execute(left).all()) for _ in range(100_000))
