"""What hangs on a ticket merged with what hangs on a record: comments, files, time. Pure.

A child that is on both sides is tied by a `Tie`, which holds what each side said when they last agreed. What is not
tied is found by its marker (ours, when the answer to adding it was lost), or is new. Nothing internal ever becomes
public.
"""

from collections import abc
from dataclasses import dataclass
from datetime import datetime

from deskbridge.sync.connector import Attachment, Audience, Capabilities, Comment, NewComment, NewWorklog, Worklog
from deskbridge.sync.mapping import ChildRule


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
    """One child on both sides: the desk's key, the tracker's id, and a digest of what each side said."""

    key: str
    remote_id: str
    desk: str
    remote: str


# What is to be done


@dataclass(frozen=True)
class SendComment:
    """Add the comment to the record; then tie `comment.marker` to the id the tracker gives, with these digests."""

    comment: NewComment
    desk: str


@dataclass(frozen=True)
class EditRemote:
    remote_id: str
    key: str
    body: str
    desk: str


@dataclass(frozen=True)
class DeleteRemote:
    remote_id: str
    key: str


@dataclass(frozen=True)
class TakeComment:
    """Add the record's comment to the ticket as a message of this audience."""

    comment: Comment
    audience: Audience
    remote: str


@dataclass(frozen=True)
class EditDesk:
    key: str
    comment: Comment
    remote: str


@dataclass(frozen=True)
class DeleteDesk:
    """Remove it from the ticket: it began on the tracker and is gone there."""

    key: str
    remote_id: str


@dataclass(frozen=True)
class Retie:
    """Both sides have it and agree: tie it, or store these digests."""

    tie: Tie


@dataclass(frozen=True)
class Untie:
    """One side of it is gone and the other stays."""

    key: str
    remote_id: str


@dataclass(frozen=True)
class ChildClash:
    """Both sides changed it: the side that is `kept` stays, the other text is kept for people to see."""

    key: str
    desk: str
    remote: str


@dataclass(frozen=True)
class SendFile:
    file: DeskFile


@dataclass(frozen=True)
class TakeFile:
    """Download it; a file of the ticket with the same content and name is tied instead of added."""

    attachment: Attachment
    audience: Audience


@dataclass(frozen=True)
class SendTime:
    worklog: NewWorklog
    desk: str


@dataclass(frozen=True)
class TakeTime:
    worklog: Worklog
    remote: str


@dataclass(frozen=True)
class EditTime:
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
    | Untie
    | ChildClash
    | SendFile
    | TakeFile
    | SendTime
    | TakeTime
    | EditTime
)


def merge_comments(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskComment],
    remote: abc.Sequence[Comment],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings messages and comments together, oldest first."""
    raise NotImplementedError


def merge_files(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskFile],
    remote: abc.Sequence[Attachment],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings the files together, oldest first. The same content and name on both sides is one file."""
    raise NotImplementedError


def merge_times(
    rule: ChildRule,
    capabilities: Capabilities,
    desk: abc.Sequence[DeskTime],
    remote: abc.Sequence[Worklog],
    ties: abc.Sequence[Tie],
) -> list[Step]:
    """Return what brings time entries and worklogs together, oldest first."""
    raise NotImplementedError


def heard(comment: Comment) -> str:
    """Return the digest of a comment as the tracker tells it: what a tie holds after it was read back."""
    raise NotImplementedError
