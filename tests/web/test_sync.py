"""The sync monitor without a browser: who sees it, who steers, and what its forms do."""

import pytest
from sqlalchemy import delete, select, update
from tests.e2e.sample import NOW

from deskbridge.kit.ids import new_id
from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, failures, service
from deskbridge.sync.model import (
    ConflictState,
    Connection,
    ConnectionState,
    FailureClass,
    FailureState,
    Link,
    LinkState,
    SyncConflict,
    SyncFailure,
)
from deskbridge.tickets.model import Ticket
from deskbridge.trackers import Trackers


@pytest.fixture(scope="module")
def failed(sample):
    """A paused connection with a link that the tracker refused."""
    new = connections.NewConnection("Plant Jira", "jira", "http://127.0.0.1:9", "bearer", "hidden-secret")
    write = sample.database.write
    row = write(connections.add_connection, SYSTEM, Seal("s" * 40), Trackers(), new)
    link = write(service.link_by_hand, SYSTEM, 1001, row.id, "10001")
    write(lambda uow: uow.execute(update(Connection).values(state=ConnectionState.PAUSED)))
    told = {"field": "summary", "payload": {"summary": "the-payload"}, "parked": True}
    refused = "Summary is too <long>"
    return write(
        lambda uow: failures.note(uow, uow.session.get_one(Link, link.id), FailureClass.REJECTED, refused, **told)
    )


def state(sample, column):
    return sample.database.read(lambda reader: reader.execute(select(column)).scalar_one())


@pytest.mark.parametrize(("name", "status"), [("anna", 403), ("sara", 403), ("lea", 200), ("max", 200), ("ada", 200)])
def test_the_monitor_is_for_team_leads_and_payloads_for_administrators(as_person, failed, name, status):
    answer = as_person(name).get("/desk/sync")
    assert answer.status_code == status
    if status == 200:
        assert "Summary is too &lt;long&gt;" in answer.text
        assert "hidden-secret" not in answer.text
        assert ("the-payload" in answer.text) is (name == "ada")
        assert ('method="post" action="/desk/sync' in answer.text) is (name != "lea")


@pytest.mark.parametrize("what", ["connections/{}/pause", "failures/{}/retry", "conflicts/{}/settle"])
def test_every_form_of_the_monitor_wants_its_token(as_person, failed, what):
    assert as_person("max").post(f"/desk/sync/{what.format(failed.id)}", {}).status_code == 403


def test_a_team_lead_steers_nothing(as_person, sample, failed):
    where = f"/desk/sync/connections/{failed.connection_id}/resume"
    refused = as_person("lea").post(where, {}, form="/desk/tickets/new")
    assert refused.status_code == 403
    assert "Solo i manager governano la sincronizzazione." in refused.text
    assert state(sample, Connection.state) is ConnectionState.PAUSED


def test_failures_of_one_cause_are_told_together_in_the_readers_words(as_person, failed):
    page = as_person("lea").get("/desk/sync").text
    assert page.count("Summary is too &lt;long&gt;") == 1
    assert "Rifiutato dal sistema" in page
    assert "In pausa" in page
    assert "REJECTED" not in page
    assert "PAUSED" not in page


@pytest.mark.parametrize(("name", "status"), [("lea", 403), ("max", 200), ("ada", 200)])
def test_the_form_that_mends_a_failure_is_for_managers(as_person, failed, name, status):
    answer = as_person(name).get(f"/desk/sync/failures/{failed.id}/edit")
    assert answer.status_code == status
    assert ("the-payload" in answer.text) is (name == "ada")


def test_a_ticket_is_mended_and_tried_again_or_neither(as_person, sample, failed):
    manager, where = as_person("max"), f"/desk/sync/failures/{failed.id}/edit"
    values = {"title": "", "description": "A shorter text", "category": "INCIDENT", "priority": "P2", "tags": ""}
    refused = manager.post(where, values, form=where)
    assert refused.status_code == 422
    assert "A shorter text" in refused.text
    assert state(sample, SyncFailure.state) is FailureState.OPEN
    assert manager.post(where, values | {"title": "Late", "version": "1"}, form=where).status_code == 409
    assert manager.post(where, values | {"title": "Short"}, form=where).status_code == 303
    assert state(sample, SyncFailure.state) is FailureState.RETRIED
    assert (
        sample.database.read(
            lambda reader: reader.execute(select(Ticket.title).where(Ticket.number == 1001)).scalar_one()
        )
        == "Short"
    )
    assert manager.post(where, values | {"title": "Again"}, form=where).status_code == 409
    sample.database.write(lambda uow: uow.execute(update(SyncFailure).values(state=FailureState.OPEN)))


@pytest.fixture
def conflict(sample, failed):
    """Both sides have changed the title of a ticket that is no business of Lea's team."""
    other = sample.network
    ticket_id = sample.database.read(
        lambda reader: reader.execute(select(Ticket.id).where(Ticket.team_id == other).limit(1)).scalar_one()
    )
    row = SyncConflict(
        id=new_id(), link_id=failed.link_id, ticket_id=ticket_id, field="title", desk="our-title", remote="their-title",
        winner="", reason="Both changed it.", state=ConflictState.OPEN, at=failed.last_at,
    )  # fmt: skip
    sample.database.write(lambda uow: uow.session.add(row))
    yield ticket_id
    sample.database.write(lambda uow: uow.execute(delete(SyncConflict)))


def test_a_conflict_is_settled_by_who_may_edit_its_ticket_and_shows_no_buttons_to_others(as_person, conflict):
    lead, manager = as_person("lea").get("/desk/sync").text, as_person("max").get("/desk/sync").text
    assert "their-title" in lead
    assert "/settle" not in lead
    assert "our-title" in manager
    assert "/settle" in manager


