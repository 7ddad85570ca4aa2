"""Work records: who worked how long on what day. They are created and deleted, never changed; the item sums them up."""

from fractions import Fraction
from typing import Any

from deskbridge.simulators.polarion import items
from deskbridge.simulators.polarion.attributes import day, duration
from deskbridge.simulators.polarion.durations import format_minutes, parse_minutes
from deskbridge.simulators.polarion.errors import BadRequestError, NotFoundError, wrong_type
from deskbridge.simulators.polarion.jsonapi import Json, member, target_ids
from deskbridge.simulators.polarion.session import Record, Session


def of_item(session: Session, item: Record) -> list[Record]:
    """The work records of an item in the order they came."""
    return sorted(session.state.table("workrecords").by("item", item["key"]), key=lambda record: record["number"])


def require(session: Session, item: Record, record_id: str) -> Record:
    record = session.state.table("workrecords").get(f"{item['key']}/{record_id}")
    if record is None:
        raise NotFoundError(f"Work Record id {record_id} of Work Item {item['id']} does not exist.")
    return record


def create(session: Session, item: Record, data: Json, pointer: str) -> Record:
    """Book time from a resource object: `timeSpent` and the user are required, the day defaults to today."""
    given = _attributes(data, pointer)
    if "timeSpent" not in given:
        raise BadRequestError("Time spent is required.", pointer=f"{pointer}.attributes.timeSpent")
    number = session.state.next(f"workrecord:{item['key']}")
    record = {
        "date": session.moment.date().isoformat(),
        "type": "",
        "comment": "",
        **given,
        "key": f"{item['key']}/{number}",
        "item": item["key"],
        "id": str(number),
        "number": number,
        "user": _user(session, data, pointer),
        "revision": session.revision,
    }
    session.state.table("workrecords").put(record["key"], record)
    _sum_up(session, item)
    return record


def _attributes(data: Json, pointer: str) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in member(data, "attributes", pointer).items():
        where = f"{pointer}.attributes.{name}"
        if name not in ("date", "timeSpent", "type", "comment"):
            raise BadRequestError(f"Unknown attribute '{name}' of a work record.", pointer=where)
        if not isinstance(value, str):
            raise wrong_type("STRING", value, where)
        given[name] = {"date": day, "timeSpent": duration}.get(name, lambda text, _: text)(value, where)
    return given


def _user(session: Session, data: Json, pointer: str) -> str:
    where = f"{pointer}.relationships.user"
    ids = target_ids(member(data, "relationships", pointer).get("user", {}), "users", where)
    if not ids:
        raise BadRequestError("The user of a work record is required.", pointer=where)
    return items.users(session, ids, where)[0]


def delete(session: Session, item: Record, records: list[Record]) -> None:
    for record in records:
        session.state.table("workrecords").delete(record["key"])
    _sum_up(session, item)


def _sum_up(session: Session, item: Record) -> None:
    """The item's time spent is the sum of its records."""
    spent = [parse_minutes(record["timeSpent"]) or Fraction(0) for record in of_item(session, item)]
    current = items.current(session, item)
    attributes = {name: value for name, value in current["attributes"].items() if name != "timeSpent"}
    if spent:
        attributes["timeSpent"] = format_minutes(sum(spent, Fraction(0)))
    items.save(session, {**current, "attributes": attributes}, f"Work on {item['id']}", "workitem.updated")
