"""Who somebody in a tracker is here: kept by the id that never changes, seeded by e-mail address, changed by hand."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.statements import Statement
from deskbridge.kit.text import clean_line, email_key
from deskbridge.people.model import User
from deskbridge.people.service import add_foreigner
from deskbridge.sync.connector import Person
from deskbridge.sync.model import RemotePerson

_MET = Statement(
    select(RemotePerson.name, RemotePerson.email, RemotePerson.user_id).where(
        RemotePerson.connection_id == bindparam("connection_id"), RemotePerson.remote_id == bindparam("remote_id")
    )
)
_OF_ADDRESS = Statement(select(User.id).where(User.email_key == bindparam("key"), User.active))


def is_known(reader: Reader, connection_id: UUID, person: Person | None) -> bool:
    """Tell whether meeting somebody would tell nothing new of them."""
    if person is None:
        return True
    met = reader.named(_MET, {"connection_id": connection_id, "remote_id": person.id})
    if not met or (met[0].name, met[0].email) != (_name(person), person.email):
        return False
    return met[0].user_id is not None or _user_of(reader, person) is None


def meet(uow: UnitOfWork, connection_id: UUID, persons: Iterable[Person | None]) -> None:
    """Get to know people of a tracker; one whose address somebody active has here is that person."""
    known = {one.id: one for one in persons if one is not None}
    present = uow.session.execute(
        select(RemotePerson).where(RemotePerson.connection_id == connection_id, RemotePerson.remote_id.in_(list(known)))
    ).scalars()
    for row in present:
        _renew(uow, row, known.pop(row.remote_id))
    for person in known.values():
        row = RemotePerson(connection_id=connection_id, remote_id=person.id, seen_at=uow.now)
        uow.session.add(row)
        _renew(uow, row, person)


def _renew(uow: UnitOfWork, row: RemotePerson, person: Person) -> None:
    row.name, row.email = _name(person), person.email
    if row.user_id is None:
        row.user_id = _user_of(uow, person)


def _name(person: Person) -> str:
    return clean_line(person.name)[:200]


def _user_of(reader: Reader, person: Person) -> UUID | None:
    """Return who somebody active has this person's address."""
    found = reader.rows(_OF_ADDRESS, {"key": email_key(person.email)}) if person.email else []
    return found[0][0] if found else None


def requester_for(uow: UnitOfWork, connection_id: UUID, slug: str, name: str, reporter: Person | None) -> UUID:
    """Return whose a record is that was born in a tracker: who its reporter is here, else a customer of that name.

    A record that names nobody is the connection's own.
    """
    issuer = f"connection:{slug}"
    if reporter is None:
        return add_foreigner(uow, issuer, "", name, None)
    meet(uow, connection_id, [reporter])
    row = uow.session.get_one(RemotePerson, (connection_id, reporter.id))
    user = uow.session.get(User, row.user_id) if row.user_id else None
    if user is None or not user.active:
        user_id = add_foreigner(uow, issuer, reporter.id, reporter.name, reporter.email)
        row.user_id = row.user_id or user_id
        return user_id
    return user.id
