"""The API's choices among words. Written by `make docs` from the API's routes; change those instead."""

from enum import StrEnum


class AttachmentState(StrEnum):
    """CLEAN is handed out; QUARANTINED waits for the virus scanner; INFECTED is never handed out."""

    CLEAN = "CLEAN"
    INFECTED = "INFECTED"
    QUARANTINED = "QUARANTINED"


class Breaker(StrEnum):
    """Why nothing is sent for now. CLOSED: nothing is in the way."""

    AUTH = "AUTH"
    CLOSED = "CLOSED"
    OUTAGE = "OUTAGE"
    QUOTA = "QUOTA"
    THROTTLED = "THROTTLED"


class Bucket(StrEnum):
    """A choice of the API: Bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class By(StrEnum):
    """A choice of the API: By."""

    PRIORITY = "priority"
    CATEGORY = "category"
    TEAM = "team"
    ASSIGNEE = "assignee"


class Channel(StrEnum):
    """How a ticket came in."""

    API = "API"
    EMAIL = "EMAIL"
    IMPORT = "IMPORT"
    PHONE = "PHONE"
    PORTAL = "PORTAL"
    SYNC = "SYNC"


class Choice(StrEnum):
    """Whose value stays."""

    DESK = "desk"
    REMOTE = "remote"
    BOTH = "both"


class CommentType(StrEnum):
    """A choice of the API: CommentType."""

    COMMENT = "COMMENT"
    SOLUTION = "SOLUTION"
    WORK_NOTE = "WORK_NOTE"


class ConflictState(StrEnum):
    """SETTLED by the mapping's policy or by a person; OPEN waits for one."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"


class ConnectionHealth(StrEnum):
    """How a connection does, in a word; NEVER_RUN also for one that never reached its tracker."""

    FAILING = "failing"
    HEALTHY = "healthy"
    LAGGING = "lagging"
    NEVER_RUN = "never run"
    PAUSED = "paused"


class ConnectionState(StrEnum):
    """Where a connection is on its way: only an ACTIVE one is worked on; STOPPED says that the desk itself stopped
    it.

    REHEARSED: its mapping was checked against the live tracker.
    """

    ACTIVE = "ACTIVE"
    DRAFT = "DRAFT"
    PAUSED = "PAUSED"
    REHEARSED = "REHEARSED"
    STOPPED = "STOPPED"


class Dispatch(StrEnum):
    """How a team's tickets find their agent: by hand, each in turn, or whoever has the fewest open ones."""

    LEAST_LOADED = "LEAST_LOADED"
    MANUAL = "MANUAL"
    ROUND_ROBIN = "ROUND_ROBIN"


class Environment(StrEnum):
    """A choice of the API: Environment."""

    DEVELOPMENT = "DEVELOPMENT"
    PRODUCTION = "PRODUCTION"
    STAGING = "STAGING"
    TEST = "TEST"


class FailureClass(StrEnum):
    """What a failure asks of whoever sees it.

    LEFT_OUT: one comment, file or time entry could not be taken over; the rest of the record was. CIRCLES: one
    value was pushed over and over, so its link is paused.
    """

    AUTH = "auth"
    DEFECT = "defect"
    GOING_IN_CIRCLES = "going in circles"
    INVALID = "invalid"
    LEFT_OUT = "left out"
    OUTAGE = "outage"
    RECORD_GONE = "record gone"
    REJECTED = "rejected"
    SUSPECTED_DUPLICATE = "suspected duplicate"
    UNKNOWN_OUTCOME = "unknown outcome"
    UNMAPPED = "unmapped"


class FailureState(StrEnum):
    """A choice of the API: FailureState."""

    DISCARDED = "DISCARDED"
    HEALED = "HEALED"
    OPEN = "OPEN"
    RETRIED = "RETRIED"


class Format(StrEnum):
    """A choice of the API: Format."""

    JSON = "json"
    CSV = "csv"


class HistoryType(StrEnum):
    """A choice of the API: HistoryType."""

    ASSIGNMENT_CHANGE = "ASSIGNMENT_CHANGE"
    ATTACHMENT_ADDED = "ATTACHMENT_ADDED"
    ATTACHMENT_DELETED = "ATTACHMENT_DELETED"
    CLOSED = "CLOSED"
    COMMENT_ADDED = "COMMENT_ADDED"
    COMMENT_DELETED = "COMMENT_DELETED"
    COMMENT_UPDATED = "COMMENT_UPDATED"
    CREATED = "CREATED"
    ESCALATED = "ESCALATED"
    LINKED = "LINKED"
    PRIORITY_CHANGE = "PRIORITY_CHANGE"
    REOPENED = "REOPENED"
    RESOLVED = "RESOLVED"
    SLA_BREACH = "SLA_BREACH"
    STATUS_CHANGE = "STATUS_CHANGE"
    SYNCED = "SYNCED"
    SYNC_CONFLICT = "SYNC_CONFLICT"
    TIME_LOGGED = "TIME_LOGGED"
    UPDATE = "UPDATE"


class ImpactLevel(StrEnum):
    """A choice of the API: ImpactLevel."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    LOW = "LOW"
    MEDIUM = "MEDIUM"


class Kind(StrEnum):
    """Everything, or the work record: status, assignment, escalation, notes, time, resolution."""

    ALL = "all"
    WORK = "work"


class LinkState(StrEnum):
    """What a link is: CREATING and UNKNOWN have no record yet, CANDIDATE and IGNORED no ticket (yet)."""

    ACTIVE = "active"
    CANDIDATE = "candidate"
    CREATING = "creating"
    IGNORED = "ignored"
    ORPHAN_LOCAL = "orphan_local"
    ORPHAN_REMOTE = "orphan_remote"
    PAUSED = "paused"
    TOMBSTONE = "tombstone"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a check ended. WARNING: it works, though less well than it could. SKIPPED: something else failed first."""

    FAILED = "failed"
    PASSED = "passed"
    SKIPPED = "skipped"
    WARNING = "warning"


class Priority(StrEnum):
    """P1 Critical, P2 High, P3 Medium, P4 Low."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class RelationType(StrEnum):
    """How the first ticket stands to the second; PARENT: the first is the second's parent."""

    BLOCKS = "BLOCKS"
    DUPLICATE_OF = "DUPLICATE_OF"
    PARENT = "PARENT"
    RELATES = "RELATES"


class Role(StrEnum):
    """What a person may do; each role may all that the ones before it may."""

    ADMIN = "ADMIN"
    AGENT = "AGENT"
    END_USER = "END_USER"
    MANAGER = "MANAGER"
    TEAM_LEAD = "TEAM_LEAD"


class SearchOrder(StrEnum):
    """A choice of the API: SearchOrder."""

    RECENCY = "recency"
    RANK = "rank"


class SortBy(StrEnum):
    """A choice of the API: SortBy."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    ACTIVITY_AT = "activity_at"
    PRIORITY = "priority"
    NUMBER = "number"
    RESOLUTION_DUE_AT = "resolution_due_at"


class Status(StrEnum):
    """A choice of the API: Status."""

    CLOSED = "CLOSED"
    ESCALATED = "ESCALATED"
    IN_PROGRESS = "IN_PROGRESS"
    NEW = "NEW"
    OPEN = "OPEN"
    PENDING_INFO = "PENDING_INFO"
    REOPENED = "REOPENED"
    RESOLVED = "RESOLVED"


class TicketsOrder(StrEnum):
    """A choice of the API: TicketsOrder."""

    ASC = "asc"
    DESC = "desc"
