"""What holds on every page: no axe violation, no complaint of the browser, nothing wider than a phone, small enough."""

import pytest
from tests.e2e.browser import NARROW, WIDE, complaints, overflow, violations

pytestmark = pytest.mark.browser

PUBLIC = ["/portal", "/sign-in", "/register", "/nowhere"]
CUSTOMER = [
    "/portal/tickets",
    "/portal/tickets?show=finished",
    "/portal/tickets/new",
    "/portal/tickets/1001",
    "/profile",
]
DESK = [
    "/desk/tickets", "/desk/tickets?view=all&status=OPEN&priority=P1", "/desk/tickets?view=all&q=nowhereatall",
    "/desk/tickets/1001", "/desk/tickets/1003", "/desk/tickets/1005", "/desk/tickets/new", "/desk/tickets/1001/edit",
    "/profile", "/desk/sync", "/desk/sync/links", "/desk/sync/links?waiting=1", "/desk/tickets/1010",
    "/desk/tickets/99999999",
]  # fmt: skip
BUDGETS = {
    "sara": {".css": 15_000, ".js": 40_000, ".woff2": 55_000},
    "anna": {".css": 15_000, ".js": 5_000, ".woff2": 55_000},
}
PAGE_BUDGET, TOTAL_BUDGET = {"sara": 40_000, "anna": 15_000}, {"sara": 130_000, "anna": 80_000}
REQUESTS = {"sara": 12, "anna": 8}


def visit(page, path, said):
    """Go to a page; a missing page's own 404 is the one complaint that is meant."""
    status = page.goto(path).status
    if status == 404:
        said[:] = [line for line in said if "404" not in line]
    return status


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violations_and_no_complaints(desk, context_of, signed_in, scheme, viewport):
    options = {"color_scheme": scheme, "viewport": viewport}
    visitor = context_of(base_url=desk, **options).new_page()
    found = {}
    for page, paths in (
        (visitor, PUBLIC),
        (signed_in("anna", **options), CUSTOMER),
        (signed_in("max", **options), DESK),
    ):
        said = complaints(page)
        for path in paths:
            visit(page, path, said)
            found[path] = [*violations(page), *said, *(["too wide"] if overflow(page) else [])]
            said.clear()
    assert {path: faults for path, faults in found.items() if faults} == {}


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_where_the_monitor_leads_an_administrator_has_no_violations(signed_in, viewport):
    """The monitor with everything on it, a failure to mend, and setting a connection up: new, refused, tried."""
    page = signed_in("ada", viewport=viewport)
    said = complaints(page)
    found = {}

    def look(at):
        faults = [*violations(page), *(["too wide"] if overflow(page) else [])]
        found[at] = [*faults, *(line for line in said if "422" not in line)]  # what a refused form answers
        said.clear()

    page.goto("/desk/sync")
    look("monitor")
    page.get_by_role("link", name="Edit and try again").first.click()
    look("failure")
    page.get_by_label("Subject").fill("")
    page.get_by_role("button", name="Save and try again").click()
    look("failure, refused")
    page.goto("/desk/sync/connections/new")
    look("new")
    page.get_by_role("button", name="Add as a draft").click()
    look("new, refused")
    page.goto("/desk/sync")
    page.get_by_role("link", name="Set up Plant Polarion").click()
    look("connection")
    page.get_by_role("button", name="Test").click()
    look("connection, tried")
    page.get_by_role("button", name="Rehearse").click()
    look("connection, rehearsed")
    assert {at: faults for at, faults in found.items() if faults} == {}


