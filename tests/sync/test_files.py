"""Files between a ticket and its record: each way, each once, byte for byte."""

import hashlib
import io
from collections.abc import Iterator

import httpx
import pytest
from tests.factories import Cast, MadeTicket
from tests.sync.test_jira_in_step import portal_ticket
from tests.sync.world import World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.sync.model import FailureClass, FailureState, SyncEvent, SyncFailure
from deskbridge.tickets.attachments import attach
from deskbridge.tickets.model import Attachment, Audience

LOG = b"first line\r\n--+++\r\nlast line \xc3\xbc\n"


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture
def ticket(jira: World, cast: Cast) -> MadeTicket:
    made = portal_ticket(jira, cast)
    jira.settle()
    jira.remotes["jira"].forget()
    return made


def attached(world: World, ticket: MadeTicket, cast: Cast, name: str = "error.log", content: bytes = LOG) -> None:
    received = world.uploads.receive(name, io.BytesIO(content))
    world.database.write(attach, cast.agent.actor, ticket.id, received)


def uploaded_there(world: World, ticket: MadeTicket, name: str, content: bytes) -> None:
    url = f"{world.remotes['jira'].url}/rest/api/2/issue/{world.link(ticket.id, 'jira').remote_id}/attachments"
    answer = httpx.post(
        url,
        files={"file": (name, content)},
        headers={"X-Atlassian-Token": "no-check"},
        auth=("desk@example.org", "desk-token"),
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def there(world: World, ticket: MadeTicket) -> list[tuple[str, str]]:
    connector, remote_id = world.connector("jira"), world.link(ticket.id, "jira").remote_id
    found = []
    for one in connector.attachments(remote_id):
        with connector.download(remote_id, one) as chunks:
            found.append((one.name, hashlib.sha256(b"".join(chunks)).hexdigest()))
    return found


def here(world: World) -> list[tuple[str, str]]:
    return [(row.name, row.sha256) for row in world.rows(Attachment)]


def counted(world: World) -> tuple[int, int]:
    """Return how many files the monitor counts as written and as taken over."""
    lines = world.rows(SyncEvent, SyncEvent.what == "children")
    return sum(line.pushed for line in lines), sum(line.pulled for line in lines)


SAME = [("error.log", hashlib.sha256(LOG).hexdigest())]


def test_a_file_goes_out_once_byte_for_byte(jira: World, ticket: MadeTicket, cast: Cast) -> None:
    attached(jira, ticket, cast)
    jira.settle(rounds=10)
    assert there(jira, ticket) == SAME
    assert here(jira) == SAME
    assert counted(jira) == (1, 0)


def test_a_file_comes_in_once_for_agents_only(jira: World, ticket: MadeTicket) -> None:
    uploaded_there(jira, ticket, "error.log", LOG)
    jira.settle(rounds=10)
    assert here(jira) == SAME
    assert counted(jira) == (0, 1)
    assert jira.row(Attachment).audience is Audience.INTERNAL
    assert there(jira, ticket) == SAME


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_a_file_whose_answer_is_lost_is_there_once(jira: World, ticket: MadeTicket, cast: Cast, fault: str) -> None:
    jira.remotes["jira"].fault(fault, "POST", r"/attachments$")
    attached(jira, ticket, cast)
    jira.settle()
    assert there(jira, ticket) == SAME
    assert here(jira) == SAME


def test_a_file_the_desk_does_not_take_is_told_once_and_the_rest_goes_on(
    jira: World, ticket: MadeTicket, cast: Cast
) -> None:
    uploaded_there(jira, ticket, "tool.exe", b"MZ\x90\x00" + bytes(100))
    uploaded_there(jira, ticket, "huge.log", b"x" * 1_000_001)
    attached(jira, ticket, cast)
    jira.settle(rounds=3)
    assert here(jira) == SAME
    failures = jira.rows(SyncFailure)
    assert {row.failure for row in failures} == {FailureClass.LEFT_OUT}
    assert {row.field for row in failures} == {"attachment tool.exe", "attachment huge.log"}
    assert {(row.tries, row.state) for row in failures} == {(1, FailureState.OPEN)}
