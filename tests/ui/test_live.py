"""The module that listens to the stream knows every event there is."""

import re

import deskbridge.wiring  # noqa: F401 - the whole catalogue
from deskbridge.kit.events import CATALOGUE
from deskbridge.tickets.events import TicketEvent
from deskbridge.ui.assets import STATIC

SEEN_BY_NOBODY = {"TicketDeleted"}
"""A deleted ticket is nobody's to hear of."""

SHOWN_NOWHERE = {"PersonMentioned", "TicketRated"}


def test_pages_listen_for_every_event_that_changes_what_they_show() -> None:
    listed = re.search(r"const EVENTS = \[(.*?)\];", (STATIC / "js/live.js").read_text(), re.DOTALL)
    assert listed is not None
    names = set(re.findall(r'"(\w+)"', listed[1]))
    told = {
        name
        for name, kind in CATALOGUE.items()
        if issubclass(kind, TicketEvent) and kind.__module__.startswith("deskbridge")
    }
    assert names == told - SEEN_BY_NOBODY - SHOWN_NOWHERE | {"reset"}
