"""A sound request of each route, about something that was made for it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import update
from tests.factories import PASSWORD, Cast, Factory, MadeTicket

from deskbridge.connectors.registry import shipped_mapping
from deskbridge.kit.api import UNKEYED
from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.kit.sealed import Seal
from deskbridge.people import service as people
from deskbridge.people.actor import SYSTEM, Role
from deskbridge.sla import admin as sla
from deskbridge.sync import connections, failures
from deskbridge.sync import service as sync
from deskbridge.sync.model import (
    ConflictState,
    Connection,
    ConnectionState,
    FailureClass,
    Link,
    LinkState,
    SyncConflict,
)
from deskbridge.tickets import attachments, categories, relations, saved_views, time_entries
from deskbridge.tickets.attachments import Uploads
from deskbridge.tickets.companions import RelationType
from deskbridge.tickets.model import Audience, Priority, Status
from deskbridge.trackers import Trackers

SECRET = "plantedsecret"
"""What stands in everything that agents keep among themselves."""

NOWHERE = "http://127.0.0.1:9"
"""A tracker's address that is never asked: it is not a public one."""

_numbers = count(1)


@dataclass(frozen=True)
class Call:
    """What is sent: the values of the path's parameters, the body (JSON, or a file's bytes), the query."""

    id: object = ""
    json: Any = None
    params: dict[str, str] = field(default_factory=dict)
    file: bytes = b""

    def path(self, template: str) -> str:
        return template.replace("{id}", str(self.id)).replace("{number}", str(self.id))

    @property
    def headers(self) -> dict[str, str]:
        """What the body is."""
        if self.file:
            return {"Content-Type": "multipart/form-data; boundary=part"}
        return {} if self.json is None else {"Content-Type": "application/json"}

    @property
    def body(self) -> bytes:
        """The body as it is sent."""
        if self.file:
            head = b'--part\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
            return head + self.file + b"\r\n--part--\r\n"
        return b"" if self.json is None else json.dumps(self.json).encode()

    @property
    def other_body(self) -> bytes:
        """A body that is as sound and not the same."""
        return replace(self, file=self.file + b".").body if self.file else self.body + b" "


