import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from tests.e2e.browser import FLAGS, WIDE, free_port
from tests.e2e.sample import PASSWORD

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


@pytest.fixture(scope="module")
def browser():
    """Chromium, for one module: its event loop would be in the way of other modules' own."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        if os.environ.get("CI"):
            pytest.fail("Browser tests need chromium.")
        pytest.skip("Browser tests need chromium (set CHROMIUM to its path).")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def context_of(browser):
    """Open browser contexts with our defaults; they close with the test."""
    opened = []

    def open_context(**options):
        defaults = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Europe/Rome", "reduced_motion": "reduce"}
        opened.append(browser.new_context(**(defaults | options)))
        opened[-1].set_default_timeout(30_000)
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The address of a desk with the sample, served by a process of its own."""
    folder, port = tmp_path_factory.mktemp("desk"), free_port()
    command = [sys.executable, "-m", "tests.e2e.sample", str(folder), str(port)]
    log = (folder / "log").open("w")
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def wait_for(address, server):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail("The desk did not start.")


@pytest.fixture
def signed_in(desk, context_of):
    """Open a page as one of the sample's people."""

    def open_as(name, **options):
        page = context_of(base_url=desk, **options).new_page()
        page.goto("/sign-in")
        page.get_by_label("E-mail, phone number or customer ID").fill(f"{name}@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button").click()
        page.wait_for_url("**/tickets*")
        return page

    return open_as
