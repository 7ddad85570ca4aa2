"""Who gets what from each route, and at what cost: the one table, which tests hold and the reference page shows.

A new route gets its line here and, unless it is a GET without a body, its request in `requests.py`.

The callers: `nobody` is signed in; a `customer` and a `stranger`, who is another one; an `agent`, a `colleague` of the
same team and an `outsider` of another; their `lead`; a `manager`; an `admin`. A `{id}` stands for something of theirs:
a ticket that the customer requested and the agent works on (OPEN, in the team of agent, colleague and lead), a message,
time entry, shared view or token of the agent's, the customer as a user, the agent as an agent.

A cell says `yes` or the status of the refusal. Last comes how many SQL statements the route may take for any of them.
"""

from dataclasses import dataclass

CALLERS = ("nobody", "customer", "stranger", "agent", "colleague", "outsider", "lead", "manager", "admin")

TABLE = """
GET    /api/v1/agents                           401 403 403 yes yes yes yes yes yes   4
POST   /api/v1/agents                           401 403 403 403 403 403 403 403 yes  11
GET    /api/v1/agents/performance               401 403 403 yes yes yes yes yes yes   3
GET    /api/v1/agents/{id}                      401 403 403 yes yes yes yes yes yes   3
PUT    /api/v1/agents/{id}                      401 404 404 yes 403 403 403 403 yes   7
PATCH  /api/v1/agents/{id}                      401 404 404 yes 403 403 403 403 yes   7
DELETE /api/v1/agents/{id}                      401 403 403 403 403 403 403 403 yes   9
GET    /api/v1/attachments/{id}                 401 yes 404 yes yes yes yes yes yes   2
DELETE /api/v1/attachments/{id}                 401 403 404 yes 403 403 403 403 yes  10
POST   /api/v1/auth/login                       yes yes yes yes yes yes yes yes yes  14
POST   /api/v1/auth/logout                      401 yes yes yes yes yes yes yes yes   1
GET    /api/v1/auth/me                          401 yes yes yes yes yes yes yes yes   3
POST   /api/v1/auth/refresh                     yes yes yes yes yes yes yes yes yes   5
POST   /api/v1/auth/register                    yes yes yes yes yes yes yes yes yes   6
GET    /api/v1/auth/tokens                      401 yes yes yes yes yes yes yes yes   2
POST   /api/v1/auth/tokens                      401 yes yes yes yes yes yes yes yes   3
DELETE /api/v1/auth/tokens/{id}                 401 404 404 yes 404 404 404 404 404   2
GET    /api/v1/calendars                        401 403 403 yes yes yes yes yes yes   2
POST   /api/v1/calendars                        401 403 403 403 403 403 403 403 yes   4
GET    /api/v1/calendars/{id}                   401 403 403 yes yes yes yes yes yes   2
PUT    /api/v1/calendars/{id}                   401 403 403 403 403 403 403 403 yes   6
DELETE /api/v1/calendars/{id}                   401 403 403 403 403 403 403 403 yes   4
GET    /api/v1/categories                       401 yes yes yes yes yes yes yes yes   2
POST   /api/v1/categories                       401 403 403 403 403 403 403 403 yes   5
GET    /api/v1/categories/{id}                  401 yes yes yes yes yes yes yes yes   2
PUT    /api/v1/categories/{id}                  401 403 403 403 403 403 403 403 yes   4
PATCH  /api/v1/categories/{id}                  401 403 403 403 403 403 403 403 yes   4
DELETE /api/v1/categories/{id}                  401 403 403 403 403 403 403 403 yes   3
PUT    /api/v1/comments/{id}                    401 403 404 yes 403 403 403 403 403  15
DELETE /api/v1/comments/{id}                    401 403 404 yes 403 403 403 403 yes  13
POST   /api/v1/messages                         401 yes 404 yes yes yes yes yes yes  15
GET    /api/v1/messages/ticket/{id}             401 yes 404 yes yes yes yes yes yes   4
GET    /api/v1/messages/ticket/{id}/timeline    401 yes 404 yes yes yes yes yes yes   5
PUT    /api/v1/messages/{id}                    401 403 404 yes 403 403 403 403 403  15
DELETE /api/v1/messages/{id}                    401 403 404 yes 403 403 403 403 yes  13
POST   /api/v1/portal/tickets                   401 yes yes yes yes yes yes yes yes  15
GET    /api/v1/portal/tickets/{number}          401 yes 404 404 404 404 404 404 404   3
GET    /api/v1/reports/categories               401 403 403 yes yes yes yes yes yes   3
GET    /api/v1/reports/resolution-time          401 403 403 yes yes yes yes yes yes   2
GET    /api/v1/reports/tickets-by-period        401 403 403 yes yes yes yes yes yes   6
GET    /api/v1/search                           401 yes yes yes yes yes yes yes yes   4
GET    /api/v1/sla-policies                     401 403 403 yes yes yes yes yes yes   2
POST   /api/v1/sla-policies                     401 403 403 403 403 403 403 403 yes   5
GET    /api/v1/sla-policies/{id}                401 403 403 yes yes yes yes yes yes   2
PUT    /api/v1/sla-policies/{id}                401 403 403 403 403 403 403 403 yes   7
DELETE /api/v1/sla-policies/{id}                401 403 403 403 403 403 403 403 yes   2
GET    /api/v1/stream                           401 yes yes yes yes yes yes yes yes   9
GET    /api/v1/sync/conflicts                   401 403 403 yes yes yes yes yes yes   2
POST   /api/v1/sync/conflicts/{id}/settle       401 403 404 yes 403 403 yes yes yes  14
GET    /api/v1/sync/connections                 401 403 403 403 403 403 yes yes yes   2
POST   /api/v1/sync/connections                 401 403 403 403 403 403 403 403 yes   6
GET    /api/v1/sync/connections/{id}            401 403 403 403 403 403 yes yes yes   2
PATCH  /api/v1/sync/connections/{id}            401 403 403 403 403 403 403 403 yes   7
DELETE /api/v1/sync/connections/{id}            401 403 403 403 403 403 403 403 yes   6
POST   /api/v1/sync/connections/{id}/activate   401 403 403 403 403 403 403 403 yes  10
GET    /api/v1/sync/connections/{id}/mapping    401 403 403 403 403 403 yes yes yes   2
PUT    /api/v1/sync/connections/{id}/mapping    401 403 403 403 403 403 403 403 yes   6
POST   /api/v1/sync/connections/{id}/pause      401 403 403 403 403 403 403 yes yes   6
POST   /api/v1/sync/connections/{id}/rehearsal  401 403 403 403 403 403 403 403 yes  46
POST   /api/v1/sync/connections/{id}/resume     401 403 403 403 403 403 403 yes yes  10
POST   /api/v1/sync/connections/{id}/test       401 403 403 403 403 403 403 403 yes  16
GET    /api/v1/sync/failures                    401 403 403 403 403 403 yes yes yes   2
POST   /api/v1/sync/failures/{id}/discard       401 403 403 403 403 403 403 yes yes   8
POST   /api/v1/sync/failures/{id}/keep         401 403 403 403 403 403 403 yes yes  12
POST   /api/v1/sync/failures/{id}/retry         401 403 403 403 403 403 403 yes yes   8
GET    /api/v1/sync/links                       401 403 403 403 403 403 yes yes yes   2
POST   /api/v1/sync/links                       401 403 404 yes 403 403 yes yes yes   9
DELETE /api/v1/sync/links/{id}                  401 403 404 yes 403 403 yes yes yes   9
POST   /api/v1/sync/links/{id}/pause            401 403 404 yes 403 403 yes yes yes   6
POST   /api/v1/sync/links/{id}/relink           401 403 404 yes 403 403 yes yes yes   6
GET    /api/v1/sync/status                      401 403 403 403 403 403 yes yes yes   6
GET    /api/v1/teams                            401 403 403 yes yes yes yes yes yes   3
POST   /api/v1/teams                            401 403 403 403 403 403 403 403 yes  11
GET    /api/v1/teams/{id}                       401 403 403 yes yes yes yes yes yes   3
PUT    /api/v1/teams/{id}                       401 403 403 403 403 403 403 403 yes   8
PATCH  /api/v1/teams/{id}                       401 403 403 403 403 403 403 403 yes  11
DELETE /api/v1/teams/{id}                       401 403 403 403 403 403 403 403 yes   5
GET    /api/v1/tickets                          401 yes yes yes yes yes yes yes yes   2
POST   /api/v1/tickets                          401 yes yes yes yes yes yes yes yes  12
GET    /api/v1/tickets/analytics/aging          401 403 403 yes yes yes yes yes yes   2
GET    /api/v1/tickets/analytics/sla-adherence  401 403 403 yes yes yes yes yes yes   2
POST   /api/v1/tickets/bulk                     401 yes yes yes yes yes yes yes yes  12
GET    /api/v1/tickets/{id}                     401 yes 404 yes yes yes yes yes yes   2
PUT    /api/v1/tickets/{id}                     401 403 404 yes 403 403 yes yes yes  11
PATCH  /api/v1/tickets/{id}                     401 403 404 yes 403 403 yes yes yes  11
DELETE /api/v1/tickets/{id}                     401 403 404 403 403 403 403 403 yes   9
PUT    /api/v1/tickets/{id}/assign              401 403 404 yes 403 403 yes yes yes  16
GET    /api/v1/tickets/{id}/attachments         401 yes 404 yes yes yes yes yes yes   3
POST   /api/v1/tickets/{id}/attachments         401 yes 404 yes yes yes yes yes yes  11
POST   /api/v1/tickets/{id}/close               401 yes 404 yes 403 403 yes yes yes  10
GET    /api/v1/tickets/{id}/comments            401 yes 404 yes yes yes yes yes yes   4
POST   /api/v1/tickets/{id}/comments            401 yes 404 yes yes yes yes yes yes  15
POST   /api/v1/tickets/{id}/escalate            401 403 404 yes 403 403 yes yes yes   9
GET    /api/v1/tickets/{id}/history             401 yes 404 yes yes yes yes yes yes   3
GET    /api/v1/tickets/{id}/links               401 403 404 yes yes yes yes yes yes   3
GET    /api/v1/tickets/{id}/links/timeline      401 403 404 yes yes yes yes yes yes   5
POST   /api/v1/tickets/{id}/merge               401 403 404 yes 403 403 yes yes yes  16
POST   /api/v1/tickets/{id}/rating              401 yes 404 403 403 403 403 403 403   8
PUT    /api/v1/tickets/{id}/read                401 yes 404 yes yes yes yes yes yes   6
DELETE /api/v1/tickets/{id}/read                401 yes 404 yes yes yes yes yes yes   4
GET    /api/v1/tickets/{id}/relations           401 403 404 yes yes yes yes yes yes   4
POST   /api/v1/tickets/{id}/relations           401 403 404 yes yes yes yes yes yes   9
DELETE /api/v1/tickets/{id}/relations           401 403 404 yes yes yes yes yes yes   5
POST   /api/v1/tickets/{id}/reopen              401 yes 404 yes 403 403 yes yes yes   9
POST   /api/v1/tickets/{id}/resolve             401 403 404 yes 403 403 yes yes yes  10
GET    /api/v1/tickets/{id}/sla                 401 403 404 yes yes yes yes yes yes   3
PATCH  /api/v1/tickets/{id}/status              401 403 404 yes 403 403 yes yes yes   9
GET    /api/v1/tickets/{id}/time-entries        401 403 404 yes yes yes yes yes yes   3
POST   /api/v1/tickets/{id}/time-entries        401 403 404 yes yes yes yes yes yes   8
GET    /api/v1/tickets/{id}/timeline            401 yes 404 yes yes yes yes yes yes   5
POST   /api/v1/tickets/{id}/unmerge             401 403 404 yes 403 403 yes yes yes  11
GET    /api/v1/tickets/{id}/watchers            401 403 404 yes yes yes yes yes yes   3
POST   /api/v1/tickets/{id}/watchers            401 403 404 yes yes yes yes yes yes   7
DELETE /api/v1/tickets/{id}/watchers            401 403 404 yes yes yes yes yes yes   3
PATCH  /api/v1/time-entries/{id}                401 404 404 yes 403 403 403 yes yes  10
DELETE /api/v1/time-entries/{id}                401 404 404 yes 403 403 403 yes yes   9
GET    /api/v1/users                            401 403 403 yes yes yes yes yes yes   4
POST   /api/v1/users                            401 403 403 yes yes yes yes yes yes   7
GET    /api/v1/users/{id}                       401 yes 404 yes yes yes yes yes yes   3
PUT    /api/v1/users/{id}                       401 yes 404 403 403 403 403 403 yes   8
PATCH  /api/v1/users/{id}                       401 yes 404 403 403 403 403 403 yes   8
DELETE /api/v1/users/{id}                       401 403 403 403 403 403 403 403 yes   8
GET    /api/v1/views                            401 yes yes yes yes yes yes yes yes   2
POST   /api/v1/views                            401 yes yes yes yes yes yes yes yes   4
GET    /api/v1/views/{id}                       401 404 404 yes yes yes yes yes yes   2
PUT    /api/v1/views/{id}                       401 404 404 yes 403 403 403 403 yes   4
DELETE /api/v1/views/{id}                       401 404 404 yes 403 403 403 403 yes   3
"""


@dataclass(frozen=True)
class Route:
    """One line of the table: by caller `yes` or the status of the refusal, and the most statements it may take."""

    name: str
    cells: dict[str, str]
    statements: int


def _parsed(line: str) -> Route:
    method, path, *cells, statements = line.split()
    return Route(f"{method} {path}", dict(zip(CALLERS, cells, strict=True)), int(statements))


ROUTES = {route.name: route for route in map(_parsed, TABLE.strip().splitlines())}

ENDLESS = {"GET /api/v1/stream"}
"""The routes whose answer has no end; their own tests read them."""

UNGUARDED = {
    "PUT /api/v1/comments/{id}": "only its author changes a message, and there is no reading it alone",
    "PUT /api/v1/messages/{id}": "only its author changes a message, and there is no reading it alone",
    "PUT /api/v1/tickets/{id}/read": "it is the reader's own, and changes nothing of the ticket",
    "PATCH /api/v1/time-entries/{id}": "there is no reading a time entry alone",
}
"""The changes that read no `If-Match`, and why."""
