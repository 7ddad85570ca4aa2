"""Writing what an import brings by bulk inserts: no event is recorded, so nothing follows from it.

Past the use cases on purpose: what happened elsewhere is not ours to check, to notify of, to sync, or to time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.ids import derived_id
from deskbridge.kit.model import Base
from deskbridge.kit.numbers import next_numbers
from deskbridge.people.actor import Role
from deskbridge.people.model import CUSTOMER_NUMBERS, Team, User, new_user_values
from deskbridge.tickets.model import Category


def add_rows(uow: UnitOfWork, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each with a value for every column."""
    if rows:
        uow.connection.execute(insert(table), rows)


@dataclass(frozen=True)
class Person:
    """Somebody who appears in a source: in which role, since when, and whether they are one of the desk from now on."""

    name: str
    role: Role
    seen_at: datetime
    active: bool


def add_people(uow: UnitOfWork, issuer: str, people: Mapping[str, Person]) -> tuple[dict[str, UUID], int]:
    """Return the ids of people by their subject at the issuer, and how many had to be added.

    Those added have no address and no password: nobody signs in as them.
    """
    ids = _present(uow, User.subject, User.id, people, User.issuer == issuer)
    missing = {subject: person for subject, person in people.items() if subject not in ids}
    numbers = next_numbers(uow, CUSTOMER_NUMBERS, User.customer_number, len(missing))
    rows = []
    for number, (subject, person) in zip(numbers, missing.items(), strict=True):
        ids[subject] = derived_id(person.seen_at, issuer, "person", subject)
        rows.append(_user_row(ids[subject], number, issuer, subject, person))
    add_rows(uow, User, rows)
    return ids, len(rows)


def _user_row(user_id: UUID, number: int, issuer: str, subject: str, person: Person) -> dict[str, Any]:
    return new_user_values() | {
        "id": user_id,
        "customer_number": number,
        "name": person.name,
        "email": None,
        "email_key": None,
        "phone": None,
        "role": person.role,
        "active": person.active,
        "password_hash": None,
        "issuer": issuer,
        "subject": subject,
        "available": False,
        "created_at": person.seen_at,
        "updated_at": person.seen_at,
    }


def add_teams(
    uow: UnitOfWork, issuer: str, names: Mapping[str, datetime], description: str
) -> tuple[dict[str, UUID], int]:
    """Return the ids of teams by name, and how many had to be added; a team of the desk with that name is the one."""
    ids = _present(uow, Team.name, Team.id, names)
    missing = {name: derived_id(at, issuer, "team", name) for name, at in names.items() if name not in ids}
    rows = [{"id": id_, "name": name, "description": description, "active": True} for name, id_ in missing.items()]
    add_rows(uow, Team, rows)
    return ids | missing, len(rows)


def add_categories(uow: UnitOfWork, names: Mapping[str, str]) -> int:
    """Add the categories (key: name) that are not there yet, inactive; return how many."""
    present = _present(uow, Category.key, Category.name, names)
    last = uow.connection.scalar(select(func.max(Category.position))) or 0
    missing = [key for key in names if key not in present]
    rows = [
        {"key": key, "name": names[key], "active": False, "position": position}
        for position, key in enumerate(missing, last + 1)
    ]
    add_rows(uow, Category, rows)
    return len(rows)


def _present(uow: UnitOfWork, key: Any, value: Any, wanted: Iterable[Any], *conditions: Any) -> dict[Any, Any]:
    """Return {key: value} of the rows whose key is wanted."""
    rows = uow.connection.execute(select(key, value).where(key.in_(list(wanted)), *conditions))
    return {row[0]: row[1] for row in rows}
