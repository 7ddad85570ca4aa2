"""Files on the pages: sent with a message as a plain form, listed with it, and refused with everything typed kept."""

import asyncio
import re

import httpx
import pytest
from tests.support.sample_files import EXE, PDF
from tests.web.conftest import HTML

from deskbridge.tickets.attachments import Uploads
from deskbridge.wiring import uploads

AGENT = ("sara", "/desk/tickets/1001")
CUSTOMER = ("anna", "/portal/tickets/1001")
everywhere = pytest.mark.parametrize(("name", "page"), [AGENT, CUSTOMER])


@pytest.fixture(autouse=True)
def files(app, sample, tmp_path):
    """Keep this test's files in a folder of their own."""
    from tests.e2e.sample import SETTINGS

    app.state.uploads = uploads(
        SETTINGS.model_copy(update={"UPLOAD_STORAGE_PATH": tmp_path / "files"}), sample.database.clock
    )
    return tmp_path / "files"


def kept(files):
    return [path for path in files.rglob("*") if path.is_file()]


def send(browser, page, fields, *sent):
    """Send a page's message form with files, as a browser without script does."""
    data = {"csrf_token": browser.token(page), **fields}

    async def post():
        transport = httpx.ASGITransport(app=browser.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8002", cookies=browser.cookies, headers=HTML
        ) as client:
            return await client.post(f"{page}/messages", data=data, files=[("file", one) for one in sent])

    return asyncio.run(post())


@everywhere
def test_a_message_brings_its_files_and_shows_them(as_person, name, page):
    browser = as_person(name)
    said = send(browser, page, {"content": f"See these, {name}."}, ("plan 1.pdf", PDF), ("notes.txt", b"1 2 3"))
    assert said.status_code == 303
    html = browser.get(page).text
    message = re.search(rf"See these, {name}\..*?</article>", html, re.DOTALL)[0]
    assert re.findall(r"download>([^<]+)</a>", message) == ["plan 1.pdf", "notes.txt"]
    path = re.search(r'href="([^"]+)" download>plan 1', message)[1]
    assert browser.get(path).content == PDF
    assert as_person("luca").get(path).status_code == 404


@everywhere
def test_a_form_without_a_file_is_a_message_as_before(as_person, files, name, page):
    browser = as_person(name)
    assert send(browser, page, {"content": "Only words."}, ("", b"")).status_code == 303
    assert browser.post(f"{page}/messages", {"content": "Plain words."}, form=page).status_code == 303
    html = browser.get(page).text
    assert "Only words." in html
    assert "Plain words." in html
    assert kept(files) == []


def test_a_notes_files_are_the_agents_own(as_person):
    browser = as_person("sara")
    fields = {"content": "Among us.", "audience": "internal"}
    assert send(browser, AGENT[1], fields, ("secret plan.pdf", PDF)).status_code == 303
    assert "secret plan.pdf" in browser.get(AGENT[1]).text
    assert "secret plan.pdf" not in as_person("anna").get(CUSTOMER[1]).text


@everywhere
@pytest.mark.parametrize(
    ("content", "sent", "why"),
    [
        ("Typed with care.", [("good.pdf", PDF), ("virus.png", EXE)], "is not what its name says"),
        ("Typed with care.", [("page.html", b"<p>")], "is of a kind that is not taken"),
        ("", [("good.pdf", PDF)], "content-error"),
    ],
)
def test_a_refused_file_leaves_nothing_and_keeps_the_words(as_person, files, name, page, content, sent, why):
    browser = as_person(name)
    refused = send(browser, page, {"content": content}, *sent)
    assert refused.status_code == 422
    assert why in refused.text
    assert content in refused.text
    assert kept(files) == []
    assert "Typed with care." not in browser.get(page).text


@everywhere
def test_what_is_too_large_is_refused_on_a_page_and_nothing_is_kept(as_person, app, files, name, page):
    app.state.uploads = Uploads(app.state.uploads.storage, app.state.uploads.clock, 1000)
    browser = as_person(name)
    inside = send(browser, page, {"content": "Typed with care."}, ("big.txt", b"x" * 1001))
    assert (inside.status_code, "Typed with care." in inside.text) == (422, True)
    beyond = send(browser, page, {"content": "Typed with care."}, ("huge.txt", b"x" * 2_000_000))
    assert (beyond.status_code, "That is too large" in beyond.text) == (413, True)
    assert kept(files) == []


def test_strangers_send_no_bytes(as_person, files):
    browser = as_person("luca")
    token = browser.token("/portal/tickets/new")
    browser.token = lambda _page: token
    for page in (AGENT[1], CUSTOMER[1]):
        assert send(browser, page, {"content": "x"}, ("a.pdf", PDF)).status_code == 404
    browser.token = lambda _page: "0" * 48
    assert send(browser, "/portal/tickets/1002", {"content": "x"}, ("a.pdf", PDF)).status_code == 403
    assert kept(files) == []
