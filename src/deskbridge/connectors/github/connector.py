"""GitHub's issues in the words of the connector SDK."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from deskbridge.connectors.github import files, marks
from deskbridge.connectors.github.client import Client, Json, moment, segment, stamp
from deskbridge.connectors.github.marks import Mark
from deskbridge.connectors.shared import Line, Opens, Reply, Site, nothing, require_signature
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
    AuthFailed,
    Capabilities,
    ChangePage,
    Comment,
    FieldInfo,
    FieldKind,
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
    Value,
    Watermark,
    Worklog,
    WorklogKind,
)

STATUS = "state"
_OPEN = "open"
_STATUSES = {
    _OPEN: "Open",
    "completed": "Closed as completed",
    "not_planned": "Closed as not planned",
    "duplicate": "Closed as duplicate",
}
_RECENT = 100


class GitHub:
    """One repository of a GitHub; `site.scope` is `owner/name`, and a record's id the number of its issue.

    Issues have no field for our key: it stands in a comment at the end of the text, invisible on the page. There is no
    conditional write either, and stamps are whole seconds: a version is the stamp and a digest of what we read.
    """

    capabilities = Capabilities(
        unique_key=False,
        conditional_update=False,
        audiences=Audiences.INTERNAL_ONLY,
        comment_edit=True,
        comment_delete=True,
        worklogs=WorklogKind.NONE,
        webhooks=True,
        max_comment_length=marks.LONGEST,
        max_attachment_size=25 * 1024 * 1024,
        lookback=timedelta(minutes=5),
        settle=timedelta(minutes=2),
    )

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._client = Client(site, line)
        self._metadata: Metadata | None = None
        self._me = 0

    # The repository

    def check(self) -> Health:
        login, now = self._client.read("/user", lambda reply: (str(reply.data["login"]), reply.moment))
        offset = now - self._client.clock.now()
        if not self._client.read(self._client.repository, lambda reply: bool(reply.data["permissions"]["push"])):
            raise AuthFailed(f"the account may not write to {self._site.scope}")
        return Health(login, "GitHub", "UTC", offset)

    def describe(self) -> Metadata:
        found = self._client.pages(f"{self._client.repository}/milestones", [("state", "all")])
        milestones = {str(row["number"]): str(row["title"]) for row in found}
        described = (
            FieldInfo("title", "Title", FieldKind.TEXT, required=True, max_length=256),
            FieldInfo("body", "Description", FieldKind.RICH_TEXT, max_length=marks.LONGEST),
            FieldInfo(STATUS, "State", FieldKind.CHOICE, writable=False, choices=_STATUSES),
            FieldInfo("labels", "Labels", FieldKind.LABELS),
            FieldInfo("milestone", "Milestone", FieldKind.CHOICE, choices=milestones),
            FieldInfo("assignee", "Assignee", FieldKind.PERSON),
        )
        self._metadata = Metadata({info.name: info for info in described}, STATUS, _STATUSES)
        return self._metadata

    def _known(self) -> Metadata:
        return self._metadata or self.describe()

    def _own_id(self) -> int:
        """The account's id: what somebody else wrote is not ours, whatever mark it has."""
        self._me = self._me or self._client.read("/user", lambda reply: int(reply.data["id"]))
        return self._me

    def now(self) -> datetime:
        return self._client.now()

    # Records

    def fetch(self, remote_id: str) -> Record | None:
        return self._client.look(self._issue(remote_id), lambda reply: self._read(reply.data))

    def _issue(self, remote_id: str) -> str:
        return f"{self._client.repository}/issues/{segment(remote_id)}"

    def _read(self, row: Json) -> Record:
        milestone, assignees = row["milestone"], row["assignees"]
        fields: dict[str, Value] = {
            "title": str(row["title"]),
            "body": marks.read(row["body"])[0],
            STATUS: _status(row),
            "labels": tuple(sorted(str(label["name"]) for label in row["labels"])),
            "milestone": str(milestone["number"]) if milestone else None,
            "assignee": str(assignees[0]["id"]) if assignees else None,
        }
        author = _person(row["user"])
        return Record(_ref(row), _version(row), moment(row["created_at"]), moment(row["updated_at"]), author, fields)

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        """Read issues in the order of their change; of those at the watermark itself, the ones after its tie."""
        after = (since.at, int(since.tie or 0))
        hits: list[Hit] = []
        asked = [("state", "all"), ("sort", "updated"), ("direction", "asc"), ("since", stamp(since.at))]
        for row in self._client.pages(f"{self._client.repository}/issues", asked):
            if "pull_request" in row or _place(row) <= after:
                continue
            if len(hits) == limit:
                return ChangePage(hits, Watermark(hits[-1].updated_at, hits[-1].remote_id), more=True)
            hits.append(Hit(str(row["number"]), _version(row), moment(row["updated_at"])))
        return ChangePage(hits, Watermark(hits[-1].updated_at, hits[-1].remote_id) if hits else since, more=False)

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        body = self._written(fields)
        body["body"] = marks.with_mark(body.get("body"), Mark(key))
        return self._client.write("POST", f"{self._client.repository}/issues", body, lambda reply: _ref(reply.data))

    def _written(self, fields: Mapping[str, Value]) -> Json:
        """The values as GitHub takes them; Rejected, by name, for a field or a choice that cannot be written."""
        known = self._known().fields
        written: Json = {}
        for name, value in fields.items():
            if name not in known or not known[name].writable:
                raise Rejected(f"issues have no field {name} that can be written", name)
            if name == "milestone" and value is not None and value not in known[name].choices:
                raise Rejected(f"the repository has no milestone {value}", name)
            if name == "assignee":
                written["assignees"] = [self._login(str(value))] if value else []
            elif name == "milestone":
                written[name] = None if value is None else int(str(value))
            else:
                written[name] = list(value) if isinstance(value, tuple) else value
        return written

    def _login(self, user_id: str) -> str:
        """The name by which somebody is assigned: it may change, the id does not."""
        login = self._client.look(f"/user/{segment(user_id)}", lambda reply: str(reply.data["login"]))
        if login is None:
            raise Rejected(f"there is no user with the id {user_id}", "assignee")
        return login

    def find_by_key(self, key: str) -> Sequence[Ref]:
        """Look into the search index, and into what was opened last, which needs no index."""
        query = f'repo:{self._site.scope} is:issue in:body "{marks.mark(key)}"'
        newest = [("state", "all"), ("sort", "created"), ("direction", "desc"), ("per_page", str(_RECENT))]
        recent = self._client.read(f"{self._client.repository}/issues", lambda reply: list(reply.data), newest)
        rows = {int(row["number"]): row for row in (*self._client.search(query), *recent)}
        ours = [row for row in rows.values() if int(row["user"]["id"]) == self._own_id()]
        found = [row for row in ours if marks.read(row["body"])[1] == Mark(key)]
        return [_ref(row) for row in sorted(found, key=lambda row: int(row["number"]))]

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        written = self._written(fields)
        row = self._present(remote_id)
        if _version(row) != version:
            raise Moved("the issue changed since it was read")
        if "body" in written:
            written["body"] = marks.with_mark(written["body"], marks.read(row["body"])[1])
        self._client.write("PATCH", self._issue(remote_id), written, nothing)

    def _present(self, remote_id: str) -> Json:
        """An issue as it is now."""
        row: Json | None = self._client.look(self._issue(remote_id), lambda reply: dict(reply.data))
        if row is None:
            raise Rejected("the issue is gone, or hidden from this account")
        return row

    # Statuses

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        if wanted not in _STATUSES:
            raise Rejected(f"issues have no state {wanted}", STATUS)
        written = self._written(fields)
        if _status(self._present(remote_id)) == wanted:
            return []
        moved = {"state": _OPEN} if wanted == _OPEN else {"state": "closed", "state_reason": wanted}
        self._client.write("PATCH", self._issue(remote_id), {**written, **moved}, nothing)
        return [wanted]

    # Comments

    def comments(self, remote_id: str) -> Sequence[Comment]:
        return marks.together([self._comment(row) for row in self._comment_rows(remote_id)])

    def _comment_rows(self, remote_id: str) -> list[Json]:
        return list(self._client.pages(f"{self._issue(remote_id)}/comments"))

    def _comment(self, row: Json) -> tuple[Comment, Mark | None]:
        text, found = marks.read(row["body"])
        if int(row["user"]["id"]) != self._own_id():
            text, found = str(row["body"]).replace("\r\n", "\n"), None
        times = moment(row["created_at"]), moment(row["updated_at"])
        marker = found.key if found else None
        return Comment(str(row["id"]), text, Audience.INTERNAL, _person(row["user"]), *times, marker), found

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        """Add a comment; of one in parts those that are not there yet, so that it may be sent again."""
        self._require_hidden(comment.audience)
        parts = list(marks.parts(comment.body, comment.marker))
        there = self._parts_there(remote_id, comment.marker) if len(parts) > 1 else {}
        for mark, body in parts:
            if mark.number not in there:
                there[mark.number] = self._post_comment(remote_id, body)
        return there[1]

    def _require_hidden(self, audience: Audience) -> None:
        """Whoever sees a repository sees all of it: nothing internal goes into a public one."""
        if audience is Audience.INTERNAL and not self._client.read(self._client.repository, _is_private):
            raise Rejected("the repository is public, and what is internal would be, too")

    def _parts_there(self, remote_id: str, marker: str) -> dict[int, str]:
        found = [self._comment(row) for row in self._comment_rows(remote_id)]
        return {mark.number: comment.id for comment, mark in found if mark and mark.key == marker}

    def _post_comment(self, remote_id: str, body: str) -> str:
        path = f"{self._issue(remote_id)}/comments"
        return self._client.write("POST", path, {"body": body}, lambda reply: str(reply.data["id"]))

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:  # noqa: ARG002 - its own id names it
        path = self._comment_path(comment_id)
        mark = self._client.read(path, lambda reply: marks.read(reply.data["body"])[1])
        if len(body) > marks.LONGEST or (mark and mark.of > 1):
            raise Rejected("a comment that goes in parts cannot be changed", "body")
        self._client.write("PATCH", path, {"body": marks.with_mark(body, mark)}, nothing)

    def _comment_path(self, comment_id: str) -> str:
        return f"{self._client.repository}/issues/comments/{segment(comment_id)}"

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        """Remove a comment with all its parts, the one that gives it its id last."""
        found = [self._comment(row) for row in self._comment_rows(remote_id)]
        mark = next((mark for comment, mark in found if comment.id == comment_id), None)
        others = self._parts_there(remote_id, mark.key).values() if mark and mark.of > 1 else ()
        for part_id in (*(one for one in others if one != comment_id), comment_id):
            self._client.delete(self._comment_path(part_id))

    # Files

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        found = (files.read(row) for row in self._client.files(files.folder(remote_id)))
        return sorted((one for one in found if one), key=lambda one: (one.created_at, one.id))

    def download(self, remote_id: str, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.download(f"{files.folder(remote_id)}/{segment(attachment.id)}", attachment.size)

    def add_attachment(self, remote_id: str, attachment: NewAttachment, audience: Audience) -> str:
        if attachment.size > self.capabilities.max_attachment_size:
            raise Rejected(f"{attachment.name} is larger than what goes into a repository", "attachment")
        self._require_hidden(audience)
        name = files.name_of(attachment.name, self.now())
        return self._client.put_file(f"{files.folder(remote_id)}/{segment(name)}", attachment)

    # Time

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:  # noqa: ARG002 - no issue has any
        return []

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:  # noqa: ARG002 - as above
        raise Rejected("GitHub keeps no time")

    # Webhooks

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        require_signature(self._site.webhook_secret, body, headers.get("x-hub-signature-256", ""))
        event = headers.get("x-github-event", "")
        return _hints(event, body, headers.get("x-github-delivery") or hashlib.sha256(body).hexdigest())


def _hints(event: str, body: bytes, key: str) -> list[Hint]:
    """What a webhook is about; pull requests are issues to GitHub, not to us."""
    try:
        told = json.loads(body)
        issue = told["issue"]
        if "pull_request" in issue:
            return []
        return [Hint(str(issue["number"]), f"{event}.{told['action']}", key)]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []


def _is_private(reply: Reply) -> bool:
    return reply.data["private"] is True


def _ref(row: Json) -> Ref:
    return Ref(str(row["number"]), f"#{row['number']}", str(row["html_url"]))


def _status(row: Json) -> str:
    """Issues closed without a reason, as those of old times are, count as completed."""
    reason = str(row.get("state_reason"))
    return _OPEN if row["state"] == "open" else reason if reason in _STATUSES else "completed"


_COMPARED = ("title", "body", "state", "state_reason", "labels", "milestone", "assignees", "comments")


def _version(row: Json) -> str:
    compared = json.dumps([row.get(name) for name in _COMPARED], sort_keys=True)
    return f"{row['updated_at']} {hashlib.sha256(compared.encode()).hexdigest()[:16]}"


def _place(row: Json) -> tuple[datetime, int]:
    """Where an issue stands in the feed: when it changed, and its number among those of the same second."""
    return moment(row["updated_at"]), int(row["number"])


def _person(raw: Json | None) -> Person | None:
    return None if raw is None else Person(str(raw["id"]), str(raw["login"]), raw.get("email"))


CONNECTOR: Opens = GitHub
