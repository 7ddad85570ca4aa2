"""Imagining a ticket and its life, as rows ready to insert: a pure function of a dice, its number and its time.

What it writes is what the use cases would have left behind: the workflow is kept, and versions, first responses,
deadlines and history fit together.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from deskbridge.demo.phrases import Wording
from deskbridge.kit.ids import derived_id
from deskbridge.sla.calendar import Calendar
from deskbridge.sla.clock import Clock, Pause, pause, resume
from deskbridge.sla.events import TargetName
from deskbridge.sla.service import STANDS_STILL, Target, closest_policy, due_at, level_of, next_check
from deskbridge.tickets.history import Change, status_changes
from deskbridge.tickets.model import (
    NEVER,
    Audience,
    Channel,
    CommentType,
    Environment,
    HistoryType,
    ImpactLevel,
    Priority,
    Status,
)
from deskbridge.tickets.workflow import FINISHED

Row = dict[str, Any]
BREACHED = 100


class Someone(NamedTuple):
    """A person of the seeded desk."""

    id: UUID
    name: str
    locale: str


@dataclass(frozen=True)
class World:
    """What tickets are imagined in: who is there, what is promised, and which moment counts as now."""

    customers: Sequence[Someone]
    teams: Sequence[tuple[UUID, str, Sequence[Someone]]]
    policies: Sequence[Any]
    calendars: Mapping[UUID | None, Calendar | None]
    now: datetime


@dataclass(frozen=True)
class Imagined:
    """One ticket's rows by table; `clock` is None where no policy fits."""

    ticket: Row
    tags: list[Row]
    messages: list[Row]
    history: list[Row]
    clock: Row | None


def imagine(chance: random.Random, number: int, at: datetime, world: World) -> Imagined:
    """Return a ticket created `at`, before now, that has lived as tickets of its age have."""
    life = _Life(chance, number, at, world)
    status = _drawn(chance, _ends_for(world.now - at))
    steps = list(_way_to(status, chance))
    for step, moment in zip(steps, _moments(chance, life, status, len(steps)), strict=True):
        life.at = moment
        getattr(life, step)()
    return life.rows()


# Which life, and when


def _ends_for(age: timedelta) -> Mapping[Status, float]:
    """Return how likely a ticket of an age has which status: hardly an old one is still open."""
    if age < timedelta(days=2):
        return _YOUNG
    return _GROWN if age < timedelta(days=21) else _OLD


_YOUNG = {
    Status.NEW: 34,
    Status.OPEN: 20,
    Status.IN_PROGRESS: 20,
    Status.PENDING_INFO: 9,
    Status.ESCALATED: 3,
    Status.RESOLVED: 9,
    Status.CLOSED: 4,
    Status.REOPENED: 1,
}
_GROWN = {
    Status.NEW: 1,
    Status.OPEN: 8,
    Status.IN_PROGRESS: 12,
    Status.PENDING_INFO: 8,
    Status.ESCALATED: 2,
    Status.RESOLVED: 20,
    Status.CLOSED: 46,
    Status.REOPENED: 3,
}
_OLD = {
    Status.OPEN: 0.8,
    Status.IN_PROGRESS: 1.5,
    Status.PENDING_INFO: 1.2,
    Status.ESCALATED: 0.3,
    Status.CLOSED: 96,
    Status.REOPENED: 0.2,
}


def _drawn(chance: random.Random, weights: Mapping[Any, float]) -> Any:
    return chance.choices(list(weights), list(weights.values()))[0]


def _way_to(status: Status, chance: random.Random) -> list[str]:
    """Return the steps of `_Life` that lead to a status."""
    if status is Status.NEW:
        return ["insist"] if chance.random() < 0.25 else []
    if status is Status.OPEN:
        return ["assign"] + (["answer"] if chance.random() < 0.5 else [])
    way = ["assign"] + (["answer"] if chance.random() < 0.8 else []) + ["start"]
    if chance.random() < 0.5:
        way.append("note")
    if status is Status.IN_PROGRESS:
        return way + (["insist"] if chance.random() < 0.3 else [])
    if status is Status.PENDING_INFO:
        return [*way, "ask"]
    if status is Status.ESCALATED:
        return [*way, "escalate"]
    if chance.random() < 0.65:
        way += ["ask", "reply", "start"]
    way.append("resolve")
    if status is Status.REOPENED:
        return [*way, "reopen"]
    if chance.random() < 0.6:
        way.append("thank")
    return [*way, "close"] if status is Status.CLOSED else way


_HOURS = {Priority.P1: 4, Priority.P2: 18, Priority.P3: 45, Priority.P4: 90}
"""How long a ticket is worked on in the mean, by priority."""
_KEPT_RESOLVED = timedelta(days=6, hours=20)


