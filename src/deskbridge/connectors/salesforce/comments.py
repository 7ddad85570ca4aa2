"""Case comments: plain text, public or not, with our marker as their last line."""

from collections.abc import Sequence

from deskbridge.connectors.salesforce import richtext
from deskbridge.connectors.salesforce.client import (
    BASE,
    ROWS,
    Client,
    Row,
    all_done,
    literal,
    moment,
    row_path,
    saved_id,
    saved_ids,
    soql,
)
from deskbridge.connectors.salesforce.richtext import Part
from deskbridge.connectors.shared import nothing
from deskbridge.sync.connector import Audience, Comment, NewComment, Person, Rejected

_TOGETHER = f"{BASE}/composite/sobjects"
_MOST_PARTS = 200
_MOST_EDITED = 25
_COLUMNS = (
    "Id, ParentId, CommentBody, IsPublished, CreatedDate, LastModifiedDate, "
    "CreatedById, CreatedBy.Name, CreatedBy.Email"
)
Held = tuple[Row, Part]


def list_comments(client: Client, account_id: str, case_id: str) -> list[Comment]:
    """Return a case's comments, oldest first; what we had to divide is one again."""
    return [_comment(parts) for parts in _grouped(_held(client, account_id, case_id))]


def add(client: Client, case_id: str, comment: NewComment) -> str:
    """Add a comment, all of its parts or none, and return the id of the first."""
    is_public = comment.audience is Audience.PUBLIC
    texts = richtext.marked(richtext.to_plain(comment.body), comment.marker)
    bodies = [{"ParentId": case_id, "CommentBody": text, "IsPublished": is_public} for text in texts]
    if len(bodies) == 1:
        return client.write("POST", f"{ROWS}/CaseComment", saved_id, json=bodies[0])
    if len(bodies) > _MOST_PARTS:
        raise Rejected(f"a comment of {len(bodies)} parts is too long", "CommentBody")
    records = [{"attributes": {"type": "CaseComment"}, **body} for body in bodies]
    return client.write("POST", _TOGETHER, saved_ids, json={"allOrNone": True, "records": records})[0]


def edit(client: Client, account_id: str, case_id: str, comment_id: str, body: str) -> None:
    """Change a comment's text in place, with as many parts as that takes; audience and marker stay."""
    held = _parts_of(client, account_id, case_id, comment_id)
    part = held[0][1]
    text = richtext.to_plain(body)
    texts = [text] if part.marker is None else richtext.marked(text, part.marker)
    if len(held) == len(texts) == 1:
        client.write("PATCH", row_path("CaseComment", comment_id), nothing, json={"CommentBody": texts[0]})
        return
    calls = _calls(held, texts)
    if len(calls) > _MOST_EDITED:
        raise Rejected(f"a comment of {len(calls)} parts is too long to be changed", "CommentBody")
    asked = [{**call, "referenceId": f"part{place}"} for place, call in enumerate(calls)]
    client.write("POST", f"{BASE}/composite", all_done, json={"allOrNone": True, "compositeRequest": asked})


def delete(client: Client, account_id: str, case_id: str, comment_id: str) -> None:
    """Remove a comment with all its parts."""
    ids = [str(row["Id"]) for row, _ in _parts_of(client, account_id, case_id, comment_id)]
    if len(ids) == 1:
        client.write("DELETE", row_path("CaseComment", comment_id), nothing)
    else:
        params = [("ids", ",".join(ids)), ("allOrNone", "true")]
        client.write("DELETE", _TOGETHER, saved_ids, params=params)


def _calls(held: Sequence[Held], texts: Sequence[str]) -> list[dict[str, object]]:
    """What to do together: rewrite the parts there are, add those that are missing, remove those that are too many."""
    first = held[0][0]
    calls: list[dict[str, object]] = [
        {"method": "PATCH", "url": row_path("CaseComment", row["Id"]), "body": {"CommentBody": text}}
        for (row, _), text in zip(held, texts, strict=False)
    ]
    for text in texts[len(held) :]:
        more = {"ParentId": first["ParentId"], "CommentBody": text, "IsPublished": first["IsPublished"]}
        calls.append({"method": "POST", "url": f"{ROWS}/CaseComment", "body": more})
    for row, _ in held[len(texts) :]:
        calls.append({"method": "DELETE", "url": row_path("CaseComment", row["Id"])})
    return calls


def _parts_of(client: Client, account_id: str, case_id: str, comment_id: str) -> list[Held]:
    """The comments that are one with this one, in order; Rejected when it is not there."""
    for group in _grouped(_held(client, account_id, case_id)):
        if any(row["Id"] == comment_id for row, _ in group):
            return group
    raise Rejected("the comment is gone")


def _held(client: Client, account_id: str, case_id: str) -> list[Held]:
    """A case's comments as they are held. A marker counts only in what this account wrote: anybody may copy one."""
    where = f"WHERE ParentId = {literal(case_id)}"
    rows = client.query(soql(_COLUMNS, "CaseComment", where, "ORDER BY CreatedDate, Id"))
    return [(row, _part(row, account_id)) for row in rows]


def _grouped(held: Sequence[Held]) -> list[list[Held]]:
    """What belongs together, each in the order of its parts."""
    groups: dict[str, list[Held]] = {}
    for row, part in held:
        groups.setdefault(f"{part.marker}/{part.total}" if part.total > 1 else str(row["Id"]), []).append((row, part))
    return [sorted(group, key=lambda one: one[1].number) for group in groups.values()]


def _part(row: Row, account_id: str) -> Part:
    body = str(row["CommentBody"] or "")
    return richtext.unmarked(body) if row["CreatedById"] == account_id else Part(body)


def _comment(parts: Sequence[Held]) -> Comment:
    row, part = parts[0]
    return Comment(
        id=str(row["Id"]),
        body=richtext.to_markdown(richtext.joined([part for _, part in parts])),
        audience=Audience.PUBLIC if all(row["IsPublished"] for row, _ in parts) else Audience.INTERNAL,
        author=author_of(row),
        created_at=moment(row["CreatedDate"]),
        updated_at=max(moment(row["LastModifiedDate"]) for row, _ in parts),
        marker=part.marker,
    )


def author_of(row: Row) -> Person:
    """Who created a record, from the columns CreatedById, CreatedBy.Name and CreatedBy.Email."""
    person = row.get("CreatedBy") or {}
    return Person(str(row["CreatedById"]), str(person.get("Name") or row["CreatedById"]), person.get("Email"))
