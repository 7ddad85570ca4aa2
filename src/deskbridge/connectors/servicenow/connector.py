"""ServiceNow's incidents in the words of the connector SDK."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from deskbridge.connectors.plaintext import to_plain
from deskbridge.connectors.servicenow import columns, records
from deskbridge.connectors.servicenow.client import TABLE, Client, Row, after, key_of, moment_of, sys_id_of
from deskbridge.connectors.servicenow.columns import STATUS, Columns
from deskbridge.connectors.servicenow.journal import LONGEST, Mark, entries, marked, parts_found, together
from deskbridge.connectors.servicenow.richtext import from_journal, to_journal
from deskbridge.connectors.shared import Line, Opens, Site, exactly, require_signature
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
    AuthFailed,
    Capabilities,
    ChangePage,
    Comment,
    Health,
    Hint,
    Hit,
    Metadata,
    Moved,
    NewAttachment,
    NewComment,
    NewWorklog,
    Person,
    Record,
    Ref,
    Rejected,
    RetryLater,
    Unknown,
    Value,
    Watermark,
    Worklog,
    WorklogKind,
)

_ON_HOLD, _RESOLVED, _CLOSED, _CANCELED = "3", "6", "7", "8"
_AWAITING_CALLER = "1"
_FINAL = {_CLOSED, _CANCELED}
_DEMANDED = {
    _ON_HOLD: ("hold_reason",),
    _RESOLVED: ("close_code", "close_notes"),
    _CLOSED: ("close_code", "close_notes"),
}
"""What the data policies of an instance fresh from the box demand in a state; others are the instance's to name."""
_JOURNAL = {Audience.PUBLIC: "comments", Audience.INTERNAL: "work_notes"}
_AUDIENCE = {element: audience for audience, element in _JOURNAL.items()}
_ENTRY = ("sys_id", "element", "value", "sys_created_on", "sys_created_by")
_FEEDS = (
    (TABLE, "sys_id", ""),
    ("sys_attachment", "table_sys_id", f"table_name={TABLE}"),
    ("task_time_worked", "task", f"task.sys_class_name={TABLE}"),
)
"""Tables whose rows tell of a change, the column that names the incident, and which rows: neither a file nor worked
time moves the incident's own stamp."""
_USERS_AT_ONCE = 100
_MOST_DUPLICATES = 100


