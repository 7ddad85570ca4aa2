"""The live stream of real servers: over sockets, from one process to another, across restarts and the end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.factories import PASSWORD, Cast, Factory
from tests.support.live import LiveServer, serve

from deskbridge.kit.clock import SystemClock
from deskbridge.kit.db import Database

Event = dict[str, str]


class Line:
    """A stream of a server, read line by line."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer, self._lines = answer, answer.iter_lines()

    def block(self) -> Event:
        """Return the next block that is no heartbeat; empty at the end of the stream."""
        fields: Event = {}
        beats = 0
        for line in self._lines:
            beats += line == ":"
            assert beats <= 3, "nothing comes but heartbeats"
            name, _, value = line.partition(": ")
            if line and name:
                fields[name] = value
            elif fields:
                return fields
        return {}


@contextmanager
def listening(server: LiveServer, token: str, last_event_id: str | None = None) -> Iterator[Line]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    with httpx.stream("GET", f"{server.url}/api/v1/stream", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        yield Line(answer)


def token_of(server: LiveServer, email: str | None) -> str:
    answer = httpx.post(f"{server.url}/api/v1/auth/login", json={"username": email, "password": PASSWORD})
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture
def now(database: Database) -> None:
    """Let the test's process live at the same time as the servers it starts."""
    database.clock = SystemClock()


@pytest.mark.database
@pytest.mark.usefixtures("now")
def test_what_another_process_does_arrives_and_a_restart_loses_nothing(
    database_url: str, make: Factory, cast: Cast, tmp_path: Path
) -> None:
    """The test's own process writes to the database: on PostgreSQL the server is told of it, elsewhere it looks."""
    ticket = make.ticket(cast.customer)
    with serve(database_url, tmp_path, JWT_SECRET_KEY="j" * 40, SECRET_KEY="s" * 40) as server:
        token = token_of(server, cast.customer.email)
        with listening(server, token) as line:
            first = line.block()
            assert set(first) == {"retry", "id"}
            said = make.message(cast.agent, ticket, "Hello")
            heard = line.block()
            assert (heard["event"], str(said) in heard["data"]) == ("MessageAdded", True)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    missed = make.message(cast.agent, ticket, "While it was away")
    with (
        serve(database_url, tmp_path, JWT_SECRET_KEY="j" * 40, SECRET_KEY="s" * 40) as server,
        listening(server, token, heard["id"]) as line,
    ):
        assert str(missed) in line.block()["data"]


@pytest.mark.usefixtures("now")
def test_streams_end_when_the_server_is_told_to(database_url: str, cast: Cast, tmp_path: Path) -> None:
    assert cast.customer
    with serve(database_url, tmp_path) as server:
        token = token_of(server, cast.customer.email)
        with listening(server, token) as first, listening(server, token) as second:
            assert first.block()
            assert second.block()
            server.process.send_signal(signal.SIGTERM)
            assert (first.block(), second.block()) == ({}, {})
            assert server.process.wait(timeout=10) in {0, -signal.SIGTERM}
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.database("postgresql")
@pytest.mark.usefixtures("now")
def test_several_web_processes_end_their_streams_too(
    database_url: str, make: Factory, cast: Cast, tmp_path: Path
) -> None:
    """Whichever of two processes a reader comes to, they hear of everything, and all end when told."""
    ticket = make.ticket(cast.customer)
    with serve(database_url, tmp_path, arguments=("--workers", "2")) as server:
        token = token_of(server, cast.customer.email)
        with listening(server, token) as one, listening(server, token) as two, listening(server, token) as three:
            lines = (one, two, three)
            assert all(line.block() for line in lines)
            answer = httpx.post(
                f"{server.url}/api/v1{ticket.path}/comments",
                json={"content": "Hello"},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 201
            assert [line.block()["event"] for line in lines] == ["MessageAdded"] * 3
            server.process.send_signal(signal.SIGTERM)
            assert [line.block() for line in lines] == [{}, {}, {}]
            assert server.process.wait(timeout=10) in {0, -signal.SIGTERM}


@pytest.mark.database("postgresql")
@pytest.mark.usefixtures("now")
def test_a_lost_line_to_the_database_is_taken_up_again(
    database: Database, database_url: str, make: Factory, cast: Cast, tmp_path: Path
) -> None:
    from sqlalchemy import text

    def cut_all(reader: object) -> int:
        cut = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        found: int = reader.execute(cut).scalar_one()  # type: ignore[attr-defined]
        return found

    ticket = make.ticket(cast.customer)
    with serve(database_url, tmp_path) as server:
        token = token_of(server, cast.customer.email)
        with listening(server, token) as line:
            assert line.block()
            assert any(database.read(cut_all) for _ in range(1000))
            said = make.message(cast.agent, ticket, "Hello")
            assert str(said) in line.block()["data"]
