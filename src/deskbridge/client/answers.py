"""What the API answers. Written by `make docs` from the API's routes; change those instead."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from deskbridge.client.choices import (
    AttachmentState,
    Breaker,
    Channel,
    CommentType,
    ConflictState,
    ConnectionHealth,
    ConnectionState,
    Dispatch,
    Environment,
    FailureClass,
    FailureState,
    HistoryType,
    ImpactLevel,
    LinkState,
    Outcome,
    Priority,
    RelationType,
    Role,
    Status,
)
from deskbridge.kit.paging import Page


class NamedThing(msgspec.Struct, kw_only=True):
    """Something with a name: a person, a team."""

    id: UUID
    name: str


class AttachmentAnswer(msgspec.Struct, kw_only=True):
    """A file of a ticket. `state` QUARANTINED is being checked for viruses, INFECTED is never handed out."""

    id: UUID
    ticket_id: UUID
    message_id: UUID | None
    name: str
    media_type: str
    size: int
    sha256: str
    is_internal: bool
    state: AttachmentState
    uploaded_by: NamedThing | None
    created_at: datetime
    url: str


class AttachmentList(msgspec.Struct, kw_only=True):
    """A ticket's files, oldest first; there are at most 500."""

    items: list[AttachmentAnswer]


class CategoryDetails(msgspec.Struct, kw_only=True):
    """A kind of ticket, with where its tickets go; customers are not told `team_id` and `skill`."""

    key: str
    name: str
    active: bool
    position: int
    version: int
    team_id: UUID | None = None
    skill: str | None = None


class CategoryList(msgspec.Struct, kw_only=True):
    """Categories, in the administrator's order."""

    items: list[CategoryDetails]


class TimeEntryAnswer(msgspec.Struct, kw_only=True):
    """Minutes worked on a ticket."""

    id: UUID
    ticket_id: UUID
    minutes: int
    note: str
    started_at: datetime
    author: NamedThing | None
    created_at: datetime
    written_by: str | None = None
    written_in: str | None = None


class TimeEntryList(msgspec.Struct, kw_only=True):
    """A ticket's time entries, oldest work first."""

    items: list[TimeEntryAnswer]


class RelatedTicket(msgspec.Struct, kw_only=True):
    """The ticket at the other end."""

    id: UUID
    number: int
    title: str
    status: Status


class RelationAnswer(msgspec.Struct, kw_only=True):
    """A relation as seen from one ticket; `outward` is False where this ticket is the second one."""

    id: UUID
    type: RelationType
    outward: bool
    ticket: RelatedTicket


class RelationList(msgspec.Struct, kw_only=True):
    """A ticket's relations."""

    items: list[RelationAnswer]


class TicketAnswer(msgspec.Struct, kw_only=True):
    """A ticket.

    For an END_USER the breach flags and `time_spent_minutes` are null and `activity_at` is `updated_at`: what
    agents do among themselves leaves no trace.
    """

    id: UUID
    number: int
    title: str
    description: str
    category: str
    priority: Priority
    status: Status
    environment: Environment | None
    affected_service: str | None
    impact_level: ImpactLevel | None
    tags: list[str]
    requester: NamedThing
    assignee: NamedThing | None
    team: NamedThing | None
    channel: Channel
    external_ref: str | None
    resolution_notes: str | None
    time_spent_minutes: int | None
    created_at: datetime
    updated_at: datetime
    activity_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    response_breached: bool | None
    resolution_breached: bool | None
    version: int


class WatcherList(msgspec.Struct, kw_only=True):
    """Who watches a ticket, by name."""

    items: list[NamedThing]


class ViewAnswer(msgspec.Struct, kw_only=True):
    """A saved view; `query` is the query part of the list's address."""

    id: UUID
    name: str
    query: str
    shared: bool
    mine: bool
    version: int