def _moments(chance: random.Random, life: "_Life", status: Status, count: int) -> list[datetime]:
    """Return when the steps happen, in order and before now; the first ones are quick."""
    age = life.world.now - life.created_at
    lasts = min(timedelta(hours=chance.expovariate(1 / _HOURS[life.priority])), age * 0.95)
    if status is Status.RESOLVED:  # longer ago, it would have closed itself
        lasts = max(lasts, age - _KEPT_RESOLVED * chance.random())
    shares = sorted(chance.random() ** 2 for _ in range(count))
    return [life.created_at + lasts * share for share in shares[:-1]] + [life.created_at + lasts] * bool(count)


# Living


class _Life:
    """A ticket while it is lived: each method is a step that happens at `at`."""

    def __init__(self, chance: random.Random, number: int, at: datetime, world: World) -> None:
        self.chance, self.number, self.world = chance, number, world
        self.created_at = self.at = self.updated_at = self.activity_at = at
        self.requester = chance.choice(world.customers)
        self.words = Wording(chance, self.requester.locale)
        self.priority: Priority = _drawn(chance, _PRIORITIES)
        self.channel: Channel = _drawn(chance, _CHANNELS)
        self.id = self._new_id("ticket", 0)
        self.status, self.version = Status.NEW, 1
        self.team: tuple[UUID, str, Sequence[Someone]] | None = None
        self.assignee: Someone | None = None
        self.first_response_at: datetime | None = None
        self.resolved_at: datetime | None = None
        self.closed_at: datetime | None = None
        self.resolution: str | None = None
        self.pauses: tuple[Pause, ...] = ()
        self.messages: list[Row] = []
        self.history: list[Row] = []
        self.tags = [self.words.thing.lower()] if chance.random() < 0.5 else []
        self._write(self.requester, Change(HistoryType.CREATED, audience=Audience.PUBLIC))

    def assign(self) -> None:
        self.team = self.chance.choice(self.world.teams)
        self.assignee = self.chance.choice(self.team[2])
        team_id, team, _ = self.team
        for field, name, id_ in (("team", team, team_id), ("assignee", self.assignee.name, self.assignee.id)):
            change = Change(HistoryType.ASSIGNMENT_CHANGE, field, None, name)
            self._write(self.assignee, change, {"old_id": None, "new_id": str(id_)})
        self._become(Status.OPEN, self.assignee)

    def answer(self) -> None:
        self._say(self._agent, self.words.say(self.words.topic.answers))

    def start(self) -> None:
        self._become(Status.IN_PROGRESS, self._agent)

    def note(self) -> None:
        self._say(self._agent, self.words.say(self.words.language.notes), Audience.INTERNAL)

    def ask(self) -> None:
        self._say(self._agent, self.words.say(self.words.language.questions))
        self._become(Status.PENDING_INFO, self._agent)

    def reply(self) -> None:
        self._say(self.requester, self.words.say(self.words.language.more))
        self._become(Status.OPEN, self.requester)

    def insist(self) -> None:
        self._say(self.requester, self.words.say(self.words.language.more))

    def escalate(self) -> None:
        self._become(Status.ESCALATED, self._agent, self.words.say(self.words.language.notes))

    def resolve(self) -> None:
        self.resolution = self.words.say(self.words.topic.solutions)
        self.resolved_at = self.at
        self.first_response_at = self.first_response_at or self.at
        self._become(Status.RESOLVED, self._agent, self.resolution)

    def thank(self) -> None:
        self._say(self.requester, self.words.say(self.words.language.thanks))

    def close(self) -> None:
        self.closed_at = self.at
        self._become(Status.CLOSED, self.requester)

    def reopen(self) -> None:
        self.resolved_at = None
        text = self.words.say(self.words.language.more)
        self._say(self.requester, text)
        self._become(Status.REOPENED, self.requester)

    @property
    def _agent(self) -> Someone:
        assert self.assignee is not None
        return self.assignee

    def _become(self, wanted: Status, actor: Someone, text: str | None = None) -> None:
        for change in status_changes(self.status, wanted, text):
            self._write(actor, change)
        self.status = wanted
        self.pauses = (pause if wanted in STANDS_STILL else resume)(self.pauses, self.at)
        self._touch()

    def _say(self, author: Someone, content: str, audience: Audience = Audience.PUBLIC) -> None:
        message_id = self._new_id("message", len(self.messages))
        comment_type = CommentType.COMMENT if audience is Audience.PUBLIC else CommentType.WORK_NOTE
        self.messages.append(
            {
                "id": message_id,
                "ticket_id": self.id,
                "author_id": author.id,
                "audience": audience,
                "comment_type": comment_type,
                "content": content,
                "created_at": self.at,
                "edited_at": None,
                "deleted_at": None,
            }
        )
        details = {"message_id": str(message_id), "comment_type": comment_type}
        self._write(author, Change(HistoryType.COMMENT_ADDED, audience=audience), details)
        if audience is Audience.PUBLIC and author is not self.requester:
            self.first_response_at = self.first_response_at or self.at
        self._touch(audience)

    def _touch(self, audience: Audience = Audience.PUBLIC) -> None:
        self.activity_at = self.at
        if audience is Audience.PUBLIC:
            self.updated_at = self.at
            self.version += 1

    def _write(self, actor: Someone | None, change: Change, details: Row | None = None) -> None:
        self.history.append(
            {
                "id": self._new_id("history", len(self.history)),
                "ticket_id": self.id,
                "type": change.type,
                "audience": change.audience,
                "field": change.field,
                "old": change.old,
                "new": change.new,
                "actor_id": actor.id if actor else None,
                "actor_name": actor.name if actor else "Deskbridge",
                "at": self.at,
                "details": details or {},
            }
        )

    def _new_id(self, kind: str, place: int) -> UUID:
        return derived_id(self.at, "seed", kind, str(self.number), str(place), place=place)

    # What is left

    def rows(self) -> Imagined:
        """Return the rows of this life, with deadlines as they stand now."""
        ticket = self._ticket()
        clock = self._clock(ticket)
        tags = [{"tag": tag, "ticket_id": self.id} for tag in self.tags]
        return Imagined(ticket, tags, self.messages, self.history, clock)

    def _ticket(self) -> Row:
        return {
            "id": self.id,
            "number": self.number,
            "title": self.words.say(self.words.topic.titles),
            "description": self.words.description(),
            "category": self.words.topic.category,
            "priority": self.priority,
            "status": self.status,
            "environment": _drawn(self.chance, _ENVIRONMENTS),
            "affected_service": self.words.thing if self.chance.random() < 0.4 else None,
            "impact_level": _drawn(self.chance, _IMPACTS),
            "tags": self.tags,
            "requester_id": self.requester.id,
            "assignee_id": self.assignee.id if self.assignee else None,
            "team_id": self.team[0] if self.team else None,
            "channel": self.channel,
            "external_ref": None,
            "resolution_notes": self.resolution,
            "time_spent_minutes": 0,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "activity_at": self.activity_at,
            "first_response_at": self.first_response_at,
            "resolved_at": self.resolved_at,
            "closed_at": self.closed_at,
            "response_due_at": None,
            "resolution_due_at": None,
            "resolution_due_key": NEVER,
            "response_breached": False,
            "resolution_breached": False,
            "version": self.version,
            "deleted_at": None,
        }

    def _clock(self, ticket: Row) -> Row | None:
        """Return the ticket's clock, and write its deadlines and breaches into the ticket; None without a policy."""
        policy = closest_policy(self.world.policies, _Facts(self.priority, ticket["team_id"], ticket["category"]))
        if policy is None:
            return None
        calendar = self.world.calendars[policy.calendar_id]
        met = {TargetName.RESPONSE: self.first_response_at, TargetName.RESOLUTION: self.resolved_at or self.closed_at}
        minutes = {TargetName.RESPONSE: policy.response_minutes, TargetName.RESOLUTION: policy.resolution_minutes}
        clock: Row = {"ticket_id": self.id, "policy_id": policy.id, "calendar_id": policy.calendar_id}
        finished = self.status in FINISHED
        counted = self.pauses[:-1] if finished else self.pauses  # a deadline stays what it was when work ended
        targets = []
        for name, allowed in minutes.items():
            clock[f"{name}_minutes"], clock[f"{name}_level"] = allowed, 0
            if allowed is not None:
                target = Target(name, Clock(self.created_at, timedelta(minutes=allowed), calendar, counted), met[name])
                targets.append(target)
                clock[f"{name}_level"] = level_of(target, self.world.now)
                ticket[f"{name}_due_at"] = due_at(target)
                if clock[f"{name}_level"] == BREACHED:
                    self._breach(ticket, name)
        if not finished:
            ticket["resolution_due_key"] = ticket["resolution_due_at"] or NEVER
        clock["pauses"] = [[since.isoformat(), end.isoformat() if end else None] for since, end in self.pauses]
        clock["next_check_at"] = next_check(self.world.now, targets)
        return clock

    def _breach(self, ticket: Row, name: TargetName) -> None:
        ticket[f"{name}_breached"] = True
        self.at = ticket[f"{name}_due_at"]
        ticket["activity_at"] = max(ticket["activity_at"], self.at)
        self._write(None, Change(HistoryType.SLA_BREACH, name))


class _Facts(NamedTuple):
    """What the choice of a policy depends on."""

    priority: Priority
    team_id: UUID | None
    category: str


_PRIORITIES = {Priority.P1: 3, Priority.P2: 17, Priority.P3: 60, Priority.P4: 20}
_CHANNELS = {Channel.PORTAL: 55, Channel.EMAIL: 25, Channel.API: 8, Channel.PHONE: 12}
_ENVIRONMENTS = {None: 70, Environment.PRODUCTION: 24, Environment.STAGING: 3, Environment.TEST: 3}
_IMPACTS = {
    None: 55,
    ImpactLevel.LOW: 18,
    ImpactLevel.MEDIUM: 18,
    ImpactLevel.HIGH: 7,
    ImpactLevel.CRITICAL: 2,
}
