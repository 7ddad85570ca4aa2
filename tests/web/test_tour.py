"""The demo's tour: agents get it on the desk, customers on the portal."""

import pytest
from tests.e2e.sample import SETTINGS
from tests.web.conftest import Browser

from deskbridge.app import create_app
from deskbridge.demo.tour import tour_of

TRACKERS = {name: f"http://127.0.0.1:808{n}" for n, name in enumerate(("Jira", "ServiceNow", "Salesforce", "Polarion"))}


@pytest.fixture
def guided(sample):
    return create_app(SETTINGS, sample.database, tour_of(TRACKERS, "desk@example.org", "desk-token"))


def test_agents_are_led_past_every_tracker(guided):
    agent = Browser(guided)
    agent.sign_in("sara")
    assert 'href="/desk/tour"' in agent.get("/desk/tickets").text
    page = agent.get("/desk/tour").text
    assert all(f'href="{address}/"' in page for address in TRACKERS.values())


def test_customers_get_their_own_tour_wherever_they_follow_the_link(guided):
    customer = Browser(guided)
    customer.sign_in("anna")
    assert 'href="/portal/tour"' in customer.get("/portal/tickets").text
    sent = customer.get("/desk/tour")
    assert (sent.status_code, sent.headers["location"]) == (303, "/portal/tour")
    page = customer.get("/portal/tour")
    assert page.status_code == 200
    assert f'href="{TRACKERS["Jira"]}/"' in page.text
    assert 'href="/portal/tickets/new"' in page.text
    assert "desk-token" not in page.text


def test_without_trackers_there_is_no_tour(as_person):
    customer = as_person("anna")
    assert customer.get("/portal/tour").status_code == 404
    assert "/portal/tour" not in customer.get("/portal/tickets").text