class ViewList(msgspec.Struct, kw_only=True):
    """Saved views, by name."""

    items: list[ViewAnswer]


class BulkResult(msgspec.Struct, kw_only=True):
    """What became of one ticket."""

    ticket: str
    ok: bool
    error_code: str | None = None
    detail: str | None = None


class BulkAnswer(msgspec.Struct, kw_only=True):
    """What became of each ticket, in the order asked."""

    changed: int
    failed: int
    results: list[BulkResult]


class MessageAnswer(msgspec.Struct, kw_only=True):
    """One message of a conversation, with the files it carries. A deleted one has empty content.

    One that came from a tracker names who wrote it and in which connection; `author` is that person if they are
    here.
    """

    id: UUID
    ticket_id: UUID
    content: str
    comment_type: CommentType
    is_internal: bool
    author: NamedThing | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    attachments: list[AttachmentAnswer]
    written_by: str | None = None
    written_in: str | None = None


class ActorAnswer(msgspec.Struct, kw_only=True):
    """Who did it; `id` is null for the desk itself."""

    id: UUID | None
    name: str


class HistoryAnswer(msgspec.Struct, kw_only=True):
    """One line of a ticket's history. An END_USER gets the customer's words for statuses, no old texts, no
    metadata.
    """

    id: UUID
    type: HistoryType
    field: str | None
    old: str | None
    new: str | None
    actor: ActorAnswer
    at: datetime
    metadata: dict[str, Any]


class TimelineEntry(msgspec.Struct, kw_only=True):
    """One entry of a ticket's line of time: a message, or something that happened."""

    at: datetime
    message: MessageAnswer | None = None
    event: HistoryAnswer | None = None


class WorkEntry(msgspec.Struct, kw_only=True):
    """One line of the work record: who, in which system, when, what, and for how many minutes."""

    at: datetime
    who: str
    system: str
    what: str
    text: str
    minutes: int | None


class WorkRecord(msgspec.Struct, kw_only=True):
    """The work record, oldest first."""

    items: list[WorkEntry]


class Profile(msgspec.Struct, kw_only=True):
    """A person as they see themselves."""

    id: UUID
    customer_id: str
    name: str
    email: str | None
    phone: str | None
    address: str
    organisation: str
    locale: str
    time_zone: str
    role: Role
    teams: list[NamedThing]
    active: bool
    created_at: datetime
    version: int


class AgentAnswer(msgspec.Struct, kw_only=True):
    """An agent: a person with skills, availability and capacity (how many open tickets they may be given)."""

    id: UUID
    customer_id: str
    name: str
    email: str | None
    phone: str | None
    address: str
    organisation: str
    locale: str
    time_zone: str
    role: Role
    teams: list[NamedThing]
    active: bool
    created_at: datetime
    version: int
    skills: list[str]
    available: bool
    capacity: int


class TeamAnswer(msgspec.Struct, kw_only=True):
    """A team with its members. `assignment` says how its tickets find their agent."""

    id: UUID
    name: str
    description: str
    active: bool
    assignment: Dispatch
    members: list[NamedThing]
    version: int


class TeamList(msgspec.Struct, kw_only=True):
    """Teams, by name."""

    items: list[TeamAnswer]


class Health(msgspec.Struct, kw_only=True):
    """The process is alive."""

    status: Literal["healthy"]
    service: Literal["deskbridge"]
    version: str
    environment: str


class Readiness(msgspec.Struct, kw_only=True):
    """Whether requests can be answered; if not, why."""

    status: Literal["ready", "unavailable"]
    detail: str = ""
    error_code: str = ""


class Received(msgspec.Struct, kw_only=True):
    """How many hints were new; one that was sent again counts as none."""

    received: int


class Tokens(msgspec.Struct, kw_only=True):
    """An API sign-in. `expires_in` is the access token's remaining life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "bearer"


class TokenInfo(msgspec.Struct, kw_only=True):
    """A personal API token, without its secret."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


