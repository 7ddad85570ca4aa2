"""Lists: what a filter finds, in which order, page after page, and at what cost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.factories import Cast, Factory, MadeTicket
from tests.support.http import Api
from tests.support.statements import counted

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.people.actor import Role
from deskbridge.tickets import queries
from deskbridge.tickets.model import NEVER, Priority, Status, Ticket
from deskbridge.tickets.queries import Order, SortBy

DAY = datetime(2026, 11, 1, tzinfo=UTC)


def numbers(api: Api, query: str = "") -> list[int]:
    answer = api.get(f"/tickets{query}")
    assert answer.status_code == 200, answer.text
    return [item["number"] for item in answer.json()["items"]]


def all_pages(api: Api, query: str, between: Callable[[], Any] = lambda: None) -> list[int]:
    """Return the numbers on all pages of a list, in order; `between` happens after each page."""
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get(f"/tickets?{query}&cursor={cursor}" if cursor else f"/tickets?{query}").json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        between()
    return seen


# Orders and pages

ORACLE: dict[SortBy, Callable[[Ticket], Any]] = {
    SortBy.CREATED_AT: lambda t: t.created_at,
    SortBy.UPDATED_AT: lambda t: t.updated_at,
    SortBy.ACTIVITY_AT: lambda t: t.activity_at,
    SortBy.PRIORITY: lambda t: t.priority,
    SortBy.NUMBER: lambda t: t.number,
    SortBy.RESOLUTION_DUE_AT: lambda t: t.resolution_due_at or NEVER,
}


def some_with_ties(make: Factory, cast: Cast) -> list[Ticket]:
    """Return tickets of which several share each time and priority, and several have no due date."""
    made = []
    for n in range(14):
        due = DAY + timedelta(days=n % 3, microseconds=n % 2) if n % 4 else None
        ticket = make.ticket(
            cast.customer,
            priority=list(Priority)[n % 3],
            created_at=DAY + timedelta(microseconds=n // 4),
            updated_at=DAY + timedelta(seconds=-(n % 4)),
            activity_at=DAY,
            resolution_due_at=due,
            resolution_due_key=due or NEVER,
        )
        made.append(make.row(ticket))
    return made


@pytest.mark.database
def test_every_order_is_right_and_pages_leave_nothing_out(api: Api, make: Factory, cast: Cast) -> None:
    """In both directions, over ties and missing due dates, with pages of one, of several, and one past the end."""
    tickets, agent = some_with_ties(make, cast), api.as_(cast.agent)
    for sort_by, key in ORACLE.items():
        for order in Order:
            expected = sorted(tickets, key=lambda t, key=key: (key(t), t.id), reverse=order is Order.DESC)
            for limit in (4, 14):
                found = all_pages(agent, f"sort_by={sort_by}&order={order}&limit={limit}")
                assert found == [ticket.number for ticket in expected], (sort_by, order, limit)
    assert all_pages(agent, "sort_by=activity_at&limit=1") == all_pages(agent, "sort_by=activity_at")


def test_the_newest_come_first_unless_asked_otherwise(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    made = []
    for _ in range(3):
        made.append(make.ticket(cast.customer).number)
        clock.advance(timedelta(seconds=1))
    assert numbers(api.as_(cast.customer)) == made[::-1]
    assert numbers(api.as_(cast.customer), "?order=asc") == made


@pytest.mark.parametrize(("order", "first"), [("asc", "P1"), ("desc", "P4")])
def test_ascending_priority_begins_with_critical(api: Api, make: Factory, cast: Cast, order: str, first: str) -> None:
    for priority in (Priority.P3, Priority.P1, Priority.P4):
        make.ticket(cast.customer, priority=priority)
    items = api.as_(cast.agent).get(f"/tickets?sort_by=priority&order={order}").json()["items"]
    assert items[0]["priority"] == first


def test_what_arrives_while_one_reads_moves_nothing(api: Api, make: Factory, cast: Cast, clock: ManualClock) -> None:
    made = []
    for _ in range(6):
        clock.advance(timedelta(seconds=1))
        made.append(make.ticket(cast.customer).number)

    def arrive() -> None:
        clock.advance(timedelta(seconds=1))
        make.ticket(cast.customer)

    assert all_pages(api.as_(cast.agent), "limit=2", between=arrive) == made[::-1]


def test_numbered_pages_for_small_sets(api: Api, make: Factory, cast: Cast) -> None:
    made = [make.ticket(cast.customer).number for _ in range(5)]
    agent = api.as_(cast.agent)
    pages = [numbers(agent, f"?sort_by=number&order=asc&page={page}&per_page=2") for page in (1, 2, 3, 4)]
    assert pages == [made[:2], made[2:4], made[4:], []]


# Filters


@pytest.mark.database
def test_each_filter_finds_its_tickets(api: Api, make: Factory, cast: Cast) -> None:
    def ticket(**state: Any) -> int:
        return make.ticket(cast.customer, **{"created_at": DAY, "updated_at": DAY, **state}).number

    plain = ticket()
    found = {
        "status=OPEN": [ticket(status=Status.OPEN)],
        "priority=P1": [ticket(priority=Priority.P1)],
        "category=BUG": [ticket(category="BUG")],
        f"assignee={cast.agent.id}": [ticket(assignee_id=cast.agent.id)],
        f"team={cast.support}": [ticket(team_id=cast.support)],
        f"requester={cast.stranger.id}": [make.ticket(cast.stranger, created_at=DAY, updated_at=DAY).number],
        "tag=vpn": [ticket(tags=["vpn", "x"])],
        "external_ref=INC0000045": [ticket(external_ref="INC0000045")],
        "breached=true": [ticket(response_breached=True), ticket(resolution_breached=True)],
        "created_from=2026-11-02T00:00:00Z": [ticket(created_at=DAY + timedelta(days=1))],
        "created_to=2026-11-01T00:00:00Z": [ticket(created_at=DAY - timedelta(microseconds=1))],
        "updated_from=2026-11-02T01:00:00%2B01:00": [ticket(updated_at=DAY + timedelta(days=1))],
        "updated_to=2026-11-01T00:00:00Z": [ticket(updated_at=DAY - timedelta(microseconds=1))],
    }
    agent = api.as_(cast.agent)
    everything = set(numbers(agent, "?limit=200"))
    for query, expected in found.items():
        assert sorted(numbers(agent, f"?{query}")) == expected, query
        assert agent.get(f"/tickets?{query}&with_total=true").json()["total"] == len(expected)
    for query, several in (
        ("status=OPEN&status=NEW", everything),
        ("priority=P1&priority=P3", everything),
        ("assignee=none", everything - {*found[f"assignee={cast.agent.id}"]}),
        (f"assignee=none&assignee={cast.agent.id}", everything),
        ("team=none", everything - {*found[f"team={cast.support}"]}),
        ("breached=false", everything - {*found["breached=true"]}),
        ("tag=vpn&tag=nothing", {*found["tag=vpn"]}),
        ("status=OPEN&priority=P1", set()),
        ("tag=VPN", set()),
        ("tag=vpn%20", set()),
        ("external_ref=inc0000045", set()),
    ):
        assert set(numbers(agent, f"?{query}&limit=200")) == several, query
    assert plain in everything


def test_a_ticket_with_two_of_the_tags_is_listed_once(api: Api, make: Factory, cast: Cast) -> None:
    ticket = make.ticket(cast.customer, tags=["a", "b"])
    assert numbers(api.as_(cast.agent), "?tag=a&tag=b") == [ticket.number]


@pytest.mark.database
@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"]
)
def test_the_ends_of_time_are_answered(api: Api, make: Factory, cast: Cast, moment: str) -> None:
    """A moment that falls off the calendar in UTC is a bad parameter, any other one filters."""
    ticket = make.ticket(cast.customer)
    answer = api.as_(cast.agent).get(f"/tickets?created_from={quote(moment)}")
    if moment.endswith("Z"):
        expected = [ticket.number] if moment.startswith("0001") else []
        assert [item["number"] for item in answer.json()["items"]] == expected
    else:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "created_from")


BAD_PARAMETERS = {
    "status": ["open", "DONE", ""],
    "priority": ["p1", "5"],
    "assignee": ["me", "1"],
    "team": ["Support"],
    "requester": ["none"],
    "created_from": ["yesterday", "2026-11-01", "2026-11-01T00:00:00", "1e99"],
    "updated_to": ["2026-13-01T00:00:00Z"],
    "breached": ["maybe"],
    "sort_by": ["title", "created_at; DROP TABLE tickets", "CREATED_AT"],
    "order": ["up"],
    "limit": ["0", "-1", "201", "ten", "1.5"],
    "page": ["0", "-1", "x", "201", "9999999999999999999999"],
    "per_page": ["0", "201"],
    "with_total": ["perhaps"],
    "cursor": ["x", "AAAA", "x" * 401, "%00", "💥"],
    "category": ["a%00b"],
    "statu": ["OPEN"],
    "limit ": ["5"],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, values in BAD_PARAMETERS.items() for v in values])
def test_a_bad_parameter_is_named(api: Api, cast: Cast, name: str, value: str) -> None:
    answer = api.as_(cast.agent).get(f"/tickets?{name}={value}")
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["error_code"] == "MALFORMED_REQUEST"
    assert body["errors"][0]["field"].split(".")[0] == name


def test_a_page_never_goes_with_a_cursor(api: Api, make: Factory, cast: Cast) -> None:
    for _ in range(3):
        make.ticket(cast.customer)
    agent = api.as_(cast.agent)
    cursor = agent.get("/tickets?limit=1").json()["next_cursor"]
    assert agent.get(f"/tickets?limit=1&cursor={cursor}&page=1").status_code == 400


# Cursors


@pytest.mark.database
def test_a_cursor_is_good_for_its_own_list_only(api: Api, make: Factory, cast: Cast) -> None:
    for _ in range(3):
        ticket = make.ticket(cast.customer)
        make.message(cast.customer, ticket, "one")
        make.message(cast.customer, ticket, "two")
    agent = api.as_(cast.agent)
    cursor = agent.get("/tickets?limit=1&status=NEW").json()["next_cursor"]
    good = f"/tickets?limit=1&status=NEW&cursor={cursor}"
    assert agent.get(good).status_code == 200
    assert agent.get(good.replace("limit=1", "limit=2")).status_code == 200
    foreign = [
        f"/tickets?limit=1&cursor={cursor}",
        f"/tickets?limit=1&status=OPEN&cursor={cursor}",
        f"/tickets?limit=1&status=NEW&sort_by=updated_at&cursor={cursor}",
        f"/tickets?limit=1&status=NEW&order=asc&cursor={cursor}",
        f"/tickets?limit=1&status=NEW&priority=P3&cursor={cursor}",
        f"{ticket.path}/comments?cursor={cursor}",
        f"{ticket.path}/history?cursor={cursor}",
    ]
    answers = [agent.get(path) for path in foreign] + [
        api.as_(cast.customer).get(good),
        api.as_(cast.manager).get(good),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")
    of_comments = agent.get(f"{ticket.path}/comments?limit=1").json()["next_cursor"]
    assert agent.get(f"{ticket.path}/comments?limit=1&cursor={of_comments}").status_code == 200
    assert agent.get(f"{ticket.path}/history?limit=1&cursor={of_comments}").status_code == 400


@pytest.mark.database
@pytest.mark.parametrize(
    ("sort_by", "position"),
    [
        (SortBy.NUMBER, 10**30),
        (SortBy.NUMBER, 2**31),
        (SortBy.NUMBER, -(2**31) - 1),
        (SortBy.NUMBER, True),
        (SortBy.CREATED_AT, "2026-11-01T00:00:00"),
        (SortBy.CREATED_AT, "0001-01-01T00:00:00+14:00"),
        (SortBy.PRIORITY, "P9"),
        (SortBy.PRIORITY, "\x00"),
        (SortBy.PRIORITY, "x" * 300),
    ],
)
def test_a_forged_position_is_malformed(api: Api, make: Factory, cast: Cast, sort_by: SortBy, position: object) -> None:
    """The right list, an impossible place in it: 400 as for any other cursor that is none."""
    import base64

    import msgspec

    for _ in range(2):
        make.ticket(cast.customer)
    agent = api.as_(cast.agent)
    cursor = agent.get(f"/tickets?limit=1&sort_by={sort_by}").json()["next_cursor"]
    key, _, last = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=="))
    forged = base64.urlsafe_b64encode(msgspec.json.encode([key, position, last])).decode().rstrip("=")
    answer = agent.get(f"/tickets?limit=1&sort_by={sort_by}&cursor={forged}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


# Totals


def test_a_total_is_counted_only_when_asked_for_and_capped(
    api: Api, make: Factory, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        make.ticket(cast.customer)
    agent = api.as_(cast.agent)
    assert set(agent.get("/tickets").json()) == {"items", "next_cursor"}
    page = agent.get("/tickets?with_total=true&limit=1").json()
    assert (page["total"], page["total_capped"]) == (4, False)
    monkeypatch.setattr(queries, "COUNT_CAP", 3)
    queries._ticket_count.cache_clear()
    page = agent.get("/tickets?with_total=true&limit=1").json()
    queries._ticket_count.cache_clear()
    assert (page["total"], page["total_capped"]) == (3, True)


def test_customers_count_their_own_only(api: Api, make: Factory, cast: Cast) -> None:
    make.ticket(cast.customer)
    make.ticket(cast.stranger)
    page = api.as_(cast.customer).get("/tickets?with_total=true").json()
    assert (page["total"], len(page["items"])) == (1, 1)
    answer = api.as_(cast.customer).get(f"/tickets?requester={cast.stranger.id}&with_total=true").json()
    assert (answer["items"], answer["total"]) == ([], 0)


# Cost


@pytest.mark.database
def test_a_list_never_asks_once_per_row(database: Database, api: Api, make: Factory, cast: Cast) -> None:
    def cost(path: str, person: Any) -> int:
        with counted(database) as statements:
            assert caller[person].get(path).status_code == 200
        return len(statements)

    caller = {person: api.as_(person) for person in (cast.agent, cast.customer)}
    ticket = fill(make, cast)
    paths = ["/tickets", "/tickets?with_total=true&tag=a", f"{ticket.path}/comments", f"{ticket.path}/history"]
    before = {(path, person): cost(path, person) for path in paths for person in caller}
    for _ in range(6):
        fill(make, cast)
        make.message(cast.agent, ticket, "More")
    assert {(path, person): cost(path, person) for path in paths for person in caller} == before
    assert before["/tickets", cast.agent] <= 2


def fill(make: Factory, cast: Cast) -> MadeTicket:
    """Make a ticket with everything that a list shows of another table."""
    ticket = make.ticket(cast.customer, assignee_id=make.person(Role.AGENT).id, team_id=make.team(), tags=["a", "b"])
    make.message(cast.customer, ticket, "Hello")
    return ticket


@pytest.mark.database
def test_reading_one_ticket_takes_two_statements(database: Database, api: Api, make: Factory, cast: Cast) -> None:
    """Who is asking, and the ticket with all its names."""
    agent, ticket = api.as_(cast.agent), fill(make, cast)
    agent.get(ticket.path)
    with counted(database) as statements:
        agent.get(ticket.path)
    assert len(statements) == 2, statements


@pytest.mark.database
def test_creating_a_ticket_takes_at_most_twelve_statements(database: Database, api: Api, cast: Cast) -> None:
    """Who asks, who it is for, row, history, event, service level, search and the answer; tags are one more."""
    customer = api.as_(cast.customer)
    new = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}
    customer.post("/tickets", new)
    for body, most in ((new, 12), (new | {"tags": ["vpn", "home"]}, 13)):
        with counted(database) as statements:
            assert customer.post("/tickets", body).status_code == 201
        assert len(statements) <= most, "\n".join(statements)
