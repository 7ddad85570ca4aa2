"""Polarion's work items, spoken in the words of the connector SDK."""

import hashlib
import html
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from deskbridge.connectors.polarion.client import (
    REFERENCE,
    Client,
    Resource,
    StepGone,
    checked_id,
    checked_key,
    moment_of,
    person_of,
    understood,
)
from deskbridge.connectors.polarion.durations import amount_of, minutes_of
from deskbridge.connectors.polarion.fields import LONGEST_TEXT, STATUS, Fields, clean, learn, markdown_of, person
from deskbridge.connectors.polarion.richtext import to_html, to_markdown
from deskbridge.connectors.polarion.workflow import Step, Steps, Workflow, require_demands, steps_of
from deskbridge.connectors.shared import Line, Opens, Reply, Site, multipart, require_signature
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
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

_DAY = timedelta(days=1)
_EARLIEST = date(1990, 1, 1)
_ATTEMPTS = 5
_MOST_STEPS = 12
_TITLE = re.compile(r"Deskbridge \[([A-Za-z0-9._:-]{1,100})\]")
_WORKED = re.compile(r"(?:\A|\s)\[desk:([A-Za-z0-9._:-]{1,100}) ([0-9T:.-]{19,26}Z)\]\s*\Z")


class Polarion:
    """The connector of one project; see `sync.connector.Connector` for what its methods promise."""

    capabilities = Capabilities(
        unique_key=False,
        conditional_update=False,
        audiences=Audiences.INTERNAL_ONLY,
        comment_edit=False,
        comment_delete=False,
        worklogs=WorklogKind.ENTRIES,
        webhooks=True,
        max_comment_length=LONGEST_TEXT,
        max_attachment_size=48 * 1024 * 1024,
        lookback=timedelta(minutes=10),
        settle=timedelta(minutes=2),
        single_writer=True,
    )

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._client = Client(site, line)
        self._learnt: Fields | None = None
        self._workflows: dict[str, Workflow] = {}
        self._me: Person | None = None

    # The connection

    def check(self) -> Health:
        clock = self._client.clock
        offset, self._me = self._client.read(
            "/user", lambda reply: (reply.moment - clock.now(), _user(reply)), _WHOLE_USER
        )
        self._learnt = learn(self._client)
        return Health(self._me.email or self._me.id, "Polarion", str(self._learnt.zone), offset)

    def describe(self) -> Metadata:
        for workflow in self._workflows.values():
            workflow.unseen.clear()
        self._learnt = learn(self._client)
        return self._learnt.metadata()

    def now(self) -> datetime:
        return self._client.in_project("", lambda reply: reply.moment)

    def close(self) -> None:
        """Let go of the connections to the server."""
        self._client.close()

    # Records

    def fetch(self, remote_id: str) -> Record | None:
        known = self._fields()
        found = self._client.item(remote_id, "@all", include="author")
        if found is None:
            return None
        item, people = found
        with understood():
            values, lossy = known.values(item)
            created, updated = (moment_of(item.attributes[name]) for name in ("created", "updated"))
            reporter = person(people, item, "author")
            return Record(self._ref(item.id), _version(item), created, updated, reporter, values, lossy)

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        """See the protocol; the index knows whole days only, so days are asked for and the rest is told apart here.

        Days are widened until something is found, so that after a long pause not all of it is read for each page.
        """
        first = max(since.at.astimezone(UTC).date(), _EARLIEST)
        days = 1
        while True:
            hits, today = self._changed_between(first - _DAY, first + days * _DAY, since)
            is_behind = first + days * _DAY <= today
            if hits or not is_behind:
                break
            days *= 8
        hits.sort(key=_place)
        shown = hits[:limit]
        end = Watermark(*_place(shown[-1])) if shown else since
        return ChangePage(shown, end, more=len(hits) > limit or is_behind)

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        known = self._fields()
        data = known.written(fields, known.require_type(fields.get("type")))
        for name, info in known.infos.items():
            if info.required and name not in fields:
                raise Rejected(f"{name} is missing", name)
        attributes = {**data.get("attributes", {}), REFERENCE: checked_key(key)}
        made = self._client.add("/workitems", {"type": "workitems", **data, "attributes": attributes})
        return self._ref(made)

    def find_by_key(self, key: str) -> Sequence[Ref]:
        """See the protocol; the index finds words, so what it finds is compared, and the newest are looked through."""
        checked_key(key)
        found = [item for item in self._all(f'{REFERENCE}:"{key}"') if item.attributes.get(REFERENCE) == key]
        if not found:
            newest = self._client.page(REFERENCE, 1, [("sort", "-created")]).resources
            found = [item for item in newest if item.attributes.get(REFERENCE) == key]
        return [self._ref(item.id) for item in found]

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        item = self._item(remote_id)
        if _version(item) != version:
            raise Moved(f"{remote_id} is at revision {item.revision}, not {version}")
        item_type = str(item.attributes.get("type"))
        if fields.get("type", item_type) != item_type:
            raise Rejected("the type of a work item starts another workflow: a person has to change it", "type")
        written = {name: value for name, value in fields.items() if name != "type"}
        if written:
            self._client.patch(remote_id, self._fields().written(written, item_type))

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        """See the protocol; before the first step all of the way is checked, as far as it is known by then."""
        known = self._fields()
        if wanted not in known.metadata().statuses:
            raise Rejected(f"{wanted!r} is no status of the project", STATUS)
        passed: list[str] = []
        while True:
            with _after_a_write(bool(passed)):
                item = self._item(remote_id)
                status, item_type = (str(item.attributes.get(name)) for name in (STATUS, "type"))
                if status == wanted:
                    return passed
                known.written(fields, item_type)
                way = self._way(item, status, item_type, wanted)
            if not way or len(passed) == _MOST_STEPS:
                raise Rejected(f"no workflow action leads from {status} to {wanted}", STATUS)
            require_demands(way, fields, _filled(item))
            self._perform(item, item_type, way[0], _sent_with(way, fields), is_first=not passed)
            passed.append(way[0].target)

    # Comments

    def comments(self, remote_id: str) -> Sequence[Comment]:
        own_id = self._own_id()
        found, people = self._client.hanging(remote_id, "comments", "author")
        with understood():
            return sorted((_comment(one, people, own_id) for one in found), key=lambda comment: comment.created_at)

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        """See the protocol; one that is too long is attached, once, and the comment says so."""
        marker, text = checked_key(comment.marker), to_html(comment.body)
        if not text:
            raise Rejected("a comment without text", "text")
        if len(text) > LONGEST_TEXT:
            name = f"comment-{marker}.md"
            self._attach_text(remote_id, name, comment.body)
            text = to_html(f"This comment is too long to be one: the whole of it is attached, as `{name}`.")
        attributes = {"title": f"Deskbridge [{marker}]", "text": {"type": "text/html", "value": text}}
        path = f"/workitems/{checked_id(remote_id)}/comments"
        return self._client.add(path, {"type": "workitem_comments", "attributes": attributes})

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:  # noqa: ARG002 - the protocol's
        raise Rejected("comments in Polarion cannot be changed")

    def delete_comment(self, remote_id: str, comment_id: str) -> None:  # noqa: ARG002 - the protocol's
        raise Rejected("comments in Polarion cannot be deleted")

    # Files

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        found, people = self._client.hanging(remote_id, "attachments", "author")
        with understood():
            return [_attachment(one, people) for one in found]

    @contextmanager
    def download(self, remote_id: str, attachment: Attachment) -> Iterator[Iterator[bytes]]:
        with self._client.file(remote_id, attachment.id, self.capabilities.max_attachment_size) as chunks:
            yield _whole(chunks, attachment.size)

    def add_attachment(self, remote_id: str, attachment: NewAttachment, audience: Audience) -> str:  # noqa: ARG002 - the protocol's
        """See the protocol; Polarion's files have no audience."""
        most = self.capabilities.max_attachment_size
        if attachment.size > most:
            raise Rejected(f"{attachment.name} has {attachment.size} bytes, {most} are the most")
        name = clean(attachment.name).strip() or "file"
        described = {"type": "workitem_attachments", "attributes": {"fileName": name}}
        headers, content = multipart("files", attachment, [("resource", json.dumps({"data": [described]}))])
        return self._client.upload(f"/workitems/{checked_id(remote_id)}/attachments", headers, content)

    # Time

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:
        own_id, zone = self._own_id(), self._fields().zone
        found, people = self._client.hanging(remote_id, "workrecords", "user")
        with understood():
            return [_worklog(one, people, own_id, zone) for one in found]

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:
        """See the protocol; a work record has a day only, so its comment keeps the moment and the marker."""
        if worklog.minutes < 1:
            raise Rejected("time worked is a minute at least", "timeSpent")
        started_at = worklog.started_at.astimezone(UTC)
        stamp = started_at.isoformat().replace("+00:00", "Z")
        attributes = {
            "date": started_at.astimezone(self._fields().zone).date().isoformat(),
            "timeSpent": amount_of(worklog.minutes),
            "comment": f"{clean(worklog.note).strip()} [desk:{checked_key(worklog.marker)} {stamp}]".lstrip(),
        }
        user = {"user": {"data": {"type": "users", "id": self._own_id()}}}
        data = {"type": "workrecords", "attributes": attributes, "relationships": user}
        return self._client.add(f"/workitems/{checked_id(remote_id)}/workrecords", data)

    # Webhooks

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        require_signature(self._site.webhook_secret, body, headers.get("x-polarion-hook-signature", ""))
        try:
            told = json.loads(body)
            project, item_id, event = (str(told[name]) for name in ("projectId", "workItemId", "event"))
        except (ValueError, LookupError, TypeError, RecursionError):
            return []
        if project != self._client.project:
            return []
        known_by = headers.get("x-polarion-hook-id") or hashlib.sha256(body).hexdigest()
        return [Hint(item_id, event, known_by)]

    # What the methods above share

    def _fields(self) -> Fields:
        if self._learnt is None:
            self._learnt = learn(self._client)
        return self._learnt

    def _own_id(self) -> str:
        if self._me is None:
            self._me = self._client.read("/user", _user, _WHOLE_USER)
        return self._me.id

    def _ref(self, item_id: str) -> Ref:
        base = self._site.base_url.rstrip("/")
        page = f"{base}/polarion/redirect/project/{self._client.project}/workitem?id={item_id}"
        return Ref(item_id, item_id, page)

    def _item(self, remote_id: str) -> Resource:
        found = self._client.item(checked_id(remote_id), "@all")
        if found is None:
            raise Rejected(f"{remote_id} is gone, or hidden from this account")
        return found[0]

    def _all(self, query: str) -> list[Resource]:
        found: list[Resource] = []
        number, has_next = 1, True
        while has_next:
            page = self._client.page(REFERENCE, number, [("query", query), ("sort", "id")])
            found += page.resources
            number, has_next = number + 1, page.has_next
        return found

    def _changed_between(self, first: date, last: date, since: Watermark) -> tuple[list[Hit], date]:
        """What changed after the watermark and is indexed under these days, and the server's own day.

        Read from the newest down: what changes meanwhile is then seen twice rather than not at all. Only what leaves
        the days while they are read could hide another row; then it is read again.
        """
        more = [("query", f"updated:[{first:%Y%m%d} TO {last:%Y%m%d}]"), ("sort", "-updated")]
        for _ in range(_ATTEMPTS):
            hits: dict[str, Hit] = {}
            number, total, is_done = 1, 0, False
            while not is_done:
                page = self._client.page("updated", number, more)
                with understood():
                    seen = [Hit(one.id, _version(one), moment_of(one.attributes["updated"])) for one in page.resources]
                hits |= {hit.remote_id: hit for hit in seen if _is_new(hit, since)}
                total = max(total, page.total)
                is_done = not page.has_next or any(hit.updated_at < since.at for hit in seen)
                number += 1
            if page.total == total:
                return list(hits.values()), page.moment.date()
        raise RetryLater("the list of changes kept changing while it was read")

    def _way(self, item: Resource, status: str, item_type: str, wanted: str) -> Sequence[Step]:
        workflow = self._workflows.setdefault(item_type, Workflow())
        workflow.learn(status, self._steps(item.id))
        return workflow.way(status, wanted, lambda ahead: self._steps_from(ahead, item_type))

    def _steps(self, item_id: str) -> Steps:
        rows = self._client.actions(f"/workitems/{item_id}/actions/getWorkflowActions")
        with understood():
            return steps_of(rows)

    def _steps_from(self, status: str, item_type: str) -> Steps | None:
        """The steps out of a status, as another item tells that is there now."""
        query = f'type:"{item_type}" AND status:"{status}"'
        found = self._client.page("id", 1, [("query", query), ("sort", "-updated")]).resources
        for one in found[:1]:
            fresh = self._client.item(one.id, "status,type")
            if fresh and (fresh[0].attributes.get(STATUS), fresh[0].attributes.get("type")) == (status, item_type):
                return self._steps(one.id)
        return None

    def _perform(
        self, item: Resource, item_type: str, step: Step, fields: Mapping[str, Value], *, is_first: bool
    ) -> None:
        """Take one step; Moved when the workflow no longer offers it because somebody else took one."""
        data: Mapping[str, Any] = self._fields().written(fields, item_type)
        if not data:
            # The server wants at least one field with an action: one that stays as it is, ours if it is there
            name = REFERENCE if item.attributes.get(REFERENCE) else "title"
            data = {"attributes": {name: item.attributes.get(name)}}
        try:
            with _after_a_write(not is_first):
                self._client.patch(item.id, data, [("workflowAction", step.action)])
        except StepGone as gone:
            raise Moved(gone.reason) from gone

    def _attach_text(self, remote_id: str, name: str, text: str) -> None:
        if all(attachment.name != name for attachment in self.attachments(remote_id)):
            raw = text.encode("utf-8", "replace")
            self.add_attachment(
                remote_id, NewAttachment(name, "text/markdown", len(raw), iter([raw])), Audience.INTERNAL
            )


