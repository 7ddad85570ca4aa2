"""The thirty cases that two systems in step have to get right, 1 to 18; 19 to 30 are in `test_thirty_cases_more.py`.

The names tell the numbers. What one connector has to do by itself is held by the contract that all of them keep, and by
their own tests:

    1 to 5   tests/connectors/contract.py::test_a_lost_answer_to_a_create_is_unknown_and_then_found_once
    2        tests/connectors/test_servicenow.py::test_an_import_sent_again_after_a_lost_answer_makes_no_second_incident
    6        tests/connectors/test_salesforce_cases.py::test_a_race_that_another_writer_won_is_a_case_that_is_there
    8        tests/connectors/contract.py::test_a_signed_webhook_hints_at_its_record_and_a_repeated_one_says_so
    11       tests/connectors/contract.py::test_a_webhook_without_the_right_signature_is_refused
    18       tests/connectors/contract.py::test_an_edit_between_our_read_and_our_write_survives
    19       tests/connectors/contract.py::test_when_told_to_wait_nothing_is_sent_before
    21       tests/connectors/contract.py::test_a_refusal_in_the_middle_is_one_new_token_at_most
    22       tests/connectors/contract.py::test_a_create_whose_answer_cannot_be_read_is_unknown_and_sent_once
    23       tests/connectors/contract.py::test_an_update_that_hangs_is_unknown_at_the_time_out
    24       tests/connectors/contract.py::test_many_changes_of_the_same_second_are_all_seen_once
    25       tests/connectors/contract.py::test_neither_time_zones_nor_our_clock_make_the_feed_miss_anything
    26       tests/connectors/test_salesforce_cases.py::test_a_case_committed_late_is_seen_within_the_look_back
    27       tests/connectors/contract.py::test_a_missing_demand_is_refused_by_name_before_it_is_sent
    27       tests/connectors/test_polarion.py::test_a_ghost_is_refused_before_it_is_sent
    30       tests/connectors/contract.py::test_a_long_comment_is_never_cut
    30       tests/connectors/contract.py::test_files_come_back_byte_for_byte
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories import Cast
from tests.support.http import Api
from tests.sync.every_tracker import (
    CREATES,
    KINDS,
    TITLES,
    Killed,
    connect_for_portal,
    die,
    filed,
    records_of,
    worker,
)
from tests.sync.test_hooks import signed, told
from tests.sync.test_jira_in_step import DONE, portal_ticket
from tests.sync.world import MINUTE, SECOND, World, world

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import SYSTEM
from deskbridge.sync.model import ConflictState, InboxRow, Link, LinkState, SyncConflict
from deskbridge.tickets import service as tickets
from deskbridge.tickets.model import Priority, Status

HERE = Path(__file__).parent
HELD_ELSEWHERE = re.compile(r"^    (\d+)(?: to (\d+))? +(tests/\S+)::(test_\w+)$", re.MULTILINE)


@pytest.fixture
def jira(database: Database, clock: ManualClock) -> Iterator[World]:
    with world(database, clock, "jira") as made:
        made.connect("jira")
        yield made


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def tracker(database: Database, clock: ManualClock, kind: str) -> Iterator[World]:
    """A desk beside one tracker of this kind, where the tickets of the portal are filed."""
    with world(database, clock, kind) as made:
        connect_for_portal(made, kind)
        yield made


def test_all_thirty_are_here() -> None:
    text = "".join((HERE / name).read_text() for name in ("test_thirty_cases.py", "test_thirty_cases_more.py"))
    named = re.findall(r"^def test_case((?:_\d\d)+)_", text, re.MULTILINE)
    held = {int(first) for first, *_ in HELD_ELSEWHERE.findall(__doc__ or "")}
    assert {int(number) for numbers in named for number in numbers[1:].split("_")} | held == set(range(1, 31))


@pytest.mark.parametrize(("file", "test"), [found[2:] for found in HELD_ELSEWHERE.findall(__doc__ or "")])
def test_what_is_held_elsewhere_is_there(file: str, test: str) -> None:
    assert f"def {test}(" in (HERE.parents[1] / file).read_text()


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_case_01_02_03_04_05_a_lost_answer_to_a_create_never_makes_two(
    tracker: World, kind: str, cast: Cast, fault: str
) -> None:
    """With the index a minute behind, the answer lost after the record was made, and before."""
    remote = tracker.remotes[kind]
    remote.post("lag", {"seconds": 60})
    remote.fault(fault, *CREATES[kind])
    ticket = portal_ticket(tracker, cast)
    tracker.run()
    assert tracker.link(ticket.id, kind).state is LinkState.UNKNOWN
    tracker.settle(rounds=10)
    assert tracker.link(ticket.id, kind).state is LinkState.ACTIVE
    assert records_of(tracker, ticket, kind) == [tracker.link(ticket.id, kind).remote_id]
    assert len(tracker.rows(Link)) == 1


def test_case_06_two_workers_that_create_at_once_make_one(tracker: World, kind: str, cast: Cast) -> None:
    """The first is held up until its lease has ended, and sends what it meant to after the second began."""

    def overtake() -> None:
        tracker.tick(61 * SECOND)
        tracker.new_engine().run(most=500)

    ticket = portal_ticket(tracker, cast)
    done = [did.what for did in worker(tracker, "create", before=overtake).run(most=500)]
    assert "fence broken" in done
    tracker.settle(rounds=10)
    assert records_of(tracker, ticket, kind) == [tracker.link(ticket.id, kind).remote_id]
    assert len(tracker.rows(Link)) == 1


def test_case_07_a_worker_that_dies_right_after_a_create_leaves_one(tracker: World, kind: str, cast: Cast) -> None:
    ticket = portal_ticket(tracker, cast)
    with pytest.raises(Killed):
        worker(tracker, "create", after=die).run(most=500)
    assert tracker.link(ticket.id, kind).state is LinkState.UNKNOWN
    tracker.settle(rounds=10)
    assert tracker.link(ticket.id, kind).state is LinkState.ACTIVE
    assert records_of(tracker, ticket, kind) == [tracker.link(ticket.id, kind).remote_id]


def test_case_08_a_webhook_that_comes_three_times_is_kept_once(jira: World, api: Api, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    body = told(jira.link(ticket.id, "jira").remote_id)
    received = [
        api.root.request("POST", "/hooks/jira", content=body, headers=signed(body)).json()["received"] for _ in range(3)
    ]
    assert received == [1, 0, 0]
    assert len(jira.rows(InboxRow)) == 1


def test_case_09_webhooks_in_the_wrong_order_bring_nothing_old_back(jira: World, api: Api, cast: Cast) -> None:
    ticket = filed(jira, cast)
    remote_id = jira.link(ticket.id, "jira").remote_id
    for number, title in ((2, "Second"), (1, "First")):
        jira.edit(ticket.id, "jira", {"summary": "Second"})
        body = json.dumps({**json.loads(told(remote_id)), "issue": {"id": remote_id, "fields": {"summary": title}}})
        headers = signed(body.encode(), f"delivery-{number}")
        answer = api.root.request("POST", "/hooks/jira", content=body.encode(), headers=headers)
        assert answer.json() == {"received": 1}
        jira.run()
        assert jira.ticket(ticket.id).title == "Second"


def test_case_10_what_no_webhook_told_of_the_next_poll_finds(tracker: World, kind: str, cast: Cast) -> None:
    ticket = filed(tracker, cast)
    tracker.edit(ticket.id, kind, {TITLES[kind]: "Nobody was told"})
    tracker.tick(MINUTE)
    tracker.run()
    assert tracker.ticket(ticket.id).title == "Nobody was told"


@pytest.mark.parametrize(
    "headers", [{}, {"x-hub-signature": "sha256=00"}, signed(b"another body"), signed(b"", "k", "x")]
)
def test_case_11_a_missing_or_wrong_signature_is_401_and_nothing_is_stored(
    jira: World, api: Api, headers: dict[str, str]
) -> None:
    answer = api.root.request("POST", "/hooks/jira", content=told("10000"), headers=headers)
    assert answer.status_code == 401
    assert jira.rows(InboxRow) == []
    assert jira.rows(Link) == []


def test_case_12_in_a_hundred_polls_of_what_agrees_nothing_is_written(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    version = jira.ticket(ticket.id).version
    jira.remotes["jira"].forget()
    jira.settle(rounds=100)
    assert jira.writes("jira") == []
    assert jira.ticket(ticket.id).version == version


@pytest.mark.parametrize("kind", ["jira", "polarion"])
def test_case_13_what_a_tracker_makes_of_a_text_is_not_sent_to_and_fro(tracker: World, kind: str, cast: Cast) -> None:
    ticket = filed(tracker, cast)
    text = "* one\n* two\n\n__very__ bad"
    tracker.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"description": text})
    tracker.settle()
    shown = tracker.record(ticket.id, kind).fields["description"]
    assert shown != text
    tracker.remotes[kind].forget()
    tracker.settle(rounds=10)
    assert tracker.writes(kind) == []
    assert tracker.ticket(ticket.id).description == text
    assert tracker.record(ticket.id, kind).fields["description"] == shown


def test_case_14_webhooks_of_the_hops_between_that_come_late_move_nothing(jira: World, api: Api, cast: Cast) -> None:
    """One step here is several there."""
    ticket = filed(jira, cast)
    jira.remotes["jira"].forget()
    jira.database.write(tickets.walk, SYSTEM, ticket.id, Status.RESOLVED, notes="Put out.")
    jira.settle()
    hops = [one for one in jira.writes("jira") if one.endswith("/transitions")]
    assert len(hops) > 1
    remote_id, version = jira.link(ticket.id, "jira").remote_id, jira.ticket(ticket.id).version
    for number, _ in enumerate(hops):
        body = json.dumps(
            {**json.loads(told(remote_id)), "issue": {"id": remote_id, "fields": {"status": {"id": "3"}}}}
        )
        headers = signed(body.encode(), f"hop-{number}")
        assert api.root.request("POST", "/hooks/jira", content=body.encode(), headers=headers).status_code == 202
        jira.run()
    assert (jira.ticket(ticket.id).status, jira.ticket(ticket.id).version) == (Status.RESOLVED, version)
    assert jira.record(ticket.id, "jira").fields["status"] == DONE


def test_case_15_different_fields_changed_on_both_sides_are_both_kept(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"summary": "From Jira"})
    jira.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"priority": Priority.P4})
    jira.settle()
    assert jira.ticket(ticket.id).title == "From Jira"
    assert jira.record(ticket.id, "jira").fields["priority"] == "4"
    assert jira.rows(SyncConflict) == []


def test_case_16_the_same_field_changed_on_both_sides_follows_the_policy(jira: World, cast: Cast) -> None:
    """The newest stays, and the other is kept for people to see."""
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"summary": "From Jira"})
    jira.tick(MINUTE / 2)
    jira.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "From the desk"})
    jira.settle()
    assert jira.ticket(ticket.id).title == "From the desk"
    assert jira.record(ticket.id, "jira").fields["summary"] == "From the desk"
    (conflict,) = jira.rows(SyncConflict)
    assert (conflict.desk, conflict.remote) == ("From the desk", "From Jira")
    assert conflict.state is ConflictState.SETTLED


def test_case_17_both_sides_set_the_same_value_and_nothing_is_written(jira: World, cast: Cast) -> None:
    ticket = portal_ticket(jira, cast)
    jira.settle()
    jira.edit(ticket.id, "jira", {"summary": "Agreed"})
    jira.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "Agreed"})
    jira.remotes["jira"].forget()
    jira.settle()
    assert jira.writes("jira") == []
    assert jira.rows(SyncConflict) == []


def test_case_18_an_edit_between_our_read_and_our_write_is_not_lost(tracker: World, kind: str, cast: Cast) -> None:
    """Somebody renames the record when our new title is about to be sent: both are kept, and both sides agree."""
    ticket = filed(tracker, cast)
    tracker.tick(MINUTE)
    tracker.database.write(tickets.update_ticket, SYSTEM, ticket.id, {"title": "From the desk"})

    def rename() -> None:
        tracker.tick(SECOND)
        tracker.edit(ticket.id, kind, {TITLES[kind]: "From somebody there"})

    done = [did.what for did in worker(tracker, "update", before=rename).run(most=500)]
    assert "moved" in done
    tracker.settle()
    (conflict,) = tracker.rows(SyncConflict)
    assert (conflict.desk, conflict.remote) == ("From the desk", "From somebody there")
    assert tracker.ticket(ticket.id).title == tracker.record(ticket.id, kind).fields[TITLES[kind]]