def test_what_became_of_is_not_known_is_listed(as_person, sample, failed):
    def become(link_state):
        values = {"state": link_state, "last_error": "Cut off", "dirty_at": None}
        sample.database.write(lambda uow: uow.execute(update(Link).values(values)))

    become(LinkState.UNKNOWN)
    assert "Cut off" in as_person("max").get("/desk/sync").text
    become(LinkState.ACTIVE)
    assert "Cut off" not in as_person("max").get("/desk/sync").text


def test_a_tickets_page_tells_agents_of_its_links_and_what_sync_did(as_person, failed):
    page = as_person("sara").get("/desk/tickets/1001").text
    assert "Plant Jira" in page
    assert "10001" in page
    assert "Linked by hand" in page
    assert "Plant Jira" not in as_person("anna").get("/portal/tickets/1001").text
    assert "What sync did" not in as_person("sara").get("/desk/tickets/1002").text


def test_a_manager_resumes_a_connection_and_discards_a_failure_with_a_reason(as_person, sample, failed):
    manager = as_person("max")
    where = f"/desk/sync/connections/{failed.connection_id}"
    assert manager.post(f"{where}/resume", {}, form="/desk/sync").status_code == 303
    assert state(sample, Connection.state) is ConnectionState.ACTIVE
    assert manager.post(f"{where}/pause", {}, form="/desk/sync").status_code == 303
    assert manager.post(f"{where}/pause", {}, form="/desk/sync").status_code == 409
    discard = f"/desk/sync/failures/{failed.id}/discard"
    assert manager.post(discard, {"reason": ""}, form="/desk/sync").status_code == 409
    assert manager.post(discard, {"reason": "Not worth it"}, form="/desk/sync").status_code == 303
    assert state(sample, SyncFailure.closed_because) == "Not worth it"
    assert "Nothing failed." in manager.get("/desk/sync").text


# A ticket's links


def link_row(sample, failed):
    return sample.database.read(
        lambda reader: reader.execute(select(Link.__table__).where(Link.id == failed.link_id)).one()
    )


def test_a_link_is_let_go_of_and_taken_up_again_on_the_tickets_page(as_person, sample, failed):
    manager, page = as_person("max"), "/desk/tickets/1001"
    assert "Linked by Deskbridge." in manager.get(page).text
    where = f"{page}/links/{failed.link_id}"
    assert manager.post(f"{where}/unlink", {}).status_code == 403
    assert manager.post(f"{where}/unlink", {}, form=page).status_code == 303
    assert link_row(sample, failed).state is LinkState.TOMBSTONE
    shown = manager.get(page).text
    assert "Unlinked by Max Huber." in shown
    assert "unlinked <strong>10001</strong>" in shown
    assert manager.post(f"{where}/relink", {}, form=page).status_code == 303
    assert link_row(sample, failed).state is LinkState.ACTIVE
    assert "Linked again by Max Huber." in manager.get(page).text
    assert manager.post(f"{where}/relink", {}, form=page).status_code == 409


def test_whoever_may_not_edit_the_ticket_ties_and_unties_nothing(as_person, sample, failed):
    tom, page = as_person("tom"), "/desk/tickets/1001"
    assert "/links/" not in tom.get(page).text
    assert tom.post(f"{page}/links/{failed.link_id}/unlink", {}, form=page).status_code == 403
    tied = {"connection": str(failed.connection_id), "record": "10002"}
    assert tom.post(f"{page}/links", tied, form=page).status_code == 403
    assert link_row(sample, failed).state is LinkState.ACTIVE


def test_a_record_that_cannot_be_looked_at_is_not_tied(as_person, sample, failed):
    """Its tracker is nowhere: the form says so and keeps what was typed."""
    manager, page = as_person("max"), "/desk/tickets/1002"
    manager.post(f"/desk/sync/connections/{failed.connection_id}/resume", {}, form="/desk/sync")
    answer = manager.post(
        f"{page}/links", {"connection": str(failed.connection_id), "record": "PLANT-7"}, form="/desk/tickets/1002"
    )
    assert answer.status_code == 422
    assert 'value="PLANT-7"' in answer.text
    assert manager.post(f"{page}/links", {"connection": "x", "record": "PLANT-7"}, form=page).status_code == 422
    manager.post(f"/desk/sync/connections/{failed.connection_id}/pause", {}, form="/desk/sync")


def test_links_are_listed_by_connection_state_and_whether_they_wait(as_person, sample, failed):
    sample.database.write(lambda uow: uow.execute(update(Link).values(dirty_at=NOW, last_error="Asked to wait")))
    lead = as_person("lea")
    assert as_person("sara").get("/desk/sync/links").status_code == 403
    for query in ("", "?waiting=1", f"?connection={failed.connection_id}&state=active", "?state=nonsense"):
        assert "10001" in lead.get(f"/desk/sync/links{query}").text
    assert "10001" not in lead.get("/desk/sync/links?state=paused").text
    assert lead.get("/desk/sync/links?cursor=nonsense").status_code == 303
    assert "Asked to wait" in lead.get("/desk/sync").text
    sample.database.write(lambda uow: uow.execute(update(Link).values(dirty_at=None, last_error=None)))
    assert "10001" not in lead.get("/desk/sync/links?waiting=1").text


def test_a_customer_reads_the_key_of_the_record_beside_the_number_of_the_request(as_person, sample, failed):
    anna = as_person("anna")
    assert "PLANT-7" not in anna.get("/portal/tickets/1001").text
    sample.database.write(lambda uow: uow.execute(update(Link).values(remote_key="PLANT-7")))
    assert "PLANT-7" in anna.get("/portal/tickets/1001").text
    sample.database.write(lambda uow: uow.execute(update(Link).values(remote_key="")))
