"""What hangs on a ticket merged with what hangs on a record: comments, files, time. Pure.

A child that is on both sides is tied by a `Tie`, which holds what each side said when they last agreed. What is not
tied is found by its marker (ours, when the answer to adding it was lost), or is new. Nothing internal ever becomes
public, and nothing is ever added twice: what was let go of stays known.
"""

import hashlib
from collections import abc
from dataclasses import dataclass
from datetime import datetime

from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
    Capabilities,
    Comment,
    NewComment,
    NewWorklog,
    Worklog,
    WorklogKind,
)
from deskbridge.sync.mapping import ChildRule
from deskbridge.sync.merge import same_words


@dataclass(frozen=True)
class DeskComment:
    """A message of the ticket. `key` is its marker, unique to message and connection; `system` is where it was written.

    What was announced and resolution notes come as comments too, under keys of their own. `deleted` ones are listed
    while they are tied. `own` tells that it began on the desk or another tracker, not on this one.
    """

    key: str
    body: str
    audience: Audience
    author: str
    system: str
    created_at: datetime
    own: bool = True
    deleted: bool = False


@dataclass(frozen=True)
class DeskFile:
    """A file of the ticket that was found clean. `sha256` in hex."""

    key: str
    name: str
    size: int
    sha256: str
    audience: Audience
    deleted: bool = False


@dataclass(frozen=True)
class DeskTime:
    """A time entry of the ticket, in whole minutes."""

    key: str
    minutes: int
    note: str
    started_at: datetime
    author: str
    system: str
    own: bool = True
    deleted: bool = False


@dataclass(frozen=True)
class Tie:
    """One child on both sides: the desk's key, the tracker's id, and a digest of what each side said.

    `remote_id` is empty while it is on its way and its answer is out, `remote` while it was not read back.
    `dropped` ones are let go of: one side is gone, the other is never touched again, and neither is brought back.
    `fresh` ones were stored so short ago that the tracker may not show them yet: what is missing is not gone.
    """

    key: str
    remote_id: str
    desk: str
    remote: str
    dropped: bool = False
    fresh: bool = False


# What is to be done


@dataclass(frozen=True)
class SendComment:
    """Add it to the record, then tie it: `comment.marker`, the id the tracker gives, `desk`, `heard` as read back."""

    comment: NewComment
    desk: str


@dataclass(frozen=True)
class EditRemote:
    """Give our comment over there this text, then tie it anew."""

    key: str
    remote_id: str
    body: str
    desk: str


@dataclass(frozen=True)
class DeleteRemote:
    """Remove our comment over there, then drop the tie."""

    key: str
    remote_id: str


@dataclass(frozen=True)
class TakeComment:
    """Add it to the ticket as a message of this audience, and tie it."""

    comment: Comment
    audience: Audience
    remote: str


@dataclass(frozen=True)
class EditDesk:
    """Give the message its author's new text, and tie it anew."""

    key: str
    comment: Comment
    remote: str


@dataclass(frozen=True)
class DeleteDesk:
    """Remove it from the ticket, for it came from the tracker and is gone there; then drop the tie."""

    key: str
    remote_id: str


@dataclass(frozen=True)
class Retie:
    """Store this tie: both sides have it, or it is let go of."""

    tie: Tie


@dataclass(frozen=True)
class ChildClash:
    """Both sides changed it and the author's text stays; the other one is kept for people to see."""

    key: str
    desk: str
    remote: str
    desk_stays: bool


@dataclass(frozen=True)
class SendFile:
    """Stream it up and tie it."""

    file: DeskFile


@dataclass(frozen=True)
class TakeFile:
    """Download it, add it to the ticket, and tie it.

    When a file of the ticket has the same content and name, tie that one instead. When that one is tied already, or the
    file is refused, store a tie that is dropped, so that it is not downloaded again.
    """

    attachment: Attachment
    audience: Audience


@dataclass(frozen=True)
class SendTime:
    """Log it over there, then tie it: `worklog.marker`, the id the tracker gives, `desk`, `logged` as read back."""

    worklog: NewWorklog
    desk: str


@dataclass(frozen=True)
class TakeTime:
    """Add it to the ticket, and tie it."""

    worklog: Worklog
    remote: str


@dataclass(frozen=True)
class EditTime:
    """Give the entry its new minutes, note and start, and tie it anew."""

    key: str
    worklog: Worklog
    remote: str


Step = (
    SendComment
    | EditRemote
    | DeleteRemote
    | TakeComment
    | EditDesk
    | DeleteDesk
    | Retie
    | ChildClash
    | SendFile
    | TakeFile
    | SendTime
    | TakeTime
    | EditTime
)


# Comments


