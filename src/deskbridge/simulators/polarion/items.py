"""Work items: creating, changing, moving through the workflow, deleting, searching.

A stored item is a record {key: "DESK/DESK-1", project, id, number, author, assignee: [user ids], created, updated,
revision, attributes}; each of its versions is kept in the table `history`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from deskbridge.simulators.polarion import hook, model
from deskbridge.simulators.polarion.attributes import RELATIONSHIPS, cleaned
from deskbridge.simulators.polarion.errors import BadRequestError, NotFoundError
from deskbridge.simulators.polarion.jsonapi import Json, member, target_ids
from deskbridge.simulators.polarion.lucene import QueryError, parse
from deskbridge.simulators.polarion.matching import WORK_ITEMS, Context, Sort, matcher, number_of
from deskbridge.simulators.polarion.session import Record, Session, stamp
from deskbridge.simulators.product import lag


def key_of(project: str, item_id: str) -> str:
    return f"{project}/{item_id}"


def require(session: Session, project: str, item_id: str) -> Record:
    """The work item, or Polarion's 404."""
    item = session.state.table("workitems").get(key_of(project, item_id))
    if item is None:
        raise NotFoundError(f"Work Item id {item_id} in project {project} does not exist.")
    return item


def current(session: Session, item: Record) -> Record:
    """The item as it is now: within one request it may have been saved since it was loaded."""
    return session.state.table("workitems")[item["key"]]


def at_revision(session: Session, item: Record, revision: str) -> Record:
    """The item as it was at a revision (the last change at or before it)."""
    if not (revision.isascii() and revision.isdigit() and len(revision) < 10):
        raise BadRequestError(f"Invalid revision '{revision}'.", parameter="revision")
    known = [version for version in _versions(session, item) if int(version["revision"]) <= int(revision)]
    if not known:
        raise NotFoundError(f"Work Item id {item['id']} does not exist in revision {revision}.")
    return known[-1]


def _versions(session: Session, item: Record) -> list[Record]:
    """What the item was after each of its changes, oldest first."""
    return sorted(session.state.table("history").by("key", item["key"]), key=lambda one: int(one["revision"]))


# --- writing


def create(session: Session, project: str, data: Json, pointer: str) -> Record:
    """A new item from a resource object of a POST; its status is the workflow's first unless given."""
    given = cleaned(member(data, "attributes", pointer), f"{pointer}.attributes")
    if not given.get("type"):
        raise BadRequestError("Work Item type is required.", pointer=f"{pointer}.attributes.type")
    people = _people(session, member(data, "relationships", pointer), f"{pointer}.relationships")
    number = session.state.next(f"workitem:{project}")
    item_id = f"{project}-{number}"
    item: Record = {
        "key": key_of(project, item_id),
        "project": project,
        "id": item_id,
        "number": number,
        "author": people.get("author", session.user),
        "assignee": people.get("assignee", []),
        "created": session.now,
        "attributes": _merged(session, _defaults(given["type"]), given),
    }
    return save(session, item, f"Created {item_id}", "workitem.created")


def _defaults(item_type: str) -> Json:
    defaults = {name: model.default_option(name, item_type) for name in ("status", "severity", "priority")}
    return {name: value for name, value in defaults.items() if value is not None}


def _people(session: Session, relationships: Json, pointer: str) -> dict[str, Any]:
    """The user relationships of a request: {"assignee": [ids], "author": id}, those that were given."""
    people: dict[str, Any] = {}
    for name, value in relationships.items():
        if name not in ("assignee", "author"):
            known = "not supported by this simulator" if name in RELATIONSHIPS else "unknown"
            raise BadRequestError(f"Relationship '{name}' is {known}.", pointer=f"{pointer}.{name}")
        ids = users(session, target_ids(value, "users", f"{pointer}.{name}"), f"{pointer}.{name}")
        if name == "assignee":
            people[name] = ids
        elif ids:
            people[name] = ids[0]
    return people


def users(session: Session, ids: list[str], pointer: str) -> list[str]:
    """The same ids, each known and once."""
    for user_id in ids:
        if user_id not in session.state.table("users"):
            raise BadRequestError(f"User with id '{user_id}' does not exist.", pointer=pointer)
    return list(dict.fromkeys(ids))


def change(
    session: Session, item: Record, data: Json, pointer: str, *, action: str = "", change_type: str = ""
) -> Record:
    """Apply a resource object of a PATCH, then the type change or the workflow action of the query."""
    attributes = member(data, "attributes", pointer)
    relationships = member(data, "relationships", pointer)
    if not attributes and not relationships and not change_type:
        raise BadRequestError("At least one attribute or relationship must be provided.", pointer=pointer)
    if "type" in attributes:
        raise BadRequestError("The type is changed with 'changeTypeTo'.", pointer=f"{pointer}.attributes.type")
    people = _people(session, relationships, f"{pointer}.relationships")
    stored = _retyped(item["attributes"], change_type) if change_type else item["attributes"]
    stored = _merged(session, stored, cleaned(attributes, f"{pointer}.attributes"))
    if action:
        stored = _performed(session, item, stored, action, pointer)
    changed = {**item, **people, "attributes": stored}
    if changed == item:
        return item
    return save(session, changed, f"Updated {item['id']}", "workitem.updated")


