"""The use cases about connections: adding a tracker, trying it out, letting it go, holding it up."""

import re
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.kit.sealed import Seal
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import SYSTEM, Actor, Role
from deskbridge.people.model import Team
from deskbridge.sync import tail, timeline
from deskbridge.sync.connector import Failure, Health
from deskbridge.sync.events import ConnectionChanged, ConnectionWentBad
from deskbridge.sync.lines import WAYS, Address, Lines
from deskbridge.sync.mapping import Fault, MappingRefused
from deskbridge.sync.mapping_check import check
from deskbridge.sync.mapping_text import parse
from deskbridge.sync.model import (
    Breaker,
    Connection,
    ConnectionState,
    FailureClass,
    FailureState,
    Link,
    SyncFailure,
)
from deskbridge.tickets.model import Category

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
MAX_MAPPING = 200_000


@dataclass(frozen=True)
class NewConnection:
    """What a connection is made of. Without a `mapping` it gets the one shipped for its kind.

    `account` is the user or OAuth client, empty for a token; `slug` is what its webhook address ends in.
    """

    name: str
    kind: str
    base_url: str
    way: str
    secret: str = field(repr=False)
    account: str = ""
    scope: str = ""
    webhook_secret: str = field(default="", repr=False)
    mapping: str | None = None
    slug: str = ""


class ConnectionChanges(TypedDict, total=False):
    """New values of a connection; those left out stay."""

    name: str
    base_url: str
    way: str
    account: str
    secret: str
    scope: str
    webhook_secret: str
    mapping: str


def add_connection(uow: UnitOfWork, actor: Actor, seal: Seal, lines: Lines, new: NewConnection) -> Connection:
    """Add a connection as a DRAFT; an ADMIN does this. Raises `Invalid` naming every bad field."""
    require_admin(actor)
    errors = _errors_of(new, lines)
    if not errors and _taken(uow, new):
        errors.append(FieldError("name", "There is a connection of this name."))
    if errors:
        raise Invalid(errors)
    id_ = new_id()
    row = Connection(
        id=id_,
        slug=_slug_of(new),
        name=clean_line(new.name),
        kind=new.kind,
        base_url=new.base_url.rstrip("/"),
        scope=new.scope.strip(),
        way=new.way,
        account=new.account.strip(),
        secret=seal.seal(new.secret, _place(id_, "secret")),
        webhook_secret=seal.seal(new.webhook_secret, _place(id_, "webhook")) if new.webhook_secret else None,
        mapping=new.mapping if new.mapping is not None else lines.shipped_mapping(new.kind),
        state=ConnectionState.DRAFT,
        breaker=Breaker.CLOSED,
        failures=0,
        pace=1.0,
        one_at_a_time=False,
        clock_offset=0.0,
        poll_at=uow.now,
        version=1,
        created_at=uow.now,
        updated_at=uow.now,
    )
    row.one_at_a_time = lines.open(address_of(row, seal)).capabilities.single_writer
    uow.session.add(row)
    timeline.add(uow, row.id, "connection.added", {"by": actor.name})
    _tell(uow, row, actor)
    return row