_WHOLE_USER = [("fields[users]", "@all")]


def _user(reply: Reply) -> Person:
    return person_of(reply.data["data"])


def _version(item: Resource) -> str:
    """The revision; an answer without one tells nothing."""
    if not item.revision:
        raise RetryLater(f"{item.id} came without a revision")
    return item.revision


def _place(hit: Hit) -> tuple[datetime, str]:
    return hit.updated_at, hit.remote_id


def _is_new(hit: Hit, since: Watermark) -> bool:
    return _place(hit) > (since.at, since.tie) if since.tie else hit.updated_at >= since.at


def _filled(item: Resource) -> set[str]:
    """The fields of an item that are not empty."""
    return {name for name, value in item.attributes.items() if value} | {
        name for name in item.relationships if item.targets(name)
    }


def _sent_with(way: Sequence[Step], fields: Mapping[str, Value]) -> Mapping[str, Value]:
    """What goes with the first step: what it demands; with the last one all that was not demanded before."""
    demanded = {name for step in way[1:] for name in step.required}
    return {name: value for name, value in fields.items() if name in way[0].required or (
        len(way) == 1 and name not in demanded
    )}  # fmt: skip


@contextmanager
def _after_a_write(is_after: bool) -> Iterator[None]:
    """What has to be waited for after something was written leaves an outcome that nobody knows yet."""
    try:
        yield
    except RetryLater as late:
        if not is_after:
            raise
        raise Unknown(f"a step was taken, the next one was not: {late.reason}") from late


