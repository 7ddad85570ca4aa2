"""Jira's comments and time entries: the marks we leave on them, and long comments in parts.

A comment's property `deskbridge` holds our key of it. One that is longer than Jira takes goes in parts which all carry
the key; they are read as one comment when all are there, and not at all before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.connectors.jira.client import Json, moment, stamp
from deskbridge.connectors.jira.fields import person_id
from deskbridge.connectors.jira.richtext import from_remote, to_remote
from deskbridge.connectors.pieces import pieces
from deskbridge.sync.connector import Audience, Comment, NewComment, NewWorklog, Person, Rejected, Worklog

PROPERTY = "deskbridge"
LONGEST = 30_000
"""Characters of one comment; Jira takes 32,767, mark-up included."""
_LONGEST_WIKI = 15_000
_SERVICE_DESK = "sd.public.comment"


@dataclass(frozen=True)
class Part:
    """One of the `of` comments that a long one is sent as; `number` counts from 1."""

    text: str
    number: int
    of: int


def parts(comment: NewComment, *, is_cloud: bool) -> list[Part]:
    texts = pieces(comment.body, LONGEST if is_cloud else _LONGEST_WIKI)
    return [Part(text, number, len(texts)) for number, text in enumerate(texts, 1)]


def new_comment(comment: NewComment, part: Part, *, is_cloud: bool) -> Json:
    """The body of a request that adds one part."""
    mark: Json = {"marker": comment.marker}
    if part.of > 1:
        mark |= {"part": part.number, "of": part.of}
    is_internal = comment.audience is Audience.INTERNAL
    return {
        "body": text(part.text, is_cloud=is_cloud),
        "properties": [
            {"key": PROPERTY, "value": mark},
            {"key": _SERVICE_DESK, "value": {"internal": is_internal}},
        ],
    }


def text(body: str, *, is_cloud: bool) -> Any:
    """A comment's text as Jira takes it; an empty one is refused, as Jira would."""
    remote = to_remote(body, is_cloud=is_cloud)
    if remote is None:
        raise Rejected("a comment without text", "comment")
    return remote


def parts_there(rows: Sequence[Json], marker: str) -> dict[int, str]:
    """The ids of the parts of one comment that were added already, by number."""
    marks = [(_mark(row), str(row["id"])) for row in rows]
    return {int(mark.get("part", 1)): row_id for mark, row_id in marks if mark.get("marker") == marker}


def together_with(rows: Sequence[Json], comment_id: str) -> list[str]:
    """The ids of a comment's parts, the one that gives it its id last; just that one when it has no parts."""
    mark = next((_mark(row) for row in rows if str(row["id"]) == comment_id), {})
    others = parts_there(rows, str(mark["marker"])) if mark.get("of", 1) > 1 else {}
    return [*(part_id for part_id in others.values() if part_id != comment_id), comment_id]


def comments(rows: Sequence[Json]) -> list[Comment]:
    """Return comments, oldest first, those in parts as one."""
    read: list[Comment] = []
    waiting: dict[str, list[Comment]] = {}
    for row in sorted(rows, key=lambda row: (moment(row["created"]), int(row["id"]))):
        mark = _mark(row)
        if mark.get("of", 1) == 1:
            read.append(_comment(row, mark.get("marker")))
            continue
        gathered = waiting.setdefault(str(mark["marker"]), [])
        gathered.append(_comment(row, mark["marker"]))
        if len(gathered) == mark["of"]:
            read.append(_joined(gathered))
    return read


def _comment(row: Json, marker: str | None) -> Comment:
    body, is_lossy = from_remote(row.get("body"))
    return Comment(
        str(row["id"]),
        body,
        _audience(row),
        person(row.get("author")),
        moment(row["created"]),
        moment(row["updated"]),
        marker,
        is_lossy,
    )


def _joined(gathered: Sequence[Comment]) -> Comment:
    first = gathered[0]
    return Comment(
        first.id,
        "\n\n".join(part.body for part in gathered),
        first.audience,
        first.author,
        first.created_at,
        max(part.updated_at for part in gathered),
        first.marker,
        any(part.lossy for part in gathered),
    )


def _audience(row: Json) -> Audience:
    """Whatever is not open to everybody is internal: restricted to a role or group, or marked by the service desk."""
    mark = _properties(row).get(_SERVICE_DESK)
    is_internal = isinstance(mark, dict) and mark.get("internal") in {True, "true"}
    return (
        Audience.INTERNAL if is_internal or row.get("visibility") or row.get("jsdPublic") is False else Audience.PUBLIC
    )


def _mark(row: Json) -> Json:
    mark = _properties(row).get(PROPERTY)
    return mark if isinstance(mark, dict) else {}


def _properties(row: Json) -> Mapping[str, Any]:
    return {str(one["key"]): one.get("value") for one in row.get("properties") or ()}


def person(raw: Json | None) -> Person | None:
    if raw is None:
        return None
    name = str(raw.get("displayName") or person_id(raw))
    return Person(person_id(raw), name, raw.get("emailAddress") or None)


# Time


def new_worklog(worklog: NewWorklog, *, is_cloud: bool) -> Json:
    body: Json = {
        "timeSpentSeconds": worklog.minutes * 60,
        "started": stamp(worklog.started_at),
        "properties": [{"key": PROPERTY, "value": {"marker": worklog.marker}}],
    }
    note = to_remote(worklog.note, is_cloud=is_cloud)
    return body if note is None else {**body, "comment": note}


def worklogs(rows: Sequence[Json]) -> list[Worklog]:
    """Return time entries, oldest first; seconds are rounded to whole minutes, never to none."""
    ordered = sorted(rows, key=lambda row: (moment(row["started"]), int(row["id"])))
    return [
        Worklog(
            str(row["id"]),
            max(1, round(int(row["timeSpentSeconds"]) / 60)),
            from_remote(row.get("comment"))[0],
            moment(row["started"]),
            person(row.get("author")),
            _mark(row).get("marker"),
        )
        for row in ordered
    ]