class ServiceNow:
    """The connector; `sync.connector.Connector` says what its methods promise."""

    capabilities = Capabilities(
        unique_key=True,
        conditional_update=False,
        audiences=Audiences.BOTH,
        comment_edit=False,
        comment_delete=False,
        worklogs=WorklogKind.ENTRIES,
        webhooks=True,
        max_comment_length=LONGEST,
        max_attachment_size=32 * 1024 * 1024,
        lookback=timedelta(minutes=2),
        settle=timedelta(seconds=5),
    )

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._client = Client(site, line)
        self._learnt: Columns | None = None
        self._user_name = ""

    # The connection

    def check(self) -> Health:
        me = self._client.me()
        self._client.find(TABLE, "", ["sys_id"], dict, 1)
        return Health(me.user_name, "ServiceNow", me.time_zone, me.moment - self._client.clock.now())

    def describe(self) -> Metadata:
        self._learnt = columns.learn(self._client)
        return self._learnt.metadata()

    def now(self) -> datetime:
        return self._client.moment()

    # Records

    def fetch(self, remote_id: str) -> Record | None:
        known = self._columns()
        names = ["sys_id", *(name for name in known.by_name if name != "sys_id"), *records.REPORTER_FIELDS]
        return self._client.get(remote_id, names, lambda row: records.record(self._site.base_url, known, row))

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        """See the protocol; a file or worked time added is a hit of its incident, too."""
        found: list[tuple[datetime, str, Hit]] = []
        for table, pointer, condition in _FEEDS:
            query, fields = after(since.at, since.tie, condition), dict.fromkeys([*records.HIT_FIELDS, pointer])
            found += self._client.find(table, query, list(fields), _hit_reader(pointer), limit + 1)
        found.sort(key=lambda place: place[:2])
        shown = found[:limit]
        last = Watermark(*shown[-1][:2]) if shown else since
        return ChangePage([hit for _, _, hit in shown], last, more=len(found) > limit)

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        """See the protocol; what the import set has no column for is written to the new record right after.

        Should that break off, creating again completes it, unless somebody has touched the record by then.
        """
        known = self._columns()
        values = known.stored(fields, also={STATUS})
        rest = {name: value for name, value in values.items() if name not in known.staged}
        ref, is_untouched = self._existing(key) or self._imported(key, values, known)
        if rest and is_untouched:
            self._complete(ref, rest)
        return ref

    def _complete(self, ref: Ref, rest: Mapping[str, str]) -> None:
        try:
            self._client.patch(ref.id, rest)
        except (AuthFailed, RetryLater) as lost:
            raise Unknown(f"created as {ref.key}, but not completed: {lost.reason}") from lost

    def find_by_key(self, key: str) -> Sequence[Ref]:
        return [ref for ref, _ in self._keyed(key)]

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        values = self._columns().stored(fields)
        if self._client.get(remote_id, ["sys_mod_count"], lambda row: row["sys_mod_count"]) != version:
            raise Moved(f"the incident is not at version {version} any more")
        self._client.patch(remote_id, values)

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        """See the protocol; any state leads to any other in one step, except those that end an incident.

        `fields` may hold `comments` (Markdown): what the caller is told who is to be waited for.
        """
        known = self._columns()
        if wanted not in known.metadata().statuses:
            raise Rejected(f"{wanted!r} is no state of incident", STATUS)
        values = known.stored({name: value for name, value in fields.items() if name != "comments"})
        row = self._client.get(remote_id, [STATUS, "hold_reason", "close_code", "close_notes"], dict)
        if row is None:
            raise Rejected("the incident is gone")
        if row[STATUS] == wanted:
            return []
        spoken = to_journal(str(fields.get("comments") or ""))
        _check_step(row, wanted, values, spoken)
        told = {"comments": marked(spoken, Mark("transition"))} if spoken else {}
        self._client.patch(remote_id, {STATUS: wanted, **values, **told})
        return [wanted]

    # Comments

    def comments(self, remote_id: str) -> Sequence[Comment]:
        rows = self._entries(remote_id, f"elementIN{','.join(_AUDIENCE)}")
        people = self._people(row["sys_created_by"] for row in rows)
        found = []
        for said in together(rows, self._own_name()):
            body, is_lossy = from_journal(said.text)
            at, author = moment_of(said.row["sys_created_on"]), records.authored(people, said.row["sys_created_by"])
            audience = _AUDIENCE[said.row["element"]]
            found.append(Comment(said.row["sys_id"], body, audience, author, at, at, said.key, is_lossy))
        return found

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        """See the protocol; the parts of a long one that are there already are not written again."""
        key, element = key_of(comment.marker), _JOURNAL[comment.audience]
        texts = entries(to_journal(comment.body), key)
        self._own_name()
        written = self._own_entries(remote_id, element, key) if len(texts) > 1 else {}
        for number, text in enumerate(texts, 1):
            if number not in written:
                with _after_a_write(number > 1):
                    self._client.patch(remote_id, {element: text})
        with _after_a_write():
            found = self._own_entries(remote_id, element, key)
            if 1 not in found:
                raise Unknown("sent, but the journal does not show it yet")
        return found[1]["sys_id"]

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:  # noqa: ARG002 - the protocol's
        raise Rejected("what is in the journal of an incident cannot be changed")

    def delete_comment(self, remote_id: str, comment_id: str) -> None:  # noqa: ARG002 - the protocol's
        raise Rejected("what is in the journal of an incident cannot be removed")

    # Files

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        found = self._client.attachments(remote_id, records.attachment)
        people = self._people(user_name for user_name, _ in found)
        return [replace(file, author=records.authored(people, user_name)) for user_name, file in found]

    @contextmanager
    def download(self, remote_id: str, attachment: Attachment) -> Iterator[Iterator[bytes]]:  # noqa: ARG002
        """See the protocol; RetryLater at the end of a stream that is not the file it should be."""
        with self._client.file(attachment.id, self.capabilities.max_attachment_size) as chunks:
            yield _whole(chunks, attachment)

    def add_attachment(self, remote_id: str, attachment: NewAttachment, audience: Audience) -> str:
        """See the protocol; an internal file is refused, for whoever sees an incident sees its files."""
        if audience is Audience.INTERNAL:
            raise Rejected("ServiceNow shows an incident's files to its caller: an internal one is not sent there")
        most = self.capabilities.max_attachment_size
        if attachment.size > most:
            raise Rejected(f"{attachment.name} has {attachment.size} bytes, ServiceNow takes {most}")
        return self._client.upload(remote_id, attachment, exactly(attachment))

    # Time

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:
        query, us = f"task={sys_id_of(remote_id)}^ORDERBYsys_created_on^ORDERBYsys_id", self._own_name()
        fields = records.WORKLOG_FIELDS
        return self._client.all("task_time_worked", query, fields, lambda row: records.worklog(row, us))

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:
        start = worklog.started_at.astimezone(UTC)
        mark = Mark(key_of(worklog.marker), extra=f"{start:%Y-%m-%dT%H:%M:%SZ}")
        note = marked(to_plain(worklog.note), mark)
        if len(note) > LONGEST:
            raise Rejected(f"the note is too long by {len(note) - LONGEST} characters", "comments")
        values = {"task": sys_id_of(remote_id), "time_in_seconds": str(worklog.minutes * 60), "comments": note}
        return self._client.insert("task_time_worked", {**values, "work_date": f"{start:%Y-%m-%d}"})

    # Webhooks

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        """See the protocol; the key comes from what is signed, and is what X-Desk-Delivery says."""
        require_signature(self._site.webhook_secret, body, headers.get("x-desk-signature", ""))
        try:
            told = json.loads(body)
            count = "deleted" if told["operation"] == "delete" else told["sys_mod_count"]
            event, dedupe_key = f"{told['table']}.{told['operation']}", f"{told['sys_id']}:{count}"
            return [Hint(str(told["task"]), event, dedupe_key)] if told["task"] else []
        except (ValueError, LookupError, TypeError):
            return []

    # What the methods share

    def _columns(self) -> Columns:
        if self._learnt is None:
            self._learnt = columns.learn(self._client)
        return self._learnt

    def _own_name(self) -> str:
        self._user_name = self._user_name or self._client.me().user_name
        return self._user_name

    def _keyed(self, key: str) -> list[tuple[Ref, bool]]:
        """The incidents that carry a key, and whether nobody has touched them since they were made."""
        query = f"correlation_id={key_of(key)}^ORDERBYnumber"
        fields = ["sys_id", "number", "correlation_id", "sys_mod_count"]
        rows = self._client.find(TABLE, query, fields, dict, _MOST_DUPLICATES)
        base_url = self._site.base_url  # databases compare without regard to case: only the very key counts
        exact = [row for row in rows if row["correlation_id"] == key]
        return [(records.ref(base_url, row["sys_id"], row["number"]), row["sys_mod_count"] == "0") for row in exact]

    def _existing(self, key: str) -> tuple[Ref, bool] | None:
        """The incident that was made with this key before: importing again would undo what people changed since."""
        return next(iter(self._keyed(key)), None)

    def _imported(self, key: str, values: Mapping[str, str], known: Columns) -> tuple[Ref, bool]:
        staged = {name: value for name, value in values.items() if name in known.staged}
        made = self._client.stage({**staged, "correlation_id": key, "correlation_display": "Deskbridge"})
        ref = records.ref(self._site.base_url, made["sys_id"], made["display_value"])
        return ref, made["status"] == "inserted"

    def _entries(self, remote_id: str, condition: str) -> list[Row]:
        query = f"element_id={sys_id_of(remote_id)}^{condition}^ORDERBYsys_created_on^ORDERBYsys_id"
        return self._client.all("sys_journal_field", query, _ENTRY, dict)

    def _own_entries(self, remote_id: str, element: str, key: str) -> Mapping[int, Row]:
        rows = self._entries(remote_id, f"element={element}^valueLIKE[desk:{key}")
        return parts_found(rows, self._own_name(), key)

    def _people(self, user_names: Iterable[str]) -> Mapping[str, Person]:
        wanted = sorted({name for name in user_names if name and not set(name) & {",", "^"}})
        found: dict[str, Person] = {}
        for at in range(0, len(wanted), _USERS_AT_ONCE):
            query = f"user_nameIN{','.join(wanted[at : at + _USERS_AT_ONCE])}^ORDERBYsys_id"
            found |= self._client.all("sys_user", query, ["sys_id", "user_name", "name", "email"], records.person)
        return found