def require_admin(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor sets up connections."""
    if not actor.role.at_least(Role.ADMIN):
        raise Forbidden("Only administrators set up connections.")


def require_manager(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor steers sync."""
    if not actor.role.at_least(Role.MANAGER):
        raise Forbidden("Only managers steer sync.")


def _errors_of(new: NewConnection, lines: Lines) -> list[FieldError]:
    errors = [*_address_errors(new.base_url, new.way, new.account, new.secret)]
    if not 1 <= len(clean_line(new.name)) <= 100:
        errors.append(FieldError("name", "Use 1 to 100 characters."))
    if new.slug and not SLUG.fullmatch(new.slug):
        errors.append(FieldError("slug", "Use small letters, digits and hyphens, at most 60."))
    if new.kind not in lines.kinds():
        errors.append(FieldError("kind", f"Choose one of {', '.join(lines.kinds())}."))
    elif new.mapping is not None:
        errors += mapping_errors(new.mapping, new.kind)
    return errors


def _address_errors(base_url: str, way: str, account: str, secret: str) -> list[FieldError]:
    errors = []
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(base_url) > 500:
        errors.append(FieldError("base_url", "Enter the address of the tracker, such as https://example.org."))
    elif parts.username or parts.query or parts.fragment:
        errors.append(FieldError("base_url", "Leave out user, question mark and hash."))
    if way not in WAYS:
        errors.append(FieldError("way", f"Choose one of {', '.join(WAYS)}."))
    elif way != "bearer" and not account.strip():
        errors.append(FieldError("account", "Enter the user, or the client's id."))
    if not secret:
        errors.append(FieldError("secret", "Enter the password, token or client secret."))
    return errors


def mapping_errors(text: str, kind: str) -> list[FieldError]:
    """Return what is wrong with a mapping's text by itself, each with its line."""
    if len(text) > MAX_MAPPING:
        return [FieldError("mapping", f"Use at most {MAX_MAPPING} characters.")]
    try:
        mapping = parse(text)
    except MappingRefused as refused:
        return [_as_error(fault) for fault in refused.faults]
    if mapping.product != kind:
        return [FieldError("mapping", f"This mapping is for {mapping.product}, not for {kind}.")]
    return []


def _as_error(fault: Fault) -> FieldError:
    return FieldError("mapping", f"line {fault.line}, {fault.path}: {fault.message}")


def _slug_of(new: NewConnection) -> str:
    return new.slug or re.sub(r"[^a-z0-9]+", "-", clean_line(new.name).lower()).strip("-")[:60].strip("-") or new.kind


def _taken(uow: UnitOfWork, new: NewConnection) -> bool:
    same = (Connection.name == clean_line(new.name)) | (Connection.slug == _slug_of(new))
    return uow.execute(select(Connection.id).where(same)).first() is not None


def _place(connection_id: UUID, what: str) -> str:
    return f"connections/{connection_id}/{what}"


def address_of(row: Connection | Row[Any], seal: Seal) -> Address:
    """Return where a connection's tracker is, with its credentials; raises `Unreadable`."""
    hook = seal.open(row.webhook_secret, _place(row.id, "webhook")) if row.webhook_secret else ""
    return Address(
        connection_id=row.id,
        version=row.version,
        kind=row.kind,
        base_url=row.base_url,
        scope=row.scope,
        way=row.way,
        account=row.account,
        secret=seal.open(row.secret, _place(row.id, "secret")),
        webhook_secret=hook,
    )


# Changing


def change_connection(
    uow: UnitOfWork,
    actor: Actor,
    seal: Seal,
    connection_id: UUID,
    changes: ConnectionChanges,
    version: int | None = None,
) -> Connection:
    """Change a connection; an ADMIN does this. New credentials or a new address close its breaker.

    Credentials are never sent to another address than they were entered for: a new one asks for them again.
    """
    require_admin(actor)
    row = locked(uow, connection_id)
    require_version(version, row.version)
    errors = _change_errors(row, changes)
    if "name" in changes and _name_taken(uow, row, changes["name"]):
        errors.append(FieldError("name", "There is a connection of this name."))
    if errors:
        raise Invalid(errors)
    for name in ("name", "base_url", "way", "account", "scope", "mapping"):
        if name in changes:
            setattr(row, name, changes[name])
    row.name, row.base_url = clean_line(row.name), row.base_url.rstrip("/")
    if "secret" in changes:
        row.secret = seal.seal(changes["secret"], _place(row.id, "secret"))
    if "webhook_secret" in changes:
        row.webhook_secret = seal.seal(changes["webhook_secret"], _place(row.id, "webhook"))
    row.breaker, row.open_until, row.failures = Breaker.CLOSED, None, 0
    _touch(uow, row, actor)
    timeline.add(uow, row.id, "connection.changed", {"by": actor.name, "fields": sorted(changes)})
    return row


def _change_errors(row: Connection, changes: ConnectionChanges) -> list[FieldError]:
    errors = _address_errors(
        changes.get("base_url", row.base_url),
        changes.get("way", row.way),
        changes.get("account", row.account),
        changes.get("secret", "unchanged"),
    )
    if not 1 <= len(clean_line(changes.get("name", row.name))) <= 100:
        errors.append(FieldError("name", "Use 1 to 100 characters."))
    if changes.get("base_url", row.base_url).rstrip("/") != row.base_url and "secret" not in changes:
        errors.append(FieldError("secret", "Enter the password, token or client secret for the new address."))
    if "mapping" in changes:
        errors += mapping_errors(changes["mapping"], row.kind)
    return errors


def _name_taken(uow: UnitOfWork, row: Connection, name: str) -> bool:
    same = (Connection.name == clean_line(name)) & (Connection.id != row.id)
    return uow.execute(select(Connection.id).where(same)).first() is not None


def locked(uow: UnitOfWork, connection_id: UUID) -> Connection:
    """Load a connection for a change, locked until the transaction ends; raises `NotFound`."""
    row: Connection | None = uow.session.execute(
        select(Connection).where(Connection.id == connection_id).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def _touch(uow: UnitOfWork, row: Connection, actor: Actor) -> None:
    row.updated_at = uow.now
    row.version += 1
    _tell(uow, row, actor)


def _tell(uow: UnitOfWork, row: Connection, actor: Actor) -> None:
    uow.record(ConnectionChanged(subject_id=row.id, actor_id=actor.id, name=row.name, state=row.state))


# Trying it out


@dataclass(frozen=True)
class Trial:
    """What a connection test found: who we are there, what failed, and what its mapping gets wrong, line by line."""

    health: Health | None
    failure: str | None
    faults: list[Fault]

    @property
    def passed(self) -> bool:
        return self.failure is None and not self.faults


@dataclass(frozen=True)
class ToTry:
    """What a connection test needs of the desk: address and mapping, its categories' keys and teams' names."""

    address: Address
    mapping: str
    categories: tuple[str, ...]
    teams: tuple[str, ...]


def to_try(reader: Reader, actor: Actor, seal: Seal, connection_id: UUID) -> ToTry:
    """Return what `try_out` needs; an ADMIN asks."""
    require_admin(actor)
    row = reader.execute(select(Connection.__table__).where(Connection.id == connection_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    categories = reader.execute(select(Category.key).where(Category.active)).scalars().all()
    teams = reader.execute(select(Team.name).where(Team.active)).scalars().all()
    return ToTry(address_of(row, seal), row.mapping, tuple(categories), tuple(teams))


def try_out(lines: Lines, wanted: ToTry) -> Trial:
    """Sign in and hold the mapping against the tracker's live set-up. Talks to the tracker: outside of transactions."""
    connector, health = lines.open(wanted.address), None
    try:
        health = connector.check()
        metadata = connector.describe()
        faults = check(parse(wanted.mapping), metadata, connector.capabilities, wanted.categories, wanted.teams)
    except MappingRefused as refused:
        return Trial(health, None, list(refused.faults))
    except Failure as failure:
        return Trial(health, failure.reason, [])
    return Trial(health, None, list(faults))


def record_trial(uow: UnitOfWork, actor: Actor, connection_id: UUID, trial: Trial) -> Connection:
    """Keep the outcome: a DRAFT that passed is REHEARSED."""
    require_admin(actor)
    row = locked(uow, connection_id)
    if trial.passed and row.state is ConnectionState.DRAFT:
        row.state = ConnectionState.REHEARSED
        _touch(uow, row, actor)
    row.last_error = trial.failure
    if trial.health is not None:
        row.clock_offset = trial.health.clock_offset.total_seconds()
    timeline.add(uow, row.id, "connection.tried", {"by": actor.name, "passed": trial.passed, "failure": trial.failure})
    return row


# Letting it go


def activate(uow: UnitOfWork, actor: Actor, connection_id: UUID) -> Connection:
    """Let a connection work: a rehearsed one for the first time (ADMIN), a held one again (MANAGER)."""
    require_manager(actor)
    row = locked(uow, connection_id)
    if row.state is ConnectionState.DRAFT:
        raise Conflict("Test this connection first: it has never reached its tracker with this mapping.")
    if row.state is ConnectionState.REHEARSED:
        require_admin(actor)
    if row.state is not ConnectionState.ACTIVE:
        was_stopped = row.state is ConnectionState.STOPPED
        row.state, row.stopped_because = ConnectionState.ACTIVE, None
        row.breaker, row.open_until, row.failures = Breaker.CLOSED, None, 0
        row.poll_at = uow.now
        tail.begin(uow)
        if was_stopped:
            _forget_gone(uow, row.id)
        _touch(uow, row, actor)
        timeline.add(uow, row.id, "connection.activated", {"by": actor.name})
    return row


def _forget_gone(uow: UnitOfWork, connection_id: UUID) -> None:
    """Take the records that are gone for gone: whoever lets a stopped connection go on has looked into it."""
    gone = (SyncFailure.connection_id == connection_id) & (SyncFailure.failure == FailureClass.GONE)
    uow.execute(
        update(SyncFailure)
        .where(gone, SyncFailure.state == FailureState.OPEN)
        .values(state=FailureState.RETRIED, last_at=uow.now, closed_because="The connection was let go on.")
    )


def pause(uow: UnitOfWork, actor: Actor, connection_id: UUID) -> Connection:
    """Hold a connection up; what happens meanwhile is caught up when it goes on. A MANAGER does this."""
    require_manager(actor)
    row = locked(uow, connection_id)
    if row.state is not ConnectionState.ACTIVE:
        raise Conflict("Only an active connection can be paused.")
    row.state = ConnectionState.PAUSED
    _touch(uow, row, actor)
    timeline.add(uow, row.id, "connection.paused", {"by": actor.name})
    return row


def stop(uow: UnitOfWork, row: Connection, reason: str) -> None:
    """Stop a connection by itself, for a reason that a person must look at first."""
    row.state, row.stopped_because = ConnectionState.STOPPED, reason
    _touch(uow, row, SYSTEM)
    row.bad_since = row.bad_since or uow.now
    timeline.add(uow, row.id, "connection.stopped", {"reason": reason})
    uow.record(ConnectionWentBad(subject_id=row.id, actor_id=None, name=row.name, because="STOPPED", reason=reason))


def remove(uow: UnitOfWork, actor: Actor, connection_id: UUID) -> None:
    """Forget a connection and its links; nothing is deleted in the tracker. An ADMIN does this."""
    require_admin(actor)
    row = locked(uow, connection_id)
    if row.state is ConnectionState.ACTIVE:
        raise Conflict("Pause this connection before you remove it.")
    uow.execute(delete(SyncFailure).where(SyncFailure.connection_id == row.id))
    uow.execute(delete(Link).where(Link.connection_id == row.id))
    _tell(uow, row, actor)
    uow.session.delete(row)
