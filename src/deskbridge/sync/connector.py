"""The connector SDK: what a tracker's connector is asked for, and the words both sides use. No I/O here.

A connector speaks one tracker's API. It keeps no state but its credentials and what it has learnt of the tracker's
set-up; it never retries a write by itself, and says with one of five failures what its caller is to do next.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

Value = str | int | float | bool | datetime | tuple[str, ...] | None
"""A field's value as both sides compare it: text is Markdown, choices are the tracker's own ids, sets are sorted."""


# Failures, named by what whoever sees them must do


class Failure(Exception):
    """The base of what can go wrong between us and a tracker. `reason` is for an operator and holds no secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AuthFailed(Failure):
    """Re-authorise the connection: the credentials are wrong, expired, revoked, or lack a right it needs."""


class RetryLater(Failure):
    """Wait: the tracker is away, overloaded or out of allowance. Nothing was changed.

    `after` is what the tracker asked for, None when it did not say. `quota` tells an exhausted allowance, which ends
    only when its period does, from a passing fault. `one_record`: only this record was changed too often, others may.
    """

    def __init__(
        self, reason: str, after: timedelta | None = None, *, quota: bool = False, one_record: bool = False
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.quota = quota
        self.one_record = one_record


class Rejected(Failure):
    """Fix this record: the tracker understood and refused. `field` is the tracker's name of the field, if it told."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


class Unknown(Failure):
    """Look before anything is sent again: the request went out, and whether it took effect is not known."""


class Moved(Failure):
    """Plan anew: the record changed between reading it and writing it, so nothing was written."""


# How fast


class Pace(Protocol):
    """How fast one tracker is called, by all who call it: a number of calls a second, some of them at once."""

    def take(self) -> timedelta:
        """Take a turn and return zero, or return how long it is until there may be one and take none.

        Raises `RetryLater` while the tracker wants no calls at all.
        """
        ...

    def hold(self, failure: RetryLater) -> None:
        """Let no call go out for as long as the tracker asked, and fewer after that."""
        ...


# What a tracker can do


class Audiences(StrEnum):
    """Which audiences a tracker's comments can have."""

    BOTH = "both"
    INTERNAL_ONLY = "internal only"


class WorklogKind(StrEnum):
    """How a tracker keeps time: entry by entry, as one total in a field, or not at all."""

    ENTRIES = "entries"
    TOTAL = "total"
    NONE = "none"


@dataclass(frozen=True)
class Capabilities:
    """What a tracker can do, so that the engine never has to ask which one it is.

    `unique_key`: creating twice with one key makes one record. `conditional_update`: the tracker itself refuses a write
    to a record that moved; otherwise the connector reads the version right before it writes. `lookback`: how far behind
    its watermark the change feed may still show something new. `settle`: how long after a lost answer a look-up by key
    may still miss the record. `single_writer`: never two writes at once.
    """

    unique_key: bool
    conditional_update: bool
    audiences: Audiences
    comment_edit: bool
    comment_delete: bool
    worklogs: WorklogKind
    webhooks: bool
    max_comment_length: int
    max_attachment_size: int
    lookback: timedelta
    settle: timedelta
    single_writer: bool = False


class FieldKind(StrEnum):
    TEXT = "text"
    RICH_TEXT = "rich text"
    CHOICE = "choice"
    CHOICES = "choices"
    LABELS = "labels"
    PERSON = "person"
    NUMBER = "number"
    DATE_TIME = "date-time"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class FieldInfo:
    """One field of the tracker's records. `choices` are the ids a CHOICE may hold, with their labels."""

    name: str
    label: str
    kind: FieldKind
    required: bool = False
    writable: bool = True
    max_length: int | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Metadata:
    """The tracker's live set-up, to check a mapping against.

    `statuses` are ids with labels; `status_field` is among `fields` but changes only by `transition`. `step_fields` are
    what a step between statuses takes beside the fields of the record.
    """

    fields: Mapping[str, FieldInfo]
    status_field: str
    statuses: Mapping[str, str]
    step_fields: Mapping[str, FieldInfo] = field(default_factory=dict)


@dataclass(frozen=True)
class Health:
    """The answer of a connection test. `clock_offset` is the tracker's clock minus ours."""

    account: str
    product: str
    time_zone: str
    clock_offset: timedelta


# Records


class Audience(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Person:
    """Somebody in the tracker, by the id that never changes."""

    id: str
    name: str
    email: str | None = None


@dataclass(frozen=True)
class Ref:
    """A record: its immutable id, the key people know it by, and the page it is shown on."""

    id: str
    key: str
    url: str


@dataclass(frozen=True)
class Record:
    """A record, fetched fresh. `version` changes with every change of it and compares only for equality.

    `fields` has every readable field by the tracker's own name. `lossy` names the rich-text fields whose Markdown is
    not all of what the tracker holds: those are written back only when the desk's side was edited.
    """

    ref: Ref
    version: str
    created_at: datetime
    updated_at: datetime
    reporter: Person | None
    fields: Mapping[str, Value]
    lossy: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Comment:
    """A comment. `marker` is the key we gave it when it is ours, read back from where the tracker lets us keep it."""

    id: str
    body: str
    audience: Audience
    author: Person | None
    created_at: datetime
    updated_at: datetime
    marker: str | None = None
    lossy: bool = False


@dataclass(frozen=True)
class Attachment:
    """A file of a record. `sha256` (hex) where the tracker tells it."""

    id: str
    name: str
    size: int
    media_type: str
    author: Person | None
    created_at: datetime
    sha256: str | None = None


@dataclass(frozen=True)
class Worklog:
    """Time worked on a record, in whole minutes."""

    id: str
    minutes: int
    note: str
    started_at: datetime
    author: Person | None
    marker: str | None = None


@dataclass(frozen=True)
class NewComment:
    """A comment to add: Markdown, with the key it can be found by should the answer be lost."""

    body: str
    audience: Audience
    marker: str


@dataclass(frozen=True)
class NewAttachment:
    """A file to add; `chunks` is read once."""

    name: str
    media_type: str
    size: int
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class NewWorklog:
    """Time to log, with the key it can be found by should the answer be lost."""

    minutes: int
    note: str
    started_at: datetime
    marker: str


# Change feeds


@dataclass(frozen=True)
class Watermark:
    """How far a change feed was read: the tracker's own time, and the last id at that time."""

    at: datetime
    tie: str = ""


@dataclass(frozen=True)
class Hit:
    """One record the feed shows as changed, or as deleted. Seen again with the same version, it is nothing new."""

    remote_id: str
    version: str
    updated_at: datetime
    deleted: bool = False


@dataclass(frozen=True)
class ChangePage:
    """A page of the feed, oldest first, and where the next begins. `more` is False on the last one for now."""

    hits: Sequence[Hit]
    next: Watermark
    more: bool


@dataclass(frozen=True)
class Hint:
    """What a webhook told: something about a record may have changed. `dedupe_key` is the same when it is resent."""

    remote_id: str
    event: str
    dedupe_key: str


class Connector(Protocol):
    """One tracker, spoken. Any method may raise `AuthFailed` or `RetryLater`; writes also `Rejected` and `Unknown`."""

    capabilities: Capabilities

    def check(self) -> Health:
        """Sign in and say as whom; the first thing a new connection does, and the probe after an outage."""
        ...

    def describe(self) -> Metadata:
        """Return the tracker's live set-up."""
        ...

    def fetch(self, remote_id: str) -> Record | None:
        """Return a record as it is now, read consistently; None when it is gone or hidden from this account."""
        ...

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        """Return what changed at or after a watermark; the caller has already gone back by `lookback`."""
        ...

    def now(self) -> datetime:
        """Return the tracker's own time: where a new feed begins."""
        ...

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        """Create a record that carries our key. With `unique_key`, creating it again returns the one there is."""
        ...

    def find_by_key(self, key: str) -> Sequence[Ref]:
        """Return the records that carry our key: none, one, or the duplicates to show somebody."""
        ...

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        """Write these fields of a record that is still at `version`; raises `Moved` when it is not."""
        ...

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        """Bring a record to a status along the shortest path of the tracker's live transitions.

        `fields` are what the steps demand (a resolution, close notes). Returns the statuses passed, the last one the
        wanted one; empty when it was there already. `Rejected` when no path leads there, or names the demanded field
        that is missing.
        """
        ...

    def comments(self, remote_id: str) -> Sequence[Comment]:
        """Return a record's comments, oldest first."""
        ...

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        """Add a comment and return its id; one that is too long is split or attached, never cut."""
        ...

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:
        """Change a comment's text, where `comment_edit`."""
        ...

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        """Remove a comment, where `comment_delete`."""
        ...

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        """Return a record's files, oldest first."""
        ...

    def download(self, remote_id: str, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file for streaming; credentials never go to another host than the connection's."""
        ...

    def add_attachment(self, remote_id: str, attachment: NewAttachment, audience: Audience) -> str:
        """Stream a file up and return its id."""
        ...

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:
        """Return the time logged on a record, oldest first; empty where the tracker keeps none."""
        ...

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:
        """Log time and return the entry's id, where `worklogs` are ENTRIES."""
        ...

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """Verify a webhook over its raw bytes and return what it hints at; `AuthFailed` when the signature is wrong.

        Header names are lower-case. What does not concern records gives no hints.
        """
        ...
