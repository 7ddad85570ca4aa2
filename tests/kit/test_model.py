"""The column types mean the same on every engine."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.events import EventRow
from deskbridge.kit.ids import fingerprint, new_id
from deskbridge.kit.limits import Tries
from deskbridge.people.model import Team

pytestmark = pytest.mark.database

INSTANTS = [
    datetime(999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 999999, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 1, 0, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
]


def keep_instants(uow: UnitOfWork) -> None:
    for number, instant in enumerate(INSTANTS):
        uow.session.add(Tries(what=fingerprint(str(number)), tried=number, until=instant))


def test_times_come_back_with_their_microseconds(database: Database) -> None:
    database.write(keep_instants)
    kept = database.read(lambda reader: reader.execute(select(Tries.until).order_by(Tries.tried)).scalars().all())
    assert kept == INSTANTS
    assert all(instant.tzinfo is UTC or instant.utcoffset() == timedelta(0) for instant in kept)


def test_times_sort_and_compare_as_instants(database: Database) -> None:
    database.write(keep_instants)
    in_order = database.read(lambda reader: reader.execute(select(Tries.tried).order_by(Tries.until)).scalars().all())
    assert in_order == list(range(len(INSTANTS)))
    for number, instant in enumerate(INSTANTS):
        later = select(Tries.tried).where(Tries.until > instant).order_by(Tries.tried)
        found = database.read(lambda reader, later=later: reader.execute(later).scalars().all())
        assert found == in_order[number + 1 :]


def test_a_time_of_another_zone_is_kept_as_its_instant(database: Database) -> None:
    here = datetime(2026, 11, 20, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    database.write(lambda uow: uow.session.add(Tries(what=fingerprint("x"), tried=1, until=here)))
    (kept,) = database.read(lambda reader: reader.execute(select(Tries.until)).scalars().all())
    assert kept == here
    assert kept.hour == 19


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 20)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(StatementError, match="must be aware"):
        database.write(lambda uow: uow.session.add(Tries(what=fingerprint("x"), tried=1, until=naive)))


def test_ids_come_back_and_are_found(database: Database) -> None:
    ids = [new_id(), UUID(int=0), UUID(int=2**128 - 1)]
    database.write(lambda uow: uow.session.add_all(Team(id=i, name=str(i), description="", active=True) for i in ids))
    for wanted in ids:
        found = database.read(
            lambda reader, wanted=wanted: reader.execute(select(Team.id).where(Team.id == wanted)).scalars().all()
        )
        assert found == [wanted]


SPELLINGS = [
    "Support",
    "support",
    "SUPPORT",
    "Support ",
    " Support",
    "Support\t",
    "Suppört",
    "Suppo\u0308rt",
    "Straße",
    "Strasse",
    "𝄞 clef",
]


def test_text_compares_byte_for_byte(database: Database) -> None:
    """Case, accents and blanks at the end tell names apart: in the unique rule, in a search, in the answer."""
    database.write(
        lambda uow: uow.session.add_all(Team(id=new_id(), name=n, description="", active=True) for n in SPELLINGS)
    )
    for wanted in SPELLINGS:
        found = database.read(
            lambda reader, wanted=wanted: reader.execute(select(Team.name).where(Team.name == wanted)).scalars().all()
        )
        assert found == [wanted]


def test_json_comes_back_as_it_was(database: Database) -> None:
    payload = {"text": "Grüße \u2028 𝄞 \\ \" '", "list": [1, 2.5, None, True, {"deep": []}], "": "empty key"}
    row = {"name": "X", "subject_id": new_id(), "actor_id": None, "at": INSTANTS[2], "payload": payload}
    database.write(lambda uow: uow.execute(insert(EventRow).values(row)))
    (kept,) = database.read(lambda reader: reader.execute(select(EventRow.payload)).scalars().all())
    assert kept == payload