class TokenList(msgspec.Struct, kw_only=True):
    """Personal API tokens, newest first."""

    items: list[TokenInfo]


class NewApiToken(msgspec.Struct, kw_only=True):
    """A personal API token right after it was made: the only time its secret is shown."""

    id: UUID
    secret: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None


class PortalTicketAnswer(msgspec.Struct, kw_only=True):
    """A ticket as its requester sees it; `remote_key` is what a tracker calls it, null until it is there."""

    id: UUID
    number: int
    title: str
    description: str
    category: str
    priority: Priority
    status: Status
    environment: Environment | None
    affected_service: str | None
    impact_level: ImpactLevel | None
    tags: list[str]
    requester: NamedThing
    assignee: NamedThing | None
    team: NamedThing | None
    channel: Channel
    external_ref: str | None
    resolution_notes: str | None
    time_spent_minutes: int | None
    created_at: datetime
    updated_at: datetime
    activity_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    response_breached: bool | None
    resolution_breached: bool | None
    version: int
    remote_key: str | None


class FiledAnswer(msgspec.Struct, kw_only=True):
    """The request that was opened; or, not `created`, the open one that its customer has instead."""

    created: bool
    ticket: PortalTicketAnswer


class PeriodLine(msgspec.Struct, kw_only=True):
    """What was created and resolved in the bucket that begins at `start`, and how many were open at its end."""

    start: datetime
    created: int
    resolved: int
    backlog: int


class PeriodReport(msgspec.Struct, kw_only=True):
    """Tickets by period."""

    items: list[PeriodLine]


class GroupTimes(msgspec.Struct, kw_only=True):
    """The times of one group. `key` is a priority, a category, or the id of a team or agent; null is none."""

    key: str | None
    name: str | None
    count: int
    average_minutes: float | None
    median_minutes: float | None
    p90_minutes: float | None


class Times(msgspec.Struct, kw_only=True):
    """Minutes from creation to resolution of `count` tickets, null without any; the median and the 90th percentile
    are interpolated. `by` holds the same for each group, when asked for.
    """

    count: int
    average_minutes: float | None
    median_minutes: float | None
    p90_minutes: float | None
    by: list[GroupTimes] | None = None


class CategoryLine(msgspec.Struct, kw_only=True):
    """How many tickets of a category there are, and how many of them are open."""

    category: str
    active: int
    total: int


class CategoryReport(msgspec.Struct, kw_only=True):
    """Tickets by category."""

    items: list[CategoryLine]


class Adherence(msgspec.Struct, kw_only=True):
    """How many targets were met and breached; those still running are neither. `percent` is null without any."""

    met: int
    breached: int
    percent: float | None


class SlaAdherence(msgspec.Struct, kw_only=True):
    """How well response and resolution targets were kept."""

    response: Adherence
    resolution: Adherence


class AgeBucket(msgspec.Struct, kw_only=True):
    """How many open tickets are of an age."""

    label: str
    count: int


class AgingReport(msgspec.Struct, kw_only=True):
    """Open tickets by age."""

    buckets: list[AgeBucket]


class AgentLine(msgspec.Struct, kw_only=True):
    """An agent's figures over the tickets assigned to them; a rate is 0 to 1, and null where there is nothing to
    count.

    `sla_percent` counts response and resolution targets alike, `reopen_rate` those ever resolved that were
    reopened.
    """

    agent: NamedThing
    assigned: int
    resolved: int
    first_response_minutes: float | None
    resolution_minutes: float | None
    sla_percent: float | None
    reopen_rate: float | None


class AgentReport(msgspec.Struct, kw_only=True):
    """Agents, by name."""

    items: list[AgentLine]


class Snippet(msgspec.Struct, kw_only=True):
    """A passage of plain text, and where in it the words are that were asked for, as [start, end) in characters."""

    text: str
    marks: list[tuple[int, int]]


