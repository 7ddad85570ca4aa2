"""Stories: what happens to one ticket of the demo, as the files in `week/` tell it.

A story begins some days ago at an hour of the day in `people.TIME_ZONE` (`begins: 5d 14:20`), or some time ago
(`begins: 3h10m`). A step says how long after the one before it who does what, and with which words:
`1h10m oliver says: …`. What people can do is in `VERBS`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import yaml

from deskbridge.demo.people import TIME_ZONE, Cast
from deskbridge.kit.db import UnitOfWork
from deskbridge.people.actor import Actor
from deskbridge.tickets import conversation, service
from deskbridge.tickets.model import Channel, Environment, ImpactLevel, Priority, Status, Ticket

WEEK = Path(__file__).parent / "week"
SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
REOPEN_WINDOW_DAYS = 7


class Story(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"requester": "from", "filed_by": "filed by"}
):
    """A ticket and what happens to it; `steps` as written, for `parsed_steps`."""

    requester: str
    begins: str
    category: str
    priority: Priority
    title: str
    text: str
    steps: list[str | dict[str, str]] = []
    tags: list[str] = []
    environment: Environment | None = None
    service: str | None = None
    impact: ImpactLevel | None = None
    filed_by: str | None = None
    channel: Channel | None = None


def load_stories() -> list[Story]:
    """Return the stories of the week; raises `msgspec.ValidationError` naming what is written wrong."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = sorted(WEEK.glob("*.yaml"))
    return [
        story
        for file in files
        for story in msgspec.convert(yaml.load(file.read_text("utf-8"), loader), list[Story])  # noqa: S506 - a safe one
    ]


class Step(NamedTuple):
    """One thing somebody does, `after` the step before it; `team` is where it goes, if the verb names one."""

    after: timedelta
    who: str
    verb: str
    text: str
    team: str | None


def parsed_steps(story: Story) -> list[Step]:
    """Return the steps of a story; raises `ValueError` for one that cannot be read."""
    return [_step(line) for line in story.steps]


def _step(line: str | dict[str, str]) -> Step:
    head, text = (line, "") if isinstance(line, str) else next(iter(line.items()))
    after, who, verb = head.split(maxsplit=2)
    verb, _, team = verb.partition(" to ")
    if verb not in VERBS:
        raise ValueError(f"nobody can do this in a story: {head!r}")
    return Step(span(after), who, verb, text, team or None)


def span(text: str) -> timedelta:
    """Return a span of time written like `1d2h30m`."""
    match = SPAN.fullmatch(text)
    if not match or not text:
        raise ValueError(f"not a span of time: {text!r}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def beginning(begins: str, now: datetime) -> datetime:
    """Return when a story begins, in UTC."""
    ago, _, clock = begins.partition(" ")
    if not clock:
        return now - span(ago)
    zone = ZoneInfo(TIME_ZONE)
    hour, minute = map(int, clock.split(":"))
    local = (now.astimezone(zone) - span(ago)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return local.astimezone(now.tzinfo)


# What people do


def open_story(uow: UnitOfWork, cast: Cast, story: Story) -> UUID:
    """File the ticket of a story; return its id."""
    requester = cast.actors[story.requester]
    new = service.NewTicket(
        title=story.title,
        description=story.text,
        category=story.category,
        priority=story.priority,
        environment=story.environment,
        affected_service=story.service,
        impact_level=story.impact,
        tags=story.tags,
        requester_id=requester.id,
        channel=story.channel,
    )
    return service.open_ticket(uow, cast.actors[story.filed_by or story.requester], new, Channel.PORTAL).id


def take_step(uow: UnitOfWork, cast: Cast, ticket_id: UUID, step: Step) -> None:
    """Let somebody do what a step says."""
    VERBS[step.verb](uow, cast, cast.actors[step.who], ticket_id, step)


Act = Callable[[UnitOfWork, Cast, Actor, UUID, Step], object]


def _takes(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, _step: Step) -> None:
    service.assign(uow, actor, ticket_id, {"assignee_id": actor.id})


def _assigns(uow: UnitOfWork, cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    service.assign(uow, actor, ticket_id, {"assignee_id": cast.actors[step.text].id})


def _hands_to(uow: UnitOfWork, cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    service.assign(uow, actor, ticket_id, {"team_id": cast.team_ids[step.text]})


def _says(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    conversation.reply(uow, actor, ticket_id, step.text)


def _thanks(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    conversation.reply(uow, actor, ticket_id, step.text, just_thanks=True)


def _notes(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    conversation.note(uow, actor, ticket_id, step.text)


def _asks(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    conversation.reply(uow, actor, ticket_id, step.text)
    _change(uow, actor, ticket_id, Status.PENDING_INFO)


def _starts(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, _step: Step) -> None:
    _change(uow, actor, ticket_id, Status.IN_PROGRESS)


def _resolves(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    _change(uow, actor, ticket_id, Status.RESOLVED, resolution_notes=step.text)


def _confirms(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, _step: Step) -> None:
    _change(uow, actor, ticket_id, Status.CLOSED)


def _reopens(uow: UnitOfWork, _cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    _change(uow, actor, ticket_id, Status.REOPENED, reason=step.text)


def _escalates(uow: UnitOfWork, cast: Cast, actor: Actor, ticket_id: UUID, step: Step) -> None:
    service.escalate(uow, actor, ticket_id, step.text, cast.team_ids[step.team] if step.team else None)


def _change(
    uow: UnitOfWork,
    actor: Actor,
    ticket_id: UUID,
    wanted: Status,
    *,
    reason: str | None = None,
    resolution_notes: str | None = None,
) -> Ticket:
    return service.change_status(
        uow,
        actor,
        ticket_id,
        wanted,
        reopen_window_days=REOPEN_WINDOW_DAYS,
        reason=reason,
        resolution_notes=resolution_notes,
    )


VERBS: Mapping[str, Act] = {
    "takes": _takes,
    "assigns": _assigns,
    "hands to": _hands_to,
    "says": _says,
    "thanks": _thanks,
    "notes": _notes,
    "asks": _asks,
    "starts": _starts,
    "resolves": _resolves,
    "confirms": _confirms,
    "reopens": _reopens,
    "escalates": _escalates,
}
