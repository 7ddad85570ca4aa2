"""Jira's issues in the words of the connector SDK."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from deskbridge.connectors.jira import talk
from deskbridge.connectors.jira.client import Client, Json, millis, moment, segment
from deskbridge.connectors.jira.fields import LABELS, STATUS, Catalogue, read_catalogue, read_values, write_value
from deskbridge.connectors.paths import Step, Workflow
from deskbridge.connectors.shared import Line, Opens, Reply, Site, nothing, require_signature
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
    Record,
    Ref,
    Rejected,
    Value,
    Watermark,
    Worklog,
    WorklogKind,
)

_RIGHTS = (
    *("BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "TRANSITION_ISSUES", "ASSIGN_ISSUES"),
    *("ADD_COMMENTS", "CREATE_ATTACHMENTS", "WORK_ON_ISSUES"),
)
_MARK = "deskref-"


class Jira:
    """One project of a Jira site; `site.scope` is its key.

    Jira has no unique key and no conditional write: a record carries our key as a label (and as an entity property),
    and is read again right before it is written.
    """

    capabilities = Capabilities(
        unique_key=False,
        conditional_update=False,
        audiences=Audiences.BOTH,
        comment_edit=True,
        comment_delete=True,
        worklogs=WorklogKind.ENTRIES,
        webhooks=True,
        max_comment_length=talk.LONGEST,
        max_attachment_size=1024**3,
        lookback=timedelta(minutes=10),
        settle=timedelta(minutes=5),
    )

    def __init__(self, site: Site, line: Line) -> None:
        self._site = site
        self._client = Client(site, line)
        self._project = site.scope
        self._catalogue: Catalogue | None = None
        self._workflows: dict[str, Workflow] = {}

    # The site

    def check(self) -> Health:
        server = self._client.server()
        offset = server.now - self._client.clock.now()
        account, zone = self._client.read("/myself", lambda reply: (str(reply.data["displayName"]), _zone(reply)))
        asked = [("permissions", ",".join(_RIGHTS)), ("projectKey", self._project)]
        lacking = self._client.read("/mypermissions", _lacking, asked)
        if lacking:
            raise AuthFailed(f"the account lacks rights in {self._project}: {', '.join(lacking)}")
        product = f"Jira {'Cloud' if server.is_cloud else 'Server'} {server.version}"
        return Health(account, product, zone, offset)

    def describe(self) -> Metadata:
        self._catalogue = read_catalogue(self._client, self._project)
        return self._catalogue.metadata

    def _known(self) -> Catalogue:
        if self._catalogue is None:
            self.describe()
        assert self._catalogue is not None
        return self._catalogue

    def now(self) -> datetime:
        return self._client.server().now

    # Records

    def fetch(self, remote_id: str) -> Record | None:
        known = self._known().metadata.fields
        wanted = [("fields", "*all,-comment,-worklog,-attachment")]
        return self._client.look(_issue(remote_id), lambda reply: self._record(reply.data, known), wanted)

    def _record(self, issue: Json, known: Mapping[str, Any]) -> Record:
        fields = issue["fields"]
        values, lossy = read_values(fields, known)
        values[LABELS] = tuple(sorted(label for label in fields.get(LABELS) or () if not label.startswith(_MARK)))
        return Record(
            self._ref(issue),
            _version(fields),
            moment(fields["created"]),
            moment(fields["updated"]),
            talk.person(fields.get("reporter")),
            values,
            lossy,
        )

    def _ref(self, issue: Json) -> Ref:
        key = str(issue["key"])
        return Ref(str(issue["id"]), key, f"{self._client.base_url}/browse/{key}")

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        jql = f'project = "{self._project}" AND updated >= {millis(since.at)} ORDER BY updated ASC, key ASC'
        after = (millis(since.at), int(since.tie or 0))
        hits: list[Hit] = []
        place = after
        for issue in self._client.search(jql, ["updated"]):
            if _place(issue) <= after:
                continue
            if len(hits) == limit:
                return ChangePage(hits, Watermark(hits[-1].updated_at, str(place[1])), more=True)
            hits.append(_hit(issue))
            place = _place(issue)
        end = Watermark(hits[-1].updated_at, str(place[1])) if hits else since
        return ChangePage(hits, end, more=False)

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        written = self._written(fields)
        written[LABELS] = [*written.get(LABELS, []), _MARK + key]
        written["project"] = {"key": self._project}
        body = {"fields": written, "properties": [{"key": talk.PROPERTY, "value": {"key": key}}]}
        return self._client.write("POST", "/issue", body, lambda reply: self._ref(reply.data))

    def _written(self, fields: Mapping[str, Value]) -> dict[str, Any]:
        is_cloud = self._client.is_cloud
        return {
            name: write_value(self._known().field(name), value, is_cloud=is_cloud) for name, value in fields.items()
        }

    def find_by_key(self, key: str) -> Sequence[Ref]:
        jql = f'project = "{self._project}" AND labels = "{_MARK}{key}" ORDER BY key ASC'
        return [self._ref(one) for one in self._client.search(jql, [LABELS]) if _MARK + key in one["fields"][LABELS]]

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        written = self._written(fields)
        current = self._present(remote_id, ["updated", LABELS])
        if _version(current) != version:
            raise Moved("the issue changed since it was read")
        if LABELS in written:
            written[LABELS] += [label for label in current[LABELS] if label.startswith(_MARK)]
        self._client.write("PUT", _issue(remote_id), {"fields": written}, nothing)

    def _present(self, remote_id: str, fields: Sequence[str]) -> Json:
        """Some fields of an issue as they are now."""
        found: Json | None = self._client.look(
            _issue(remote_id), lambda reply: dict(reply.data["fields"]), [("fields", ",".join(fields))]
        )
        if found is None:
            raise Rejected("the issue is gone, or hidden from this account")
        return found

    # Statuses

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        if wanted not in self._known().metadata.statuses:
            raise Rejected(f"the project has no status {wanted}", STATUS)
        current = self._present(remote_id, [STATUS, "issuetype"])
        here, kind = str(current[STATUS]["id"]), str(current["issuetype"]["id"])
        workflow = self._workflow(kind)
        passed: list[str] = []
        while here != wanted:
            workflow.learn(here, self._steps(remote_id))
            if not passed:
                self._look_around(workflow, kind, here, wanted)
            step = self._next(workflow, here, wanted, fields)
            self._take(remote_id, step, fields)
            here = step.target
            passed.append(here)
        return passed

    def _workflow(self, kind: str) -> Workflow:
        order = self._known().statuses_of.get(kind, ())
        return self._workflows.setdefault(kind, Workflow(order))

    def _steps(self, remote_id: str) -> list[Step]:
        path = f"{_issue(remote_id)}/transitions"
        return self._client.read(path, _steps, [("expand", "transitions.fields")])

    def _look_around(self, workflow: Workflow, kind: str, here: str, wanted: str) -> None:
        """Learn from other issues what leaves the statuses on the way, before this one is moved anywhere."""
        for status in workflow.unseen():
            path = workflow.plan(here, wanted)
            if path is None or path[-1].target == wanted:
                return
            jql = f'project = "{self._project}" AND issuetype = {kind} AND status = {status}'
            other = next(self._client.search(jql, [STATUS]), None)
            if other is not None and str(other["fields"][STATUS]["id"]) == status:
                workflow.learn(status, self._steps(str(other["id"])))

    def _next(self, workflow: Workflow, here: str, wanted: str, fields: Mapping[str, Value]) -> Step:
        """The first step of the way; refused when the way is known to demand what is not given."""
        path = workflow.plan(here, wanted)
        if not path:
            names = self._known().metadata.statuses
            raise Rejected(f"no transitions lead from {names[here]} to {names[wanted]}", STATUS)
        for step in path:
            for name in sorted(step.demands):
                if fields.get(name) in (None, "", ()):
                    raise Rejected(f"the way to {self._known().metadata.statuses[wanted]} demands {name}", name)
        return path[0]

    def _take(self, remote_id: str, step: Step, fields: Mapping[str, Value]) -> None:
        given = self._written({name: value for name, value in fields.items() if name in step.takes})
        body: Json = {"transition": {"id": step.id}}
        self._client.write(
            "POST", f"{_issue(remote_id)}/transitions", body | ({"fields": given} if given else {}), nothing
        )

    # Comments

    def comments(self, remote_id: str) -> Sequence[Comment]:
        return talk.comments(self._comment_rows(remote_id))

    def _comment_rows(self, remote_id: str) -> list[Json]:
        return self._client.all_of(f"{_issue(remote_id)}/comment", "comments", [("expand", "properties")])

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        """Add a comment; of one in parts those that are not there yet, so that it may be sent again."""
        is_cloud = self._client.is_cloud
        parts = talk.parts(comment, is_cloud=is_cloud)
        there = talk.parts_there(self._comment_rows(remote_id), comment.marker) if len(parts) > 1 else {}
        path = f"{_issue(remote_id)}/comment"
        for part in parts:
            if part.number not in there:
                body = talk.new_comment(comment, part, is_cloud=is_cloud)
                there[part.number] = self._client.write("POST", path, body, lambda reply: str(reply.data["id"]))
        return there[1]

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:
        is_cloud = self._client.is_cloud
        if len(talk.parts(NewComment(body, Audience.INTERNAL, ""), is_cloud=is_cloud)) > 1:
            raise Rejected("a comment this long goes in parts, and cannot be changed into them", "comment")
        path = f"{_issue(remote_id)}/comment/{segment(comment_id)}"
        self._client.write("PUT", path, {"body": talk.text(body, is_cloud=is_cloud)}, nothing)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        """Remove a comment with all its parts."""
        rows = self._comment_rows(remote_id)
        for part_id in talk.together_with(rows, comment_id):
            self._client.delete(f"{_issue(remote_id)}/comment/{segment(part_id)}")

    # Files

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        rows = self._present(remote_id, ["attachment"])["attachment"]
        return sorted((_attachment(row) for row in rows), key=lambda one: (one.created_at, int(one.id)))

    def download(
        self,
        remote_id: str,  # noqa: ARG002 - the file's own id names it
        attachment: Attachment,
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._client.download(attachment.id, attachment.name, attachment.size)

    def add_attachment(
        self,
        remote_id: str,
        attachment: NewAttachment,
        audience: Audience,  # noqa: ARG002 - files have none of their own: who sees the issue sees them
    ) -> str:
        most = min(self._client.upload_limit(), self.capabilities.max_attachment_size)
        if attachment.size > most:
            raise Rejected(f"{attachment.name} is larger than the {most} bytes Jira takes", "attachment")
        return self._client.upload(remote_id, attachment)

    # Time

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:
        return talk.worklogs(
            self._client.all_of(f"{_issue(remote_id)}/worklog", "worklogs", [("expand", "properties")])
        )

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:
        body = talk.new_worklog(worklog, is_cloud=self._client.is_cloud)
        return self._client.write("POST", f"{_issue(remote_id)}/worklog", body, lambda reply: str(reply.data["id"]))

    # Webhooks

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        require_signature(self._site.webhook_secret, body, headers.get("x-hub-signature", ""))
        key = headers.get("x-atlassian-webhook-identifier") or hashlib.sha256(body).hexdigest()
        return _hints(body, key)


def _hints(body: bytes, key: str) -> list[Hint]:
    """What a webhook is about; a file's tells no issue, but the issue's own event comes beside it."""
    try:
        told = json.loads(body)
        event = str(told["webhookEvent"])
        issue = told["issue"]["id"] if "issue" in told else told["worklog"]["issueId"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return [Hint(str(issue), event, key)]


def _issue(remote_id: str) -> str:
    return f"/issue/{segment(remote_id)}"


def _zone(reply: Reply) -> str:
    return str(reply.data.get("timeZone") or "UTC")


def _lacking(reply: Reply) -> list[str]:
    granted = reply.data["permissions"]
    return [right for right in _RIGHTS if not granted.get(right, {}).get("havePermission")]


def _version(fields: Json) -> str:
    return str(millis(moment(fields["updated"])))


def _place(issue: Json) -> tuple[int, int]:
    """Where an issue stands in the feed: when it changed, to the millisecond, and the number in its key."""
    return millis(moment(issue["fields"]["updated"])), int(str(issue["key"]).rpartition("-")[2])


def _hit(issue: Json) -> Hit:
    fields = issue["fields"]
    return Hit(str(issue["id"]), _version(fields), moment(fields["updated"]))


def _steps(reply: Reply) -> list[Step]:
    return [
        Step(
            str(one["id"]),
            str(one["to"]["id"]),
            frozenset(name for name, field in one.get("fields", {}).items() if _is_demanded(field)),
            frozenset(one.get("fields", {})),
        )
        for one in reply.data["transitions"]
        if one.get("isAvailable", True)
    ]


def _is_demanded(field: Json) -> bool:
    return bool(field.get("required")) and not field.get("hasDefaultValue")


def _attachment(row: Json) -> Attachment:
    media = str(row.get("mimeType") or "application/octet-stream")
    author = talk.person(row.get("author"))
    return Attachment(str(row["id"]), str(row["filename"]), int(row["size"]), media, author, moment(row["created"]))


CONNECTOR: Opens = Jira
