"""What a connection test found, one line each: sign-in, rights, fields, clock, and whether webhooks come back."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import NotFound
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor
from deskbridge.sync.connections import ToTry, Trial, require_admin
from deskbridge.sync.connector import Audience, Failure, NewComment
from deskbridge.sync.lines import Lines
from deskbridge.sync.model import Connection, InboxRow

MUCH = timedelta(minutes=5)
LOOK_EVERY, LOOKS = 0.25, 80
SAID = "Deskbridge tests whether this tracker tells it of changes. Nothing needs to be done."


class Outcome(StrEnum):
    """How a check ended. WARNING: it works, though less well than it could. SKIPPED: something else failed first."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One line of a connection test: `what` is auth, permissions, fields, clock or webhook."""

    what: str
    outcome: Outcome
    message: str


@dataclass(frozen=True)
class Hooks:
    """What is known of a connection's webhooks: their address here, and when the last correctly signed one came."""

    path: str
    has_secret: bool
    heard_at: datetime | None


def hooks_of(reader: Reader, actor: Actor, connection_id: UUID) -> Hooks:
    """Return what is known of a connection's webhooks; an ADMIN asks."""
    require_admin(actor)
    row = reader.execute(
        select(Connection.slug, Connection.webhook_secret.is_not(None).label("has_secret")).where(
            Connection.id == connection_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    heard = select(func.max(InboxRow.received_at)).where(InboxRow.connection_id == connection_id)
    return Hooks(f"/hooks/{row.slug}", bool(row.has_secret), reader.execute(heard).scalar_one())


def checks_of(trial: Trial, hooks: Hooks, round_trip: Check | None = None) -> list[Check]:
    """Return the lines of a test. Webhooks are told of from what came; with a `round_trip`, from that."""
    return [_auth(trial), _permissions(trial), _fields(trial), _clock(trial), round_trip or _webhook(hooks)]


def _auth(trial: Trial) -> Check:
    if trial.health is not None:
        return Check("auth", Outcome.PASSED, f"Signed in as {trial.health.account} ({trial.health.product}).")
    if trial.failure is None:
        return Check("auth", Outcome.SKIPPED, "Not tried: the mapping cannot be read.")
    return Check("auth", Outcome.FAILED, trial.failure)


def _permissions(trial: Trial) -> Check:
    if trial.health is None:
        return Check("permissions", Outcome.SKIPPED, "Not looked at.")
    if trial.failure is not None:
        return Check("permissions", Outcome.FAILED, trial.failure)
    return Check("permissions", Outcome.PASSED, "The account may read the tracker's set-up.")


def _fields(trial: Trial) -> Check:
    if trial.faults:
        return Check("fields", Outcome.FAILED, f"The mapping does not fit in {len(trial.faults)} places.")
    if trial.health is None or trial.failure is not None:
        return Check("fields", Outcome.SKIPPED, "Not looked at.")
    return Check("fields", Outcome.PASSED, "Every field and value of the mapping is there.")


def _clock(trial: Trial) -> Check:
    if trial.health is None:
        return Check("clock", Outcome.SKIPPED, "Not looked at.")
    offset = trial.health.clock_offset
    message = f"The tracker's clock is {offset.total_seconds():+.1f} s from ours; that is allowed for."
    return Check("clock", Outcome.PASSED if abs(offset) <= MUCH else Outcome.WARNING, message)


def _webhook(hooks: Hooks) -> Check:
    if not hooks.has_secret:
        message = "Refused: the connection has no webhook secret. Changes are found once a minute."
        return Check("webhook", Outcome.WARNING, message)
    if hooks.heard_at is None:
        message = f"None has come in the last week. Let the tracker post to {hooks.path}, signed with the secret."
        return Check("webhook", Outcome.WARNING, message)
    at = f"{hooks.heard_at:%Y-%m-%d %H:%M:%S} UTC"
    return Check("webhook", Outcome.PASSED, f"The last correctly signed one came at {at}.")


# The round trip


@dataclass(frozen=True)
class Sent:
    """A change that was made to be heard of: of this record, from the webhook after `after` on."""

    remote_id: str
    key: str
    after: int


def last_heard(reader: Reader, connection_id: UUID) -> int:
    """Return the number of the last webhook that came."""
    newest = select(func.max(InboxRow.id)).where(InboxRow.connection_id == connection_id)
    return reader.execute(newest).scalar_one() or 0


def send(lines: Lines, wanted: ToTry, record: str, after: int) -> Sent | Check:
    """Leave an internal comment on a record, so that the tracker has something to tell. Talks to the tracker."""
    connector = lines.open(wanted.address)
    try:
        found = connector.fetch(record)
        if found is None:
            return Check("webhook", Outcome.FAILED, f"There is no record {record}, or the account cannot see it.")
        connector.add_comment(found.ref.id, NewComment(SAID, Audience.INTERNAL, f"trial-{new_id().hex}"))
    except Failure as failure:
        return Check("webhook", Outcome.FAILED, failure.reason)
    return Sent(found.ref.id, found.ref.key, after)


def is_heard(reader: Reader, connection_id: UUID, sent: Sent) -> bool:
    """Tell whether a webhook about the record came since."""
    came = select(InboxRow.id).where(
        InboxRow.connection_id == connection_id, InboxRow.id > sent.after, InboxRow.remote_id == sent.remote_id
    )
    return reader.execute(came.limit(1)).first() is not None


def await_hook(heard: Callable[[], bool], sent: Sent) -> Check:
    """Wait up to 20 seconds until the change was heard of."""
    for _ in range(LOOKS):
        if heard():
            return Check("webhook", Outcome.PASSED, f"A comment on {sent.key} was heard of at once.")
        time.sleep(LOOK_EVERY)
    message = f"A comment was left on {sent.key}, and no correctly signed webhook about it came within 20 seconds."
    return Check("webhook", Outcome.FAILED, message)