def _retyped(stored: Mapping[str, Any], item_type: str) -> Json:
    """Another type starts its own workflow: the status goes back to that workflow's first."""
    if item_type not in model.TYPES:
        raise BadRequestError(f"Work Item type '{item_type}' does not exist.", parameter="changeTypeTo")
    if item_type == stored["type"]:
        return dict(stored)
    return {**stored, "type": item_type, **{name: _defaults(item_type)[name] for name in ("status", "severity")}}


def _merged(session: Session, stored: Mapping[str, Any], given: Mapping[str, Any]) -> Json:
    for name in ("type", "status"):
        if name in given and given[name] is None:
            raise BadRequestError(f"Field '{name}' cannot be empty.", pointer=f"$.data.attributes.{name}")
    merged = {name: value for name, value in {**stored, **given}.items() if value is not None}
    return _resolved(session, stored, merged)


def _resolved(session: Session, before: Mapping[str, Any], after: Json) -> Json:
    """A resolution and its time come and go together."""
    if "resolution" not in after:
        after.pop("resolvedOn", None)
    elif "resolution" not in before and after.get("resolvedOn") == before.get("resolvedOn"):
        after["resolvedOn"] = session.now
    return after


def _performed(session: Session, item: Record, stored: Json, action_id: str, pointer: str) -> Json:
    """The attributes after a workflow action, judged by the status the item has, not one sent along."""
    title, status = item["id"], item["attributes"]["status"]
    offered = {action.id: action for action in model.actions(stored["type"], status)}
    if action_id not in offered:
        raise BadRequestError(
            f"Workflow action '{action_id}' is not available for Work Item '{title}' in status '{status}'.",
            parameter="workflowAction",
        )
    action = offered[action_id]
    for name in action.required:
        if name not in stored:
            raise BadRequestError(
                f"'{action.name}' failed for Work Item '{title}': "
                f"The required field '{name}' of Work Item '{title}' is empty",
                pointer=f"{pointer}.attributes.{name}",
            )
    kept = {name: value for name, value in stored.items() if name not in action.cleared}
    return _resolved(session, stored, kept | {"status": action.target})


def save(session: Session, item: Record, message: str, event: str) -> Record:
    """Store a new version of the item under this request's revision, and tell the hook."""
    saved = {**item, "updated": session.now, "revision": session.revision}
    session.record(message)
    session.state.table("workitems").put(item["key"], saved)
    session.state.table("history").put(_version_key(saved), saved)
    hook.fire(session, event, saved)
    return saved


def _version_key(item: Record) -> str:
    return f"{item['key']}@{item['revision']}"


def delete(session: Session, item: Record) -> None:
    """Remove the item and everything that hangs on it; its number is never given out again."""
    state = session.state
    for table in ("comments", "attachments", "workrecords"):
        for record in state.table(table).by("item", item["key"]):
            state.table(table).delete(record["key"])
            state.blobs.delete(record["key"])
    for version in _versions(session, item):
        state.table("history").delete(_version_key(version))
    state.table("workitems").delete(item["key"])
    session.record(f"Deleted {item['id']}")
    hook.fire(session, "workitem.deleted", item)


# --- searching


def search(session: Session, query: str, sort: str, project: str | None) -> list[Record]:
    """The items the index finds, freshly read, in the order asked for (by id when none is)."""
    try:
        matches = matcher(parse(query), Context(session.moment.date(), session.user))
        keys = _sort_keys(sort)
    except QueryError as error:
        raise BadRequestError(str(error), parameter="query") from error
    found = [
        (seen, item)
        for item in session.state.table("workitems").values()
        if (project is None or item["project"] == project)
        and (seen := _as_indexed(session, item)) is not None
        and matches(seen)
    ]
    found.sort(key=lambda pair: (pair[1]["project"], pair[1]["number"]))
    for key, descending in reversed(keys):
        found.sort(key=lambda pair: key(pair[0]), reverse=descending)
    return [item for _, item in found]


def _as_indexed(session: Session, item: Record) -> Record | None:
    """The version of the item that the index, which may lag behind, has seen; None when it has seen none."""
    seconds = lag(session.state)
    if seconds <= 0:
        return item
    horizon = stamp(session.moment - timedelta(seconds=seconds))
    seen = [version for version in _versions(session, item) if version["updated"] <= horizon]
    return seen[-1] if seen else None


SortKey = Callable[[Record], Any]


def _sort_keys(sort: str) -> list[tuple[SortKey, bool]]:
    names = [name for part in sort.split(",") if (name := part.strip())]
    return [(_sort_key(WORK_ITEMS.name(name.lstrip("-"))), name.startswith("-")) for name in names]


def _sort_key(name: str) -> SortKey:
    if name == "id":
        return lambda item: item["number"]
    if name not in WORK_ITEMS.fields:
        raise BadRequestError(f"Cannot sort by '{name}'.", parameter="sort")
    indexed = WORK_ITEMS.fields[name]
    if indexed.sort is Sort.NUMBER:
        return lambda item: max((number_of(value) or 0.0 for value in indexed.read(item)), default=-1.0)
    return lambda item: "".join(indexed.read(item)).casefold()