def _comment(found: Resource, people: Mapping[str, Person], own_id: str) -> Comment:
    """A comment; a marker counts only in what our own account wrote, any other title is part of the text."""
    at = moment_of(found.attributes["created"])
    body, is_lossy = markdown_of(found.attributes.get("text") or {})
    title = str(found.attributes.get("title") or "")
    author = person(people, found, "author")
    ours = _TITLE.fullmatch(title) if author and author.id == own_id else None
    if title and not ours:
        heading, _ = to_markdown(f"<b>{html.escape(title)}</b>")
        body = f"{heading}\n\n{body or ''}".rstrip()
    return Comment(found.id, body or "", Audience.INTERNAL, author, at, at, ours[1] if ours else None, is_lossy)


def _attachment(found: Resource, people: Mapping[str, Person]) -> Attachment:
    name, at = str(found.attributes["fileName"]), moment_of(found.attributes["updated"])
    media = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(found.id, name, int(found.attributes["length"]), media, person(people, found, "author"), at)


def _worklog(found: Resource, people: Mapping[str, Person], own_id: str, zone: tzinfo) -> Worklog:
    note, marker = str(found.attributes.get("comment") or ""), None
    started_at = datetime.combine(date.fromisoformat(str(found.attributes["date"])), datetime.min.time(), zone)
    author = person(people, found, "user")
    if author and author.id == own_id and (ours := _WORKED.search(note)):
        note, marker, started_at = note[: ours.start()], ours[1], moment_of(ours[2])
    spent = minutes_of(str(found.attributes["timeSpent"]))
    return Worklog(found.id, spent, note, started_at.astimezone(UTC), author, marker)


def _whole(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """A file's chunks; what is not as long as the server said is no file."""
    got = 0
    for chunk in chunks:
        got += len(chunk)
        yield chunk
    if got != size:
        raise RetryLater(f"the file came with {got} of {size} bytes")


CONNECTOR: Opens = Polarion
