"""What hangs on a ticket and on its record brought together: comments and time worked, each way, each once.

First what goes out, one call each; should an answer be lost, the next round finds it by its marker. Then, in one
transaction, what comes in and every tie.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import Invalid, NotFound
from deskbridge.people.actor import Actor
from deskbridge.sync import failures, leases, persons, timeline
from deskbridge.sync.belongings import Belongings, key_of, read_belongings, tie
from deskbridge.sync.children import (
    ChildClash,
    DeleteDesk,
    DeleteRemote,
    EditDesk,
    EditRemote,
    EditTime,
    Retie,
    SendComment,
    SendTime,
    Step,
    TakeComment,
    TakeTime,
    Tie,
    heard,
    logged,
    merge_comments,
    merge_times,
    spoken,
)
from deskbridge.sync.connector import Audience, Connector, Person, Rejected, WorklogKind
from deskbridge.sync.mapping import Direction
from deskbridge.sync.model import ChildKind, FailureClass, Link, RemotePerson
from deskbridge.sync.work import Work
from deskbridge.tickets import conversation, history, time_entries
from deskbridge.tickets.history import Elsewhere
from deskbridge.tickets.model import HistoryType, Ticket

T = TypeVar("T")
OUTGOING = (SendComment, EditRemote, DeleteRemote, SendTime)


@dataclass
class Sent:
    """What went out in this round: ties to store, and what the tracker refused."""

    ties: list[tuple[ChildKind, Tie]] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)


def exchange(database: Database, connector: Connector, work: Work) -> Work:
    """Bring comments and time entries together; returns the work with the hints it made itself taken note of.

    Raises what the tracker refused once everything else is done.
    """
    assert work.desk is not None
    assert work.remote_id is not None
    mine = database.read(read_belongings, work.desk.id, work.link_id, work.mapping, work.connection, work.linked_at)
    steps = _comment_steps(connector, work, mine) + _time_steps(connector, work, mine)
    if not steps:
        return work
    database.write(leases.extend, work.taken)
    sent = _send(connector, work.remote_id, steps)
    incoming = [step for step in steps if not isinstance(step, OUTGOING)]
    hints = database.write(_store, work, mine, sent, incoming)
    if sent.refused:
        raise sent.refused[0]
    return replace(work, taken=replace(work.taken, hints=hints))


def _comment_steps(connector: Connector, work: Work, mine: Belongings) -> list[Step]:
    assert work.remote_id is not None
    if work.mapping.comments.direction is Direction.NONE:
        return []
    theirs = connector.comments(work.remote_id)
    return merge_comments(work.mapping.comments, connector.capabilities, mine.comments, theirs, mine.comment_ties)


def _time_steps(connector: Connector, work: Work, mine: Belongings) -> list[Step]:
    assert work.remote_id is not None
    kept = connector.capabilities.worklogs is WorklogKind.ENTRIES
    if not kept or work.mapping.time_entries.direction is Direction.NONE:
        return []
    theirs = connector.worklogs(work.remote_id)
    return merge_times(work.mapping.time_entries, connector.capabilities, mine.times, theirs, mine.time_ties)


# Out


def _send(connector: Connector, remote_id: str, steps: Sequence[Step]) -> Sent:
    sent = Sent()
    comments: dict[str, Tie] = {}
    times: dict[str, Tie] = {}
    for step in steps:
        try:
            if isinstance(step, SendComment):
                id_ = connector.add_comment(remote_id, step.comment)
                comments[id_] = Tie(step.comment.marker, id_, step.desk, "")
            elif isinstance(step, EditRemote):
                connector.edit_comment(remote_id, step.remote_id, step.body)
                comments[step.remote_id] = Tie(step.key, step.remote_id, step.desk, "")
            elif isinstance(step, DeleteRemote):
                connector.delete_comment(remote_id, step.remote_id)
                sent.ties.append((ChildKind.COMMENT, Tie(step.key, step.remote_id, "", "", dropped=True)))
            elif isinstance(step, SendTime):
                id_ = connector.add_worklog(remote_id, step.worklog)
                times[id_] = Tie(step.worklog.marker, id_, step.desk, "")
        except Rejected as refused:
            sent.refused.append(refused)
    sent.ties += _read_back(comments, ChildKind.COMMENT, lambda: connector.comments(remote_id), heard)
    sent.ties += _read_back(times, ChildKind.TIME_ENTRY, lambda: connector.worklogs(remote_id), logged)
    return sent


def _read_back(
    new: dict[str, Tie], kind: ChildKind, read: Callable[[], Sequence[T]], digest: Callable[[T], str]
) -> list[tuple[ChildKind, Tie]]:
    """Complete ties with what the tracker made of what it was given; one it does not show yet is found later."""
    if not new:
        return []
    shown = {str(getattr(one, "id", "")): one for one in read()}
    return [(kind, replace(tied, remote=digest(shown[id_]))) for id_, tied in new.items() if id_ in shown]


# In


def _store(uow: UnitOfWork, work: Work, mine: Belongings, sent: Sent, incoming: Sequence[Step]) -> int:
    """Take in what is new and store every tie; returns how many hints the link has, without those made here."""
    link = leases.held(uow, work.taken)
    assert link.ticket_id is not None
    before = link.hints
    for kind, tied in sent.ties:
        tie(uow, link.id, kind, tied, mine.local.get(tied.key), from_tracker=False)
    for step in incoming:
        _take(uow, work, link, mine, step)
    if sent.ties or incoming:
        details = {"sent": len(sent.ties), "taken": len(incoming)}
        timeline.add(uow, link.connection_id, "children", details, link)
    uow.session.flush()
    uow.session.refresh(link, ["hints"])
    return link.hints if before == work.taken.hints else work.taken.hints


def _take(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: Step) -> None:
    if isinstance(step, Retie):
        kind = _kind(mine, step.tie.key)
        tie(uow, link.id, kind, step.tie, mine.local.get(step.tie.key), from_tracker=False)
    elif isinstance(step, ChildClash):
        _tell_clash(uow, work, link, step)
    else:
        try:
            with uow.session.begin_nested():
                _take_in(uow, work, link, mine, step)
        except Invalid as refused:
            _refuse(uow, link, step, refused)


def _kind(mine: Belongings, key: str) -> ChildKind:
    is_time = any(one.key == key for one in mine.times) or any(one.key == key for one in mine.time_ties)
    return ChildKind.TIME_ENTRY if is_time else ChildKind.COMMENT


def _take_in(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: Step) -> None:
    assert link.ticket_id is not None
    if isinstance(step, TakeComment):
        actor, elsewhere = _author(uow, work, step.comment.author, step.comment.created_at)
        say = conversation.reply if step.audience is Audience.PUBLIC else conversation.note
        message = say(uow, actor, link.ticket_id, step.comment.body, elsewhere=elsewhere)
        tied = Tie(key_of(message.id, link.id), step.comment.id, spoken(message.content), step.remote)
        tie(uow, link.id, ChildKind.COMMENT, tied, message.id, from_tracker=True)
    elif isinstance(step, TakeTime):
        _take_time(uow, work, link, step)
    elif isinstance(step, EditDesk):
        edited = conversation.edit_message(uow, work.actor, mine.local[step.key], step.comment.body)
        tied = Tie(step.key, step.comment.id, spoken(edited.content), step.remote)
        tie(uow, link.id, ChildKind.COMMENT, tied, edited.id, from_tracker=True)
    elif isinstance(step, EditTime):
        entry = time_entries.change_time(
            uow, work.actor, mine.local[step.key], {"minutes": step.worklog.minutes, "note": step.worklog.note}
        )
        tied = Tie(step.key, step.worklog.id, "", step.remote)
        tie(uow, link.id, ChildKind.TIME_ENTRY, tied, entry.id, from_tracker=True)
    elif isinstance(step, DeleteDesk):
        _delete(uow, work, link, mine, step)


def _take_time(uow: UnitOfWork, work: Work, link: Link, step: TakeTime) -> None:
    assert link.ticket_id is not None
    worklog = step.worklog
    actor, elsewhere = _author(uow, work, worklog.author, worklog.started_at)
    entry = time_entries.log_time(
        uow, actor, link.ticket_id, worklog.minutes, worklog.note, min(elsewhere.at, uow.now), elsewhere=elsewhere
    )
    tied = Tie(key_of(entry.id, link.id), worklog.id, "", step.remote)
    tie(uow, link.id, ChildKind.TIME_ENTRY, tied, entry.id, from_tracker=True)


def _author(uow: UnitOfWork, work: Work, author: Person | None, at: datetime) -> tuple[Actor, Elsewhere]:
    """Return who says it here: whoever that is in the desk, by the map of people, else the name alone."""
    user_id: UUID | None = None
    if author is not None:
        persons.meet(uow, work.connection_id, [author])
        uow.session.flush()
        user_id = uow.session.get_one(RemotePerson, (work.connection_id, author.id)).user_id
    name = author.name if author is not None else work.connection
    actor = replace(work.actor, id=user_id, name=name)
    return actor, Elsewhere(name, work.connection, at - work.clock_offset)


def _delete(uow: UnitOfWork, work: Work, link: Link, mine: Belongings, step: DeleteDesk) -> None:
    kind = _kind(mine, step.key)
    try:
        if kind is ChildKind.TIME_ENTRY:
            time_entries.delete_time(uow, work.actor, mine.local[step.key])
        else:
            conversation.delete_message(uow, work.actor, mine.local[step.key])
    except NotFound:  # somebody here was faster
        pass
    tied = Tie(step.key, step.remote_id, "", "", dropped=True)
    tie(uow, link.id, kind, tied, mine.local.get(step.key), from_tracker=True)


def _refuse(uow: UnitOfWork, link: Link, step: Step, refused: Invalid) -> None:
    """Something of the tracker's that the desk cannot hold: told once, and not tried again."""
    if isinstance(step, TakeComment):
        kind, remote_id, remote = ChildKind.COMMENT, step.comment.id, step.remote
    elif isinstance(step, TakeTime):
        kind, remote_id, remote = ChildKind.TIME_ENTRY, step.worklog.id, step.remote
    else:
        raise refused
    tied = Tie(f"{kind}:{remote_id}"[:100], remote_id, "", remote, dropped=True)
    tie(uow, link.id, kind, tied, None, from_tracker=True)
    field_name = f"{kind} {refused.errors[0].field}"
    failures.note(uow, link, FailureClass.INVALID, refused.detail, field=field_name, payload={"record": remote_id})


def _tell_clash(uow: UnitOfWork, work: Work, link: Link, step: ChildClash) -> None:
    """Both sides changed one text; the one that did not stay is kept in the ticket's history."""
    assert link.ticket_id is not None
    ticket = uow.session.get_one(Ticket, link.ticket_id)
    details = {"desk": step.desk, "remote": step.remote, "winner": "desk" if step.desk_stays else "remote"}
    history.write(uow, work.actor, ticket, HistoryType.SYNC_CONFLICT, field="comment", details=details)