class Found(msgspec.Struct, kw_only=True):
    """A ticket that was found, with the passages that did it, newest first."""

    ticket: TicketAnswer
    passages: list[Snippet]


class SegmentAnswer(msgspec.Struct, kw_only=True):
    """A stretch of time that counted, or the reason why it did not."""

    start: datetime
    end: datetime
    counted: bool
    reason: str


class TargetAnswer(msgspec.Struct, kw_only=True):
    """One target. `state` is running, paused, met or breached; `segments` explain how the time was counted."""

    state: str
    target_minutes: int
    elapsed_minutes: float
    remaining_minutes: float
    percent: float
    due_at: datetime | None
    met_at: datetime | None
    breached: bool
    segments: list[SegmentAnswer]
    segments_omitted: int


class SlaAnswer(msgspec.Struct, kw_only=True):
    """A ticket's service levels; null where it has no such target."""

    policy: NamedThing | None
    calendar: NamedThing | None
    response: TargetAnswer | None
    resolution: TargetAnswer | None


class PolicyAnswer(msgspec.Struct, kw_only=True):
    """A policy; null minutes are no target, a null team or category is any."""

    id: UUID
    name: str
    priority: Priority
    team: NamedThing | None
    category: str | None
    response_minutes: int | None
    resolution_minutes: int | None
    calendar: NamedThing | None
    version: int


class PolicyList(msgspec.Struct, kw_only=True):
    """Every policy."""

    items: list[PolicyAnswer]


class CalendarAnswer(msgspec.Struct, kw_only=True):
    """A business calendar: weekly hours in wall-clock time of its zone, and holidays as dates."""

    id: UUID
    name: str
    time_zone: str
    week: dict[str, list[list[str]]]
    holidays: list[str]
    version: int


class CalendarList(msgspec.Struct, kw_only=True):
    """Every calendar."""

    items: list[CalendarAnswer]


class ConnectionAnswer(msgspec.Struct, kw_only=True):
    """A connection as it is set up. Of its credentials there is only whether webhooks have a secret."""

    id: UUID
    slug: str
    name: str
    kind: str
    base_url: str
    scope: str
    way: str
    account: str
    has_webhook_secret: bool
    state: ConnectionState
    stopped_because: str | None
    breaker: Breaker
    open_until: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    clock_offset: float
    created_at: datetime
    updated_at: datetime
    version: int


class ConnectionList(msgspec.Struct, kw_only=True):
    """Every connection, by name."""

    items: list[ConnectionAnswer]


class MappingAnswer(msgspec.Struct, kw_only=True):
    """A connection's mapping, with the connection's version."""

    text: str
    version: int


class MappingFault(msgspec.Struct, kw_only=True):
    """Something wrong with a mapping: its line (from 1), where in it, and what."""

    line: int
    path: str
    message: str


class CheckAnswer(msgspec.Struct, kw_only=True):
    """One line of a test: `what` is auth, permissions, fields, clock or webhook."""

    what: str
    outcome: Outcome
    message: str


class TrialAnswer(msgspec.Struct, kw_only=True):
    """What a test found. `clock_offset` is the tracker's clock minus the desk's, in seconds.

    `checks` say it line by line. A connection passes without webhooks: its changes are then found once a minute.
    """

    passed: bool
    account: str | None
    product: str | None
    time_zone: str | None
    clock_offset: float | None
    failure: str | None
    faults: list[MappingFault]
    checks: list[CheckAnswer]


class RehearsedRecord(msgspec.Struct, kw_only=True):
    """What would become of a record: whether it becomes a ticket and why, with which values, and what is refused."""

    key: str
    url: str
    becomes_ticket: bool
    reason: str
    values: dict[str, Any]
    refusals: list[str]


class RehearsedTicket(msgspec.Struct, kw_only=True):
    """Whether a ticket would be filed, and why."""

    number: int
    title: str
    files: bool
    reason: str


