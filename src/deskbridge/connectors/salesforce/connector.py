"""Salesforce cases as the sync engine asks for them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

from deskbridge.connectors.salesforce import comments, feed, files, push, richtext
from deskbridge.connectors.salesforce.client import (
    ROWS,
    VERSION,
    Client,
    Row,
    Taken,
    literal,
    moment,
    row_of,
    row_path,
    saved_id,
    soql,
)
from deskbridge.connectors.salesforce.schema import DEMANDED_TO_CLOSE, REF, STATUS, Schema, learn
from deskbridge.connectors.shared import Line, Opens, Site, nothing
from deskbridge.sync.connector import (
    Attachment,
    Audience,
    Audiences,
    Capabilities,
    ChangePage,
    Comment,
    Failure,
    Health,
    Hint,
    Metadata,
    Moved,
    NewAttachment,
    NewComment,
    NewWorklog,
    Person,
    Record,
    Ref,
    Rejected,
    Unknown,
    Value,
    Watermark,
    Worklog,
    WorklogKind,
)

_ID = re.compile(r"500(?:[0-9A-Za-z]{12}|[0-9A-Za-z]{15})", re.ASCII)
_BEFORE_EVERYTHING = "Thu, 01 Jan 1970 00:00:00 GMT"
_PEOPLE_KEPT = 1000


class Salesforce:
    """The cases of one org.

    `site.base_url` is the org's own address (My Domain); tokens are asked for there too. What it has learnt of the org
    (fields, statuses, people) it keeps until `check` or `describe` is called, or a value turns out to be new.
    """

    def __init__(self, site: Site, line: Line) -> None:
        self.capabilities = Capabilities(
            unique_key=True,
            conditional_update=True,
            audiences=Audiences.BOTH,
            comment_edit=True,
            comment_delete=True,
            worklogs=WorklogKind.TOTAL,
            webhooks=True,
            max_comment_length=richtext.MAX_COMMENT,
            max_attachment_size=files.MAX_FILE,
            lookback=timedelta(minutes=15),
            settle=timedelta(minutes=2),
        )
        self._site = site
        self._clock = line.clock
        self._client = Client(site, line)
        self._known: Schema | None = None
        self._user: Row | None = None
        self._people: dict[str, Person] = {}

    # The org

    def check(self) -> Health:
        self._learn()
        self._user = None
        here = self._account()
        offset = self.now() - self._clock.now()
        return Health(str(here["name"]), f"Salesforce, API {VERSION}", str(here["zoneinfo"]), offset)

    def describe(self) -> Metadata:
        return self._learn().metadata

    def now(self) -> datetime:
        """The `Date` of an answer that costs nothing of the org's allowance."""
        return self._client.read("/services/data", lambda reply: reply.moment)

    def _learn(self) -> Schema:
        self._known = learn(self._client)
        # without it, two writers at once may make two cases with one key: whoever reads this must look after a doubt
        self.capabilities = replace(self.capabilities, unique_key=self._known.is_ref_unique)
        return self._known

    def _schema(self) -> Schema:
        return self._known or self._learn()

    def _account(self) -> Row:
        """Who is signed in: `user_id`, `name`, `zoneinfo`, `organization_id`."""
        if self._user is None:
            self._user = self._client.read("/services/oauth2/userinfo", lambda reply: _account_of(reply.data))
        return self._user

    # Cases

    def fetch(self, remote_id: str) -> Record | None:
        schema, row = self._schema(), self._row(remote_id)
        if row is None:
            return None
        return Record(
            ref=self._ref(row),
            version=schema.version(row),
            created_at=moment(row["CreatedDate"]),
            updated_at=moment(row["LastModifiedDate"]),
            reporter=self._reporter(row),
            fields=schema.values(row),
            lossy=frozenset(name for name in schema.html if row.get(name)),
        )

    def changed_since(self, since: Watermark, limit: int) -> ChangePage:
        return feed.changed_since(self._client, self._schema(), since, limit)

    def create(self, key: str, fields: Mapping[str, Value]) -> Ref:
        """Upsert by our key, but only where there is nothing yet: what people wrote since is not overwritten."""
        body = self._body(fields)
        path = f"{ROWS}/Case/{REF}/{quote(key, safe='')}"
        try:
            case_id = self._client.write(
                "PATCH", path, saved_id, json=body, headers={"If-Unmodified-Since": _BEFORE_EVERYTHING}
            )
        except (Moved, Taken) as there:
            return self._made_before(key, there)
        try:
            return self._ref(self._client.read(row_path("Case", case_id), row_of, params=[("fields", "CaseNumber")]))
        except Failure as lost:
            raise Unknown(f"created as {case_id}, but not read back: {lost.reason}") from lost

    def find_by_key(self, key: str) -> Sequence[Ref]:
        """Query, which shows duplicates; then ask for the one directly, which also shows what queries show late."""
        where = f"WHERE {REF} = {literal(key)}"
        found = self._client.query(soql("Id, CaseNumber", "Case", where, "ORDER BY CreatedDate, Id"))
        if not found:
            path = f"{ROWS}/Case/{REF}/{quote(key, safe='')}"
            row = self._client.look(path, row_of, params=[("fields", "CaseNumber")])
            found = [row] if row else []
        return [self._ref(row) for row in found]

    def update(self, remote_id: str, fields: Mapping[str, Value], version: str) -> None:
        """Compare, then write on condition: the condition is of whole seconds, the comparison is not."""
        body = self._body(fields)
        row = self._row(remote_id)
        if row is None or self._schema().version(row) != version:
            raise Moved("the case changed after it was read, or is gone")
        self._write_unmoved(row, body)

    def transition(self, remote_id: str, wanted: str, fields: Mapping[str, Value]) -> Sequence[str]:
        """Any status may follow any other. One that closes demands a reason, here or already on the case."""
        self._require_status(wanted)
        schema, row = self._schema(), self._row(remote_id)
        if row is None:
            raise Rejected("the case is gone")
        if row[STATUS] == wanted:
            return []
        body = self._body(fields)
        if wanted in schema.closing and not body.get(DEMANDED_TO_CLOSE, row.get(DEMANDED_TO_CLOSE)):
            raise Rejected(f"{wanted} demands {DEMANDED_TO_CLOSE}", DEMANDED_TO_CLOSE)
        self._write_unmoved(row, {**body, STATUS: wanted})
        return [wanted]

    def _row(self, remote_id: str) -> Row | None:
        if not _ID.fullmatch(remote_id):
            return None
        return self._client.look(row_path("Case", remote_id), row_of)

    def _ref(self, row: Row) -> Ref:
        url = f"{self._site.base_url.rstrip('/')}/lightning/r/Case/{row['Id']}/view"
        return Ref(str(row["Id"]), str(row["CaseNumber"]), url)

    def _made_before(self, key: str, reason: Failure) -> Ref:
        found = self.find_by_key(key)
        if len(found) == 1:
            return found[0]
        raise Unknown(f"{len(found)} cases carry the key, though Salesforce said: {reason.reason}")

    def _body(self, fields: Mapping[str, Value]) -> dict[str, object]:
        """The fields as Salesforce takes them; a refusal is checked against the org as it is now."""
        try:
            return self._schema().body(fields)
        except Rejected:
            return self._learn().body(fields)

    def _require_status(self, wanted: str) -> None:
        if wanted not in self._schema().metadata.statuses and wanted not in self._learn().metadata.statuses:
            raise Rejected(f"cases have no status {wanted!r}", STATUS)

    def _write_unmoved(self, row: Row, body: Mapping[str, object]) -> None:
        condition = {"If-Unmodified-Since": format_datetime(moment(row["LastModifiedDate"]), usegmt=True)}
        self._client.write("PATCH", row_path("Case", row["Id"]), nothing, json=body, headers=condition)

    def _reporter(self, row: Row) -> Person:
        """The contact; else whom a web form or a mail named; else who entered the case."""
        if contact := row.get("ContactId"):
            return self._person("Contact", str(contact))
        if email := row.get("SuppliedEmail"):
            return Person(f"mailto:{email}", str(row.get("SuppliedName") or email), str(email))
        return self._person("User", str(row["CreatedById"]))

    def _person(self, sobject: str, person_id: str) -> Person:
        if person_id not in self._people:
            row = self._client.look(row_path(sobject, person_id), row_of, params=[("fields", "Name,Email")]) or {}
            if len(self._people) >= _PEOPLE_KEPT:
                self._people.clear()
            self._people[person_id] = Person(person_id, str(row.get("Name") or person_id), row.get("Email"))
        return self._people[person_id]

    # Comments

    def comments(self, remote_id: str) -> Sequence[Comment]:
        return comments.list_comments(self._client, self._account()["user_id"], remote_id)

    def add_comment(self, remote_id: str, comment: NewComment) -> str:
        return comments.add(self._client, remote_id, comment)

    def edit_comment(self, remote_id: str, comment_id: str, body: str) -> None:
        comments.edit(self._client, self._account()["user_id"], remote_id, comment_id, body)

    def delete_comment(self, remote_id: str, comment_id: str) -> None:
        comments.delete(self._client, self._account()["user_id"], remote_id, comment_id)

    # Files

    def attachments(self, remote_id: str) -> Sequence[Attachment]:
        return files.list_attachments(self._client, remote_id)

    def download(self, remote_id: str, attachment: Attachment) -> AbstractContextManager[Iterator[bytes]]:  # noqa: ARG002 - a file is found by its own id
        return files.open_attachment(self._client, attachment, self.capabilities.max_attachment_size)

    def add_attachment(self, remote_id: str, attachment: NewAttachment, audience: Audience) -> str:
        return files.add(self._client, remote_id, attachment, audience)

    # Time

    def worklogs(self, remote_id: str) -> Sequence[Worklog]:  # noqa: ARG002 - no case has any
        """No entries: a case has one total, the field Desk_Minutes__c."""
        return []

    def add_worklog(self, remote_id: str, worklog: NewWorklog) -> str:  # noqa: ARG002 - as above
        raise Rejected("a case keeps one total of minutes, no entries", "Desk_Minutes__c")

    # Webhooks

    def hints(self, headers: Mapping[str, str], body: bytes) -> Sequence[Hint]:
        secret = self._site.webhook_secret
        return push.hints(secret, lambda: str(self._account()["organization_id"]), headers, body)


def _account_of(data: Row) -> Row:
    return {name: data[name] for name in ("user_id", "name", "zoneinfo", "organization_id")}


CONNECTOR: Opens = Salesforce