def merge_comments(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskComment],
    remote: abc.Sequence[Comment],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings messages and comments together, oldest first within each way."""
    here, there = {one.key: one for one in desk}, {one.id: one for one in remote}
    tied = _Tied(ties)
    emptied = len(tied.live) > 1 and not there
    steps: list[Step] = []
    for tie in tied.live:
        steps += _tied_comment(rule, capabilities, tie, here.get(tie.key), there.get(tie.remote_id), emptied)
    found: set[str] = set()
    for theirs in remote:
        if theirs.id in tied.remote_ids:
            continue
        mine = here.get(theirs.marker or "")
        if theirs.marker is None:
            steps += _taken(rule, capabilities, theirs)
        elif mine is not None and mine.key not in tied.arrived | found:
            found.add(mine.key)
            steps.append(Retie(_found(mine, theirs)))
    steps += [
        SendComment(NewComment(sent_as(mine), mine.audience, mine.key), spoken(mine.body))
        for mine in sorted(desk, key=lambda one: one.created_at)
        if mine.key not in tied.keys | found and _goes_out(rule, mine)
    ]
    return steps


def sent_as(comment: DeskComment) -> str:
    """Return a message as it goes to a tracker: with who wrote it, and where."""
    return f"**{comment.author}** ({comment.system}):\n\n{comment.body}"


def heard(comment: Comment) -> str:
    """Return the digest of a comment as the tracker tells it: what a tie holds after it was read back."""
    return _digest(comment.body)


def spoken(body: str) -> str:
    """Return the digest of a message's text: what a tie holds after it was added to the ticket or changed there."""
    return _digest(body)


def _found(mine: DeskComment, theirs: Comment) -> Tie:
    """Tie what was added though its answer was lost; a message that was edited since then counts as edited."""
    is_as_sent = same_words(sent_as(mine), theirs.body)
    return Tie(mine.key, theirs.id, spoken(mine.body) if is_as_sent else "", heard(theirs))


def _goes_out(rule: ChildRule, mine: DeskComment) -> bool:
    return mine.own and not mine.deleted and rule.direction.outward and mine.audience in rule.audiences


def _taken(rule: ChildRule, capabilities: Capabilities, theirs: Comment) -> list[Step]:
    if not rule.direction.inward:
        return []
    is_public = capabilities.audiences is Audiences.BOTH and theirs.audience is Audience.PUBLIC
    return [TakeComment(theirs, Audience.PUBLIC if is_public else Audience.INTERNAL, heard(theirs))]


def _tied_comment(
    rule: ChildRule,
    capabilities: Capabilities,
    tie: Tie,
    mine: DeskComment | None,
    theirs: Comment | None,
    emptied: bool,
) -> list[Step]:
    """What a tied comment needs. When all of a record's comments are gone at once, a right was lost."""
    if mine is None or mine.deleted:
        may = mine is not None and mine.own and rule.direction.outward and capabilities.comment_delete
        return [DeleteRemote(tie.key, tie.remote_id)] if may and theirs is not None else [_dropped(tie)]
    if theirs is None:
        if emptied or tie.fresh:
            return []
        return [DeleteDesk(tie.key, tie.remote_id)] if rule.direction.inward and not mine.own else [_dropped(tie)]
    desk_changed, remote_changed = spoken(mine.body) != tie.desk, tie.remote not in {"", heard(theirs)}
    if mine.own:
        return _own_edited(rule, capabilities, tie, mine, theirs, desk_changed, remote_changed)
    if not remote_changed or not rule.direction.inward:
        return []
    clash: list[Step] = [ChildClash(tie.key, mine.body, theirs.body, desk_stays=False)] if desk_changed else []
    return [*clash, EditDesk(tie.key, theirs, heard(theirs))]


def _own_edited(
    rule: ChildRule,
    capabilities: Capabilities,
    tie: Tie,
    mine: DeskComment,
    theirs: Comment,
    desk_changed: bool,
    remote_changed: bool,
) -> list[Step]:
    """A message of ours follows its author. What others made of it over there stays there until the author edits it."""
    if not desk_changed:
        return [] if tie.remote else [Retie(Tie(tie.key, tie.remote_id, tie.desk, heard(theirs)))]
    said = spoken(mine.body)
    if not rule.direction.outward or not capabilities.comment_edit:
        return [Retie(Tie(tie.key, tie.remote_id, said, tie.remote))]
    clash: list[Step] = [ChildClash(tie.key, mine.body, theirs.body, desk_stays=True)] if remote_changed else []
    return [*clash, EditRemote(tie.key, tie.remote_id, sent_as(mine), said)]


# Files


