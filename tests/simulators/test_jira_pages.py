"""Jira's pages: a person creates, edits, comments, logs, attaches and transitions with plain forms."""

import re
from collections.abc import Iterator

import httpx
import pytest

from deskbridge.simulators.server import running


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with running("jira") as site, httpx.Client(base_url=site.http, trust_env=False, follow_redirects=True) as client:
        yield client


NEW = {"issuetype": "10002", "summary": "Printer <on> fire", "description": "h2. What\n\nIt *burns*", "priority": "2"}


def test_a_person_leads_an_issue_through_its_life(browser: httpx.Client) -> None:
    page = browser.post("/issues/create", data={**NEW, "labels": "a b", "assignee": ""})
    assert page.url.path == "/browse/DESK-1"
    assert "Printer &lt;on&gt; fire" in page.text
    assert "<b>burns</b>" in page.text
    page = browser.post("/browse/DESK-1/edit", data={**NEW, "summary": "Printer is out", "priority": "3"})
    assert "Printer is out" in page.text
    browser.post("/browse/DESK-1/comment", data={"body": "Public words"})
    page = browser.post("/browse/DESK-1/comment", data={"body": "Secret words", "internal": "true"})
    assert page.text.count("Internal note</span>") == 1
    page = browser.post("/browse/DESK-1/worklog", data={"spent": "1h 30m", "comment": "Looked"})
    assert "1h 30m</span>" in page.text
    page = browser.post("/browse/DESK-1/attach", files={"file": ("a.bin", b"\0\1\2")})
    link = re.search(r'href="(/browse/DESK-1/attachment/\d+)"', page.text)
    assert link is not None
    assert browser.get(link[1]).content == b"\0\1\2"
    for step in ("11", "21"):
        browser.post(f"/browse/DESK-1/transition/{step}")
    page = browser.post("/browse/DESK-1/transition/31", data={"resolution": "10000"})
    assert "In Review → Done" in page.text
    assert "DESK-1" in browser.get("/", params={"jql": "status = Done"}).text


def test_what_goes_wrong_is_told_on_the_page(browser: httpx.Client) -> None:
    refused = browser.post("/issues/create", data={**NEW, "summary": "x" * 300})
    assert refused.status_code == 400
    assert "Summary must be less than 255 characters" in refused.text
    assert "It *burns*" in refused.text
    browser.post("/issues/create", data=NEW)
    wrong = browser.post("/browse/DESK-1/transition/31", data={"resolution": "10000"})
    assert wrong.status_code == 400
    assert "Transition id &#39;31&#39; is not valid" in wrong.text
    assert browser.post("/browse/DESK-1/comment", data={"body": " "}).status_code == 400
    assert browser.post("/browse/DESK-1/worklog", data={"spent": "long"}).status_code == 400
    assert browser.post("/browse/DESK-1/attach", content=b"x").status_code == 400
    stranger = browser.post("/browse/DESK-1/edit", data={**NEW, "assignee": "nobody"})
    assert "does not exist" in stranger.text
    assert browser.get("/browse/DESK-9").status_code == 404


def test_a_bad_query_is_explained_in_the_list(browser: httpx.Client) -> None:
    page = browser.get("/issues", params={"jql": "colour = red"})
    assert "Field &#39;colour&#39; does not exist" in page.text


def test_pages_run_no_scripts(browser: httpx.Client) -> None:
    page = browser.get("/issues")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert browser.get("/__sim__/static/simulators.css").status_code == 200
