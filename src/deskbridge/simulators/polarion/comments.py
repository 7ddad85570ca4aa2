"""Work item comments: HTML, threaded, resolvable; their text is never edited and they are never deleted."""

import html
from typing import Any

from deskbridge.simulators.polarion import items
from deskbridge.simulators.polarion.attributes import rich_text
from deskbridge.simulators.polarion.errors import BadRequestError, NotFoundError, wrong_type
from deskbridge.simulators.polarion.jsonapi import Json, member, target_ids
from deskbridge.simulators.polarion.session import Record, Session

_WRITABLE = ("title", "text", "resolved")


def of_item(session: Session, item: Record) -> list[Record]:
    """The comments of an item, oldest first."""
    return sorted(session.state.table("comments").by("item", item["key"]), key=lambda comment: comment["number"])


def require(session: Session, item: Record, comment_id: str) -> Record:
    comment = session.state.table("comments").get(f"{item['key']}/{comment_id}")
    if comment is None:
        raise NotFoundError(f"Comment id {comment_id} of Work Item {item['id']} does not exist.")
    return comment


def create(session: Session, item: Record, data: Json, pointer: str) -> Record:
    """Add a comment from a resource object; plain text is escaped and kept as HTML, as Polarion does."""
    given = _attributes(data, pointer)
    if "text" not in given or not given["text"]["value"].strip():
        raise BadRequestError("Comment text is required.", pointer=f"{pointer}.attributes.text")
    relationships = _relationships(session, item, member(data, "relationships", pointer), f"{pointer}.relationships")
    number = session.state.next(f"comment:{item['key']}")
    comment = {
        "key": f"{item['key']}/c{number}",
        "item": item["key"],
        "id": f"c{number}",
        "number": number,
        "title": given.get("title", ""),
        "text": _as_html(given["text"]),
        "resolved": given.get("resolved", False),
        "created": session.now,
        "revision": session.revision,
        **relationships,
    }
    session.state.table("comments").put(comment["key"], comment)
    items.save(session, items.current(session, item), f"Commented on {item['id']}", "workitem.commented")
    return comment


def _attributes(data: Json, pointer: str) -> dict[str, Any]:
    attributes = member(data, "attributes", pointer)
    given: dict[str, Any] = {}
    for name, value in attributes.items():
        where = f"{pointer}.attributes.{name}"
        if name not in _WRITABLE:
            raise BadRequestError(f"Unknown attribute '{name}' of a comment.", pointer=where)
        if name == "text":
            given[name] = rich_text(value, where)
        elif not isinstance(value, bool if name == "resolved" else str):
            raise wrong_type("BOOLEAN" if name == "resolved" else "STRING", value, where)
        else:
            given[name] = value
    return given


def _relationships(session: Session, item: Record, given: Json, pointer: str) -> dict[str, Any]:
    if unknown := sorted(set(given) - {"author", "parentComment"}):
        raise BadRequestError(f"Unknown relationship '{unknown[0]}' of a comment.", pointer=f"{pointer}.{unknown[0]}")
    author = target_ids(given.get("author", {}), "users", f"{pointer}.author")
    parent = target_ids(given.get("parentComment", {}), "workitem_comments", f"{pointer}.parentComment")
    if parent and (parent[0] not in session.state.table("comments") or not parent[0].startswith(f"{item['key']}/")):
        raise BadRequestError(f"Parent comment '{parent[0]}' does not exist.", pointer=f"{pointer}.parentComment")
    known = items.users(session, author, f"{pointer}.author")
    return {"author": known[0] if known else session.user, "parent": parent[0] if parent else None}


def _as_html(text: Json) -> Json:
    if text["type"] == "text/html":
        return text
    return {"type": "text/html", "value": html.escape(text["value"], quote=False).replace("\n", "<br/>")}


def change(session: Session, item: Record, comment: Record, data: Json) -> None:
    """Set `resolved` of a thread's first comment, and with it of the whole thread; nothing else can be changed."""
    attributes = _attributes(data, "$.data")
    for name in attributes:
        if name != "resolved":
            raise BadRequestError(
                f"Attribute '{name}' of a comment cannot be changed.", pointer=f"$.data.attributes.{name}"
            )
    if not attributes:
        raise BadRequestError("At least one attribute must be provided.", pointer="$.data")
    if comment["parent"]:
        raise BadRequestError(
            "Only the first comment of a thread can be resolved.", pointer="$.data.attributes.resolved"
        )
    for one in _thread(session, item, comment):
        session.state.table("comments").put(
            one["key"], {**one, "resolved": attributes["resolved"], "revision": session.revision}
        )
    items.save(session, items.current(session, item), f"Changed a comment of {item['id']}", "workitem.commented")


def _thread(session: Session, item: Record, root: Record) -> list[Record]:
    thread = {root["key"]: root}
    for comment in of_item(session, item):
        if comment["parent"] in thread:
            thread[comment["key"]] = comment
    return list(thread.values())