class Rehearsal(msgspec.Struct, kw_only=True):
    """What a connection would do with the latest records and tickets; `failure` says why records could not be read."""

    records: list[RehearsedRecord]
    tickets: list[RehearsedTicket]
    failure: str | None


class Traffic(msgspec.Struct, kw_only=True):
    """What went over a connection in some time: written in the tracker, taken over here, rounds that went wrong."""

    pushed: int = 0
    pulled: int = 0
    failed: int = 0


class ConnectionStatus(msgspec.Struct, kw_only=True):
    """How one connection does. `lag_seconds` is how long the oldest hint has waited; 0 when nothing waits.

    `pace` is the share of the connector's own rate that the tracker lets it have just now, `calls_a_second` what
    comes of that (null before the first call), `held_until` when the tracker takes calls again that wants none
    for now. `error_rate` is the share of the last hour's rounds that went wrong, from 0 to 1; null when there
    were none.
    """

    id: UUID
    slug: str
    name: str
    kind: str
    base_url: str
    health: ConnectionHealth
    state: ConnectionState
    stopped_because: str | None
    breaker: Breaker
    open_until: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    bad_since: datetime | None
    pace: float
    calls_a_second: float | None
    held_until: datetime | None
    links: int
    dirty: int
    lag_seconds: float
    unknown: int
    failures: int
    conflicts: int
    last_minute: Traffic
    last_hour: Traffic
    error_rate: float | None


class StatusList(msgspec.Struct, kw_only=True):
    """How every connection does, by name."""

    items: list[ConnectionStatus]


class LinkAnswer(msgspec.Struct, kw_only=True):
    """One ticket tied to one record."""

    id: UUID
    connection: str
    kind: str
    ticket_id: UUID | None
    number: int | None
    remote_id: str | None
    remote_key: str
    url: str
    state: LinkState
    reason: str
    dirty_at: datetime | None
    due_at: datetime
    attempts: int
    last_error: str | None
    synced_at: datetime | None


class LinkList(msgspec.Struct, kw_only=True):
    """A ticket's links, by connection."""

    items: list[LinkAnswer]


class SyncEntry(msgspec.Struct, kw_only=True):
    """One line of what sync did."""

    at: datetime
    connection: str
    what: str
    details: dict[str, Any]


class FieldExplained(msgspec.Struct, kw_only=True):
    """Why one field has the value it has, towards one connection."""

    connection: str
    field: str
    desk: Any
    remote: Any
    reason: str
    at: datetime


class SyncTimeline(msgspec.Struct, kw_only=True):
    """What sync did with a ticket, latest first, and why each field has its value towards each of its records."""

    items: list[SyncEntry]
    fields: list[FieldExplained]


class ConflictAnswer(msgspec.Struct, kw_only=True):
    """Both sides' values of one field. `winner` is empty while a person is asked."""

    id: UUID
    connection: str
    link_id: UUID
    ticket_id: UUID
    number: int
    field: str
    desk: Any
    remote: Any
    winner: str
    reason: str
    state: ConflictState
    at: datetime
    settled_by: str | None


class FailureAnswer(msgspec.Struct, kw_only=True):
    """What could not be done, in the tracker's own words; the payload is empty but for administrators.

    `records` are the keys to choose from, where more than one record seems to be of one ticket.
    """

    id: UUID
    connection: str
    link_id: UUID | None
    number: int | None
    remote_key: str
    failure: FailureClass
    field: str | None
    reason: str
    payload: dict[str, Any]
    records: list[str]
    tries: int
    parked: bool
    first_at: datetime
    last_at: datetime
    state: FailureState
    closed_by: str | None
    closed_because: str | None


class TicketPage(Page[TicketAnswer], kw_only=True):
    """One page of tickets; `total` is counted (up to a cap) only when asked for."""

    total: int | None = None
    total_capped: bool | None = None