def merge_files(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskFile],
    remote: abc.Sequence[Attachment],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings the files together, oldest first. The same content and name on both sides is one file.

    Where a tracker does not tell a file's content, one of the same name and size waits for the download to tell.
    Files that are gone on one side are let go of, and stay on the other.
    """
    tied = _Tied(ties)
    here = [one for one in desk if one.key not in tied.arrived and not one.deleted]
    living, there = {one.key for one in desk if not one.deleted}, {one.id for one in remote}
    emptied = len(tied.live) > 1 and not there
    steps: list[Step] = [
        _dropped(tie)
        for tie in tied.live
        if tie.key not in living or (tie.remote_id not in there and not emptied and not tie.fresh)
    ]
    waiting: set[str] = set()
    for theirs in remote:
        if theirs.id in tied.remote_ids:
            continue
        twins = [one for one in here if one.key not in waiting and _may_be(one, theirs)]
        if twins and (theirs.sha256 is not None or not rule.direction.inward):
            waiting.add(twins[0].key)
            steps.append(Retie(Tie(twins[0].key, theirs.id, twins[0].sha256, twins[0].sha256)))
        elif rule.direction.inward:
            waiting |= {one.key for one in twins}
            steps.append(TakeFile(theirs, Audience.INTERNAL))
    return steps + [
        SendFile(one) for one in here if one.key not in tied.keys | waiting and _may_go(rule, capabilities, one)
    ]


def _may_be(mine: DeskFile, theirs: Attachment) -> bool:
    same = mine.size == theirs.size if theirs.sha256 is None else mine.sha256 == theirs.sha256
    return same and mine.name == theirs.name


def _may_go(rule: ChildRule, capabilities: Capabilities, mine: DeskFile) -> bool:
    fits = mine.size <= capabilities.max_attachment_size
    return rule.direction.outward and mine.audience in rule.audiences and fits


# Time


def merge_times(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskTime],
    remote: abc.Sequence[Worklog],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings time entries and worklogs together, oldest first within each way.

    Trackers are told of new entries only: one that is changed or removed on the desk later stays there as it was.
    """
    if capabilities.worklogs is not WorklogKind.ENTRIES:
        return []
    here, there = {one.key: one for one in desk}, {one.id: one for one in remote}
    tied = _Tied(ties)
    emptied = len(tied.live) > 1 and not there
    steps: list[Step] = []
    for tie in tied.live:
        steps += _tied_time(rule, tie, here.get(tie.key), there.get(tie.remote_id), emptied)
    found: set[str] = set()
    for theirs in remote:
        if theirs.id in tied.remote_ids:
            continue
        mine = here.get(theirs.marker or "")
        if theirs.marker is None:
            steps += [TakeTime(theirs, logged(theirs))] if rule.direction.inward else []
        elif mine is not None and mine.key not in tied.arrived | found:
            found.add(mine.key)
            steps.append(Retie(Tie(mine.key, theirs.id, _digest(mine.note), logged(theirs))))
    steps += [
        SendTime(NewWorklog(mine.minutes, _note(mine), mine.started_at, mine.key), _digest(mine.note))
        for mine in sorted(desk, key=lambda one: one.started_at)
        if mine.key not in tied.keys | found and mine.own and not mine.deleted and rule.direction.outward
    ]
    return steps


def logged(worklog: Worklog) -> str:
    """Return the digest of a worklog as the tracker tells it."""
    return _digest(f"{worklog.minutes} {worklog.started_at.isoformat()} {worklog.note}")


def _note(mine: DeskTime) -> str:
    who = f"{mine.author} ({mine.system})"
    return f"{who}: {mine.note}" if mine.note else who


def _tied_time(rule: ChildRule, tie: Tie, mine: DeskTime | None, theirs: Worklog | None, emptied: bool) -> list[Step]:
    if mine is None or mine.deleted:
        return [_dropped(tie)]
    if theirs is None:
        gone: Step = DeleteDesk(tie.key, tie.remote_id) if rule.direction.inward and not mine.own else _dropped(tie)
        return [] if emptied or tie.fresh else [gone]
    changed = logged(theirs) != tie.remote
    return [EditTime(tie.key, theirs, logged(theirs))] if changed and not mine.own and rule.direction.inward else []


# Ties


class _Tied:
    """What is known already, on either side; `live` are those not let go of, `arrived` the keys not on their way."""

    def __init__(self, ties: abc.Sequence[Tie]) -> None:
        self.live = [tie for tie in ties if tie.remote_id and not tie.dropped]
        self.keys = {tie.key for tie in ties}
        self.arrived = {tie.key for tie in ties if tie.remote_id}
        self.remote_ids = {tie.remote_id for tie in ties if tie.remote_id}


def _dropped(tie: Tie) -> Retie:
    return Retie(Tie(tie.key, tie.remote_id, tie.desk, tie.remote, dropped=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