def _hit_reader(pointer: str) -> Callable[[Row], tuple[datetime, str, Hit]]:
    return lambda row: records.hit(row, pointer)


def _check_step(row: Row, wanted: str, values: Mapping[str, str], spoken: str) -> None:
    """Rejected, naming the field, when the instance would refuse the step from this state to that."""
    if row[STATUS] in _FINAL:
        raise Rejected("an incident that is closed or canceled cannot be changed", STATUS)
    after_it = {**row, **values}
    for name in _DEMANDED.get(wanted, ()):
        if not after_it[name].strip():
            raise Rejected(f"state {wanted} demands {name}", name)
    if wanted == _ON_HOLD and after_it["hold_reason"] == _AWAITING_CALLER and not spoken:
        raise Rejected("waiting for the caller demands a comment that says what for", "comments")


@contextmanager
def _after_a_write(has_been: bool = True) -> Iterator[None]:
    """Once something was sent, an outage is no longer a state in which nothing was changed."""
    try:
        yield
    except RetryLater as failure:
        if not has_been:
            raise
        raise Unknown(f"sent in part: {failure.reason}") from failure


def _whole(chunks: Iterator[bytes], attachment: Attachment) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if size != attachment.size or attachment.sha256 not in {None, digest.hexdigest()}:
        raise RetryLater(f"what came is not the file {attachment.name}")


CONNECTOR: Opens = ServiceNow
