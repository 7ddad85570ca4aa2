import os
import shutil

import pytest
from playwright.sync_api import sync_playwright
from tests.e2e.browser import FLAGS, WIDE


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
        return opened[-1]

    yield open_context
    for context in opened:
        context.close()