class World:
    """Makes what requests are about; each time anew, for the people of the cast."""

    def __init__(self, make: Factory, cast: Cast, uploads: Uploads) -> None:
        self.make, self.cast, self.write, self.uploads = make, cast, make.database.write, uploads

    def ticket(self, **state: Any) -> MadeTicket:
        """Make a ticket of the customer's that the agent works on, with a note among agents."""
        present = {"status": Status.OPEN, "assignee_id": self.cast.agent.id, "team_id": self.cast.support, **state}
        ticket = self.make.ticket(self.cast.customer, **present)
        self.make.message(self.cast.agent, ticket, f"{SECRET} among agents", Audience.INTERNAL)
        return ticket

    def ref(self, **state: Any) -> int:
        """Make such a ticket and return its number."""
        return self.ticket(**state).number

    def message(self) -> UUID:
        return self.make.message(self.cast.agent, self.ticket(), "Have you tried turning it off and on?")

    def time_entry(self, ticket: MadeTicket | None = None) -> UUID:
        ticket = ticket or self.ticket()
        return self.write(time_entries.log_time, self.cast.agent.actor, ticket.id, 5, SECRET, None).id

    def relation(self, ticket: MadeTicket) -> UUID:
        other = self.ticket()
        return self.write(relations.relate, self.cast.agent.actor, ticket.id, RelationType.RELATES, other.id).id

    def watched(self, ticket: MadeTicket) -> MadeTicket:
        self.write(relations.watch, SYSTEM, ticket.id, self.cast.agent.id)
        return ticket

    def merged(self) -> MadeTicket:
        ticket = self.ticket()
        self.write(relations.merge, SYSTEM, ticket.id, self.ticket().id)
        return ticket

    def attachment(self) -> UUID:
        """Make a file of the agent's that the customer may see, beside one among agents."""
        ticket, agent = self.ticket(), self.cast.agent.actor
        secret = self.uploads.receive(f"{SECRET}.txt", io.BytesIO(SECRET.encode()))
        self.write(attachments.attach, agent, ticket.id, secret, internal=True)
        return self.write(attachments.attach, agent, ticket.id, self._file()).id

    def _file(self) -> attachments.Received:
        return self.uploads.receive("manual.txt", io.BytesIO(b"Turn it off and on."))

    def team(self) -> UUID:
        return self.make.team(new_name("Team"))

    def category(self) -> str:
        key = new_name("KIND").replace(" ", "_")
        self.write(categories.add_category, SYSTEM, key, {"name": key})
        return key

    def policy(self) -> UUID:
        draft = sla.PolicyDraft(new_name("Policy"), Priority.P1, None, self.category(), 10, 20, None)
        return self.write(sla.save_policy, SYSTEM, draft).id

    def calendar(self) -> UUID:
        draft = sla.CalendarDraft(new_name("Calendar"), "Europe/Rome", {"monday": [["09:00", "17:00"]]}, [])
        return self.write(sla.save_calendar, SYSTEM, draft).id

    def view(self) -> UUID:
        name = f"{SECRET} {next(_numbers)}"
        return self.write(saved_views.save_view, self.cast.agent.actor, name, "status=NEW", shared=True).id

    def token(self) -> UUID:
        return self.write(people.create_api_token, self.cast.agent.actor, "script", ["read"], None).id

    def refresh_token(self) -> str:
        return self.write(people.start_token_family, self.cast.customer.id).refresh_token

    def connection(self, state: ConnectionState = ConnectionState.DRAFT) -> UUID:
        """Make a connection whose tracker is nowhere."""
        new = connections.NewConnection(new_name("Tracker"), "jira", NOWHERE, "bearer", SECRET, scope="DESK")
        row = self.write(connections.add_connection, SYSTEM, Seal("s" * 40), Trackers(), new)
        self.write(lambda uow: uow.execute(update(Connection).where(Connection.id == row.id).values(state=state)))
        return row.id

    def link(self, state: LinkState = LinkState.ACTIVE) -> Link:
        """Tie the agent's ticket to a record, over a draft: nothing is filed over it."""
        connection = self.connection()
        link = self.write(sync.link_by_hand, SYSTEM, self.ticket().id, connection, new_name("record"))
        self.write(lambda uow: uow.execute(update(Link).where(Link.id == link.id).values(state=state)))
        return link

    def failure(self) -> UUID:
        id_ = self.link().id
        told = {"field": "summary", "payload": {"summary": SECRET}, "parked": True}
        return self.write(
            lambda uow: failures.note(uow, uow.session.get_one(Link, id_), FailureClass.REJECTED, SECRET, **told)
        ).id

    def conflict(self) -> UUID:
        link = self.link()
        row = SyncConflict(id=new_id(), link_id=link.id, ticket_id=link.ticket_id, field="title", desk=SECRET)
        row.remote, row.winner, row.reason, row.state = "Theirs", "", "both changed", ConflictState.OPEN

        def keep(uow: UnitOfWork) -> UUID:
            row.at = uow.now
            uow.session.add(row)
            return row.id

        return self.write(keep)

    def everything(self) -> None:
        """Make one more of whatever lists show, on a ticket of its own and on one that is there already."""
        ticket = self.watched(self.ticket())
        self.time_entry(ticket)
        self.relation(ticket)
        for thing in (
            self.message,
            self.attachment,
            self.team,
            self.policy,
            self.calendar,
            self.view,
            self.token,
            self.failure,
            self.conflict,
        ):
            thing()
        self.make.person()
        self.make.person(Role.AGENT, teams=[self.cast.support])