@pytest.mark.parametrize("language", ["en", "de", "it"])
def test_reflow_at_320_pixels(desk, context_of, signed_in, language):
    options = {"viewport": {"width": 320, "height": 640}}
    visitor = context_of(base_url=desk, locale=language, **options).new_page()
    customer = signed_in({"en": "anna", "de": "jonas", "it": "luca"}[language], **options)
    agent = signed_in({"en": "sara", "de": "tom", "it": "lea"}[language], **options)
    wide = []
    for page, paths in ((visitor, PUBLIC), (customer, CUSTOMER[:3]), (agent, DESK[:-1])):
        for path in paths:
            page.goto(path)
            if overflow(page):
                wide.append((path, overflow(page)))
    assert wide == []


@pytest.mark.parametrize(
    ("path", "opener"),
    [
        ("/desk/tickets/1001", "Status"),
        ("/desk/tickets/1001", "Resolve…"),
        ("/desk/tickets/1001", "Assign…"),
        ("/desk/tickets?view=all", "Filters"),
        ("/desk/tickets", "Max Huber"),
    ],
)
def test_what_opens_has_no_violations(signed_in, path, opener):
    page = signed_in("max")
    page.goto(path)
    if opener == "Status":
        page.locator("[popovertarget=status-menu]").click()
    else:
        page.get_by_text(opener, exact=True).first.click()
    assert violations(page) == []
    assert overflow(page) == 0


def test_targets_are_large_enough_for_a_finger(signed_in):
    page = signed_in("max", viewport=NARROW, has_touch=True)
    small = []
    for path in DESK[:7]:
        page.goto(path)
        small += page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')]
              .filter(e => e.checkVisibility() && !e.closest('p, .prose, .msg, .happened, .vh, .skip, .seg'))
              .map(e => [e.outerHTML.slice(0, 80), (e.closest('label') ?? e).getBoundingClientRect()])
              .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)"""
        )
    assert small == []


def settled(page):
    """Return once everything is loaded and laid out; the live stream goes on."""
    page.wait_for_load_state("load")
    page.evaluate(
        """() => document.fonts.ready.then(() => new Promise(
          done => requestAnimationFrame(() => requestAnimationFrame(done))))"""
    )


@pytest.mark.parametrize(("who", "path"), [("sara", "/desk/tickets?view=all"), ("anna", "/portal/tickets/1001")])
def test_budgets(signed_in, who, path):
    page = signed_in(who)
    page.goto(path)
    settled(page)
    sizes = dict(
        page.evaluate(
            """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
              .map(entry => [new URL(entry.name).pathname, entry.encodedBodySize])"""
        )
    )
    weights = {kind: sum(size for name, size in sizes.items() if name.endswith(kind)) for kind in BUDGETS[who]}
    assert {kind: size for kind, size in weights.items() if size > BUDGETS[who][kind]} == {}
    assert sizes[path.partition("?")[0]] <= PAGE_BUDGET[who]
    assert sum(sizes.values()) <= TOTAL_BUDGET[who]
    assert len(sizes) <= REQUESTS[who]


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_moves_while_a_page_loads(signed_in, viewport):
    page = signed_in("sara", viewport=viewport)
    page.add_init_script(
        """self.moved = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) self.moved += e.value })
           .observe({type: 'layout-shift', buffered: true})"""
    )
    for path in ("/desk/tickets?view=all", "/desk/tickets/1001"):
        page.goto(path)
        settled(page)
        assert page.evaluate("self.moved") <= 0.02


def test_a_ticket_prints_as_a_record(signed_in):
    page = signed_in("sara")
    page.goto("/desk/tickets/1001")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.locator(".msg").first.is_visible()
    assert page.get_by_text("Requester", exact=True).is_visible()
    for hidden in (".nav", ".composer", ".tabbar", ".action"):
        assert not page.locator(hidden).first.is_visible()


def test_the_api_is_described_without_the_internet(desk, context_of):
    for path in ("/docs", "/redoc"):
        page = context_of(base_url=desk).new_page()
        said, asked = complaints(page), []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path)
        page.get_by_text("/api/v1/tickets").first.wait_for()
        assert [address for address in asked if not address.startswith((desk, "data:", "blob:"))] == []
        assert said == []
