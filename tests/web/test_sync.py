"""The sync monitor without a browser: who sees it, who steers, and what its forms do."""

import pytest
from sqlalchemy import select, update

from deskbridge.kit.sealed import Seal
from deskbridge.people.actor import SYSTEM
from deskbridge.sync import connections, failures, service
from deskbridge.sync.model import Connection, ConnectionState, FailureClass, Link, SyncFailure
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
    assert as_person("lea").post(where, {}, form="/desk/tickets/new").status_code == 403
    assert state(sample, Connection.state) is ConnectionState.PAUSED


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