def new_name(kind: str) -> str:
    """Return a name that nothing has yet."""
    return f"{kind} {next(_numbers)}"


def email() -> str:
    return f"somebody{next(_numbers)}@example.net"


WEEK = {"monday": [["09:00", "17:00"]]}
TEXT = {"title": "VPN drops", "description": "Often", "category": "INCIDENT"}

REQUESTS: dict[str, Callable[[World], Call]] = {
    # Signing in
    "POST /api/v1/auth/login": lambda w: Call(json={"username": w.cast.customer.email, "password": PASSWORD}),
    "POST /api/v1/auth/refresh": lambda w: Call(json={"refresh_token": w.refresh_token()}),
    "POST /api/v1/auth/logout": lambda w: Call(json={}),
    "POST /api/v1/auth/register": lambda w: Call(json={"name": "N", "email": email(), "password": PASSWORD}),
    "POST /api/v1/auth/tokens": lambda w: Call(json={"name": "script"}),
    "DELETE /api/v1/auth/tokens/{id}": lambda w: Call(w.token()),
    # Tickets
    "POST /api/v1/tickets": lambda w: Call(json=TEXT),
    "POST /api/v1/tickets/bulk": lambda w: Call(json={"tickets": [str(w.ref())], "priority": "P1"}),
    "PUT /api/v1/tickets/{id}/read": lambda w: Call(w.ref()),
    "DELETE /api/v1/tickets/{id}/read": lambda w: Call(w.ref()),
    "PUT /api/v1/tickets/{id}": lambda w: Call(w.ref(), TEXT),
    "PATCH /api/v1/tickets/{id}": lambda w: Call(w.ref(), {"title": "VPN drops"}),
    "DELETE /api/v1/tickets/{id}": lambda w: Call(w.ref()),
    "PUT /api/v1/tickets/{id}/assign": lambda w: Call(w.ref(), {"assignee_id": None, "notes": "Back"}),
    "PATCH /api/v1/tickets/{id}/status": lambda w: Call(w.ref(), {"status": "IN_PROGRESS"}),
    "POST /api/v1/tickets/{id}/resolve": lambda w: Call(w.ref(), {"resolution_notes": "Put out."}),
    "POST /api/v1/tickets/{id}/close": lambda w: Call(w.ref(), {"reason": "Done"}),
    "POST /api/v1/tickets/{id}/reopen": lambda w: Call(w.ref(status=Status.RESOLVED), {"reason": "It burns again"}),
    "POST /api/v1/tickets/{id}/escalate": lambda w: Call(w.ref(status=Status.IN_PROGRESS), {"reason": "Urgent"}),
    "POST /api/v1/tickets/{id}/rating": lambda w: Call(w.ref(status=Status.RESOLVED), {"score": 5}),
    "POST /api/v1/tickets/{id}/merge": lambda w: Call(w.ref(), {"into": str(w.ref())}),
    "POST /api/v1/tickets/{id}/unmerge": lambda w: Call(w.merged().number),
    "POST /api/v1/tickets/{id}/relations": lambda w: Call(w.ref(), {"type": "RELATES", "ticket": str(w.ref())}),
    "DELETE /api/v1/tickets/{id}/relations": lambda w: _unrelate(w, w.ticket()),
    "POST /api/v1/tickets/{id}/watchers": lambda w: Call(w.ref(), {"user_id": str(w.cast.colleague.id)}),
    "DELETE /api/v1/tickets/{id}/watchers": lambda w: Call(
        w.watched(w.ticket()).number, params={"user_id": str(w.cast.agent.id)}
    ),
    "POST /api/v1/tickets/{id}/time-entries": lambda w: Call(w.ref(), {"minutes": 5, "note": "Looked"}),
    "PATCH /api/v1/time-entries/{id}": lambda w: Call(w.time_entry(), {"minutes": 6}),
    "DELETE /api/v1/time-entries/{id}": lambda w: Call(w.time_entry()),
    "POST /api/v1/portal/tickets": lambda w: Call(json=TEXT),
    "GET /api/v1/portal/tickets/{number}": lambda w: Call(w.ref()),
    # Conversation
    "POST /api/v1/tickets/{id}/comments": lambda w: Call(w.ref(), {"content": "Hello"}),
    "PUT /api/v1/comments/{id}": lambda w: Call(w.message(), {"content": "Hello again"}),
    "DELETE /api/v1/comments/{id}": lambda w: Call(w.message()),
    "POST /api/v1/tickets/{id}/attachments": lambda w: Call(w.ref(), file=b"Hello"),
    "GET /api/v1/attachments/{id}": lambda w: Call(w.attachment()),
    "DELETE /api/v1/attachments/{id}": lambda w: Call(w.attachment()),
    "POST /api/v1/messages": lambda w: Call(json={"ticket_id": str(w.ref()), "content": "Hello"}),
    "PUT /api/v1/messages/{id}": lambda w: Call(w.message(), {"content": "Hello again"}),
    "DELETE /api/v1/messages/{id}": lambda w: Call(w.message()),
    "GET /api/v1/search": lambda w: Call(params={"q": SECRET}),
    # People
    "POST /api/v1/users": lambda w: Call(json={"name": "N", "email": email()}),
    "GET /api/v1/users/{id}": lambda w: Call(w.cast.customer.id),
    "PUT /api/v1/users/{id}": lambda w: Call(w.cast.customer.id, {"name": "Carla Customer"}),
    "PATCH /api/v1/users/{id}": lambda w: Call(w.cast.customer.id, {"address": "Bolzano"}),
    "DELETE /api/v1/users/{id}": lambda w: Call(w.make.person().id),
    "POST /api/v1/agents": lambda w: Call(json={"name": "N", "email": email(), "skills": ["vpn"]}),
    "GET /api/v1/agents/{id}": lambda w: Call(w.cast.agent.id),
    "PUT /api/v1/agents/{id}": lambda w: Call(w.cast.agent.id, {"name": "Anna Agent"}),
    "PATCH /api/v1/agents/{id}": lambda w: Call(w.cast.agent.id, {"available": False}),
    "DELETE /api/v1/agents/{id}": lambda w: Call(w.make.person(Role.AGENT).id),
    "POST /api/v1/teams": lambda w: Call(json={"name": new_name("Team"), "member_ids": [str(w.cast.agent.id)]}),
    "GET /api/v1/teams/{id}": lambda w: Call(w.team()),
    "PUT /api/v1/teams/{id}": lambda w: Call(w.team(), {"name": new_name("Team")}),
    "PATCH /api/v1/teams/{id}": lambda w: Call(w.team(), {"member_ids": [str(w.cast.agent.id)]}),
    "DELETE /api/v1/teams/{id}": lambda w: Call(w.team()),
    # What administrators define
    "POST /api/v1/categories": lambda w: Call(json={"key": new_name("KIND").replace(" ", "_"), "name": "Kind"}),
    "GET /api/v1/categories/{id}": lambda w: Call(w.category()),
    "PUT /api/v1/categories/{id}": lambda w: Call(w.category(), {"name": "Kind"}),
    "PATCH /api/v1/categories/{id}": lambda w: Call(w.category(), {"position": 3}),
    "DELETE /api/v1/categories/{id}": lambda w: Call(w.category()),
    "POST /api/v1/sla-policies": lambda w: Call(json={"name": "P", "priority": "P1", "category": w.category()}),
    "GET /api/v1/sla-policies/{id}": lambda w: Call(w.policy()),
    "PUT /api/v1/sla-policies/{id}": lambda w: Call(
        w.policy(), {"name": "P", "priority": "P1", "category": w.category()}
    ),
    "DELETE /api/v1/sla-policies/{id}": lambda w: Call(w.policy()),
    "POST /api/v1/calendars": lambda w: Call(
        json={"name": new_name("Calendar"), "time_zone": "Europe/Rome", "week": WEEK}
    ),
    "GET /api/v1/calendars/{id}": lambda w: Call(w.calendar()),
    "PUT /api/v1/calendars/{id}": lambda w: Call(
        w.calendar(), {"name": new_name("Calendar"), "time_zone": "Europe/Rome", "week": WEEK}
    ),
    "DELETE /api/v1/calendars/{id}": lambda w: Call(w.calendar()),
    # Sync
    "POST /api/v1/sync/connections": lambda w: Call(
        json={"name": new_name("Jira"), "kind": "jira", "base_url": NOWHERE, "way": "bearer", "secret": "s"}
    ),
    "GET /api/v1/sync/connections/{id}": lambda w: Call(w.connection()),
    "PATCH /api/v1/sync/connections/{id}": lambda w: Call(w.connection(), {"name": new_name("Jira")}),
    "DELETE /api/v1/sync/connections/{id}": lambda w: Call(w.connection()),
    "GET /api/v1/sync/connections/{id}/mapping": lambda w: Call(w.connection()),
    "PUT /api/v1/sync/connections/{id}/mapping": lambda w: Call(w.connection(), {"text": shipped_mapping("jira")}),
    "POST /api/v1/sync/connections/{id}/test": lambda w: Call(w.connection()),
    "POST /api/v1/sync/connections/{id}/rehearsal": lambda w: Call(w.connection()),
    "POST /api/v1/sync/connections/{id}/activate": lambda w: Call(w.connection(ConnectionState.REHEARSED)),
    "POST /api/v1/sync/connections/{id}/pause": lambda w: Call(w.connection(ConnectionState.ACTIVE)),
    "POST /api/v1/sync/connections/{id}/resume": lambda w: Call(w.connection(ConnectionState.PAUSED)),
    "POST /api/v1/sync/links": lambda w: Call(
        json={"ticket": str(w.ref()), "connection_id": str(w.connection()), "remote_id": new_name("record")}
    ),
    "DELETE /api/v1/sync/links/{id}": lambda w: Call(w.link().id),
    "POST /api/v1/sync/links/{id}/pause": lambda w: Call(w.link().id),
    "POST /api/v1/sync/links/{id}/relink": lambda w: Call(w.link(LinkState.PAUSED).id),
    "POST /api/v1/sync/conflicts/{id}/settle": lambda w: Call(w.conflict(), {"choice": "desk"}),
    "POST /api/v1/sync/failures/{id}/retry": lambda w: Call(w.failure(), {}),
    "POST /api/v1/sync/failures/{id}/discard": lambda w: Call(w.failure(), {"reason": "Not worth it"}),
    "POST /api/v1/views": lambda w: Call(json={"name": "Mine", "query": "status=NEW"}),
    "GET /api/v1/views/{id}": lambda w: Call(w.view()),
    "PUT /api/v1/views/{id}": lambda w: Call(w.view(), {"name": SECRET, "query": "", "shared": True}),
    "DELETE /api/v1/views/{id}": lambda w: Call(w.view()),
}


def _unrelate(world: World, ticket: MadeTicket) -> Call:
    return Call(ticket.number, params={"relation_id": str(world.relation(ticket))})


def request_of(name: str, world: World) -> Call:
    """Return a sound request of a route; of one that only reads, about a ticket if it names something."""
    if name in REQUESTS:
        return REQUESTS[name](world)
    assert name.startswith("GET "), f"{name} needs a request in tests/meta/requests.py"
    return Call(world.ref() if "{id}" in name else "")


def is_keyed(method: str, operation: dict[str, Any]) -> bool:
    """Tell whether an operation promises to happen once per `Idempotency-Key`."""
    return method != "GET" and UNKEYED not in operation
