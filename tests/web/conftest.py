"""The web's doors without a browser: what they refuse, and what they give away."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest
from tests.e2e.sample import NOW, PASSWORD, SETTINGS, Sample

from deskbridge.app import create_app
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.schema import upgrade
from deskbridge.wiring import wire

HTML = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A small desk: eight tickets, one in each stage."""
    path = tmp_path_factory.mktemp("web") / "desk.db"
    database = Database(f"sqlite:///{path}", ManualClock(NOW - timedelta(hours=3)), wire(SETTINGS).subscriptions)
    upgrade(database.engine)
    sample = Sample(database)
    sample.fill(tickets=8)
    yield sample
    database.close()


@pytest.fixture(scope="module")
def app(sample):
    return create_app(SETTINGS, sample.database)


class Browser:
    """As much of a browser as doors can tell: cookies, the headers it sends, forms it read before it sends them."""

    def __init__(self, app):
        self.app = app
        self.cookies = httpx.Cookies()

    def get(self, path, headers=None):
        return self._send("GET", path, None, headers)

    def post(self, path, fields=(), headers=None, form=None):
        """Send a form of the page `form`, with its token; without a page, without one."""
        token = {"csrf_token": self.token(form)} if form else {}
        return self._send("POST", path, {**token, **dict(fields)}, headers)

    def token(self, page):
        return re.search(r'name="csrf_token" value="(\w+)"', self.get(page).text)[1]

    def sign_in(self, name, password=PASSWORD):
        return self.post("/sign-in", {"username": f"{name}@example.org", "password": password}, form="/sign-in")

    def _send(self, method, path, data, headers):
        async def send():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8002", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, data=data, headers=HTML | (headers or {}))
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def as_person(app):
    """Return a browser in which somebody is signed in."""

    def signed_in(name):
        browser = Browser(app)
        assert browser.sign_in(name).status_code == 303
        return browser

    return signed_in
