"""Setting a connection up without a browser: administrators only, secrets never shown, faults by line."""

import pytest
from sqlalchemy import func, select

from deskbridge.sync.model import Connection

NEW = "/desk/sync/connections/new"
FIELDS = {"kind": "jira", "name": "Plant", "base_url": "http://127.0.0.1:9", "way": "bearer", "secret": "hidden-secret"}


@pytest.fixture
def added(as_person, sample):
    """Ada, and the address of the draft she added; she removes it in the end."""
    ada = as_person("ada")
    where = ada.post(NEW, FIELDS, form=NEW).headers["location"]
    yield ada, where
    ada.post(f"{where}/remove", {"confirm": "Plant"}, form=where)
    assert sample.database.read(lambda reader: reader.execute(select(func.count(Connection.id))).scalar_one()) == 0


@pytest.mark.parametrize("name", ["anna", "sara", "lea", "max"])
def test_only_administrators_set_up_connections(as_person, added, name):
    person, (_, where) = as_person(name), added
    assert person.get(NEW).status_code == 403
    assert person.get(where).status_code == 403
    for what in ("settings", "mapping", "test", "rehearsal", "remove"):
        assert person.post(f"{where}/{what}", {}, form="/profile").status_code == 403
    assert "/desk/sync/connections/new" not in person.get("/desk/sync").text


def test_a_bad_address_is_told_at_its_field_and_the_secret_is_not_sent_back(as_person):
    answer = as_person("ada").post(NEW, FIELDS | {"base_url": "nowhere"}, form=NEW)
    assert answer.status_code == 422
    assert 'id="base_url-error"' in answer.text
    assert "hidden-secret" not in answer.text


def test_a_draft_shows_its_mapping_and_no_secret(added):
    ada, where = added
    page = ada.get(where).text
    assert "product: jira" in page
    assert "hidden-secret" not in page


def test_a_mapping_with_a_fault_is_not_saved_and_its_line_is_told(added):
    ada, where = added
    answer = ada.post(f"{where}/mapping", {"mapping": "product: jira\nnonsense: 1\n"}, form=where)
    assert answer.status_code == 422
    assert "line 2" in answer.text
    assert "nonsense: 1" in answer.text
    assert "nonsense: 1" not in ada.get(where).text


def test_another_address_wants_its_credentials_and_an_old_form_is_refused(added):
    ada, where = added
    moved = {**FIELDS, "base_url": "http://127.0.0.1:10", "secret": ""}
    assert ada.post(f"{where}/settings", moved, form=where).status_code == 422
    assert ada.post(f"{where}/settings", {**FIELDS, "version": "99"}, form=where).status_code == 409
    assert ada.post(f"{where}/settings", {**FIELDS, "name": "Plant"}, form=where).status_code == 303


def test_a_tracker_that_is_not_reached_fails_its_test_and_does_not_start(added):
    ada, where = added
    answer = ada.post(f"{where}/test", {}, form=where)
    assert answer.status_code == 200
    assert "The test passed." not in answer.text
    assert 'role="status"' in answer.text
    assert ada.post(f"{where}/resume", {}, form="/desk/sync").status_code == 409
    rehearsed = ada.post(f"{where}/rehearsal", {}, form=where)
    assert rehearsed.status_code == 200
    assert "#1001" in rehearsed.text


def test_a_connection_is_removed_once_its_name_was_typed(added):
    ada, where = added
    assert ada.post(f"{where}/remove", {"confirm": "Other"}, form=where).status_code == 409
    assert ada.get(where).status_code == 200
