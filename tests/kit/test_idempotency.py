"""The same write sent twice happens once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from tests.support.threads import outcomes_of

from deskbridge.kit import idempotency
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.errors import Invalid
from deskbridge.kit.idempotency import CLAIMED_FOR, KEPT, StillRunning, StoredAnswer, storage_key
from deskbridge.kit.ids import fingerprint, new_id

pytestmark = pytest.mark.database
KEY, REQUEST = storage_key(new_id(), "key"), fingerprint("POST /tickets {}")


def claim(uow: UnitOfWork) -> tuple[int | None, bytes | None] | None:
    row = idempotency.claim(uow, KEY, REQUEST)
    return (row.status, row.body) if row else None


def answer(database: Database, body: bytes = b"{}") -> None:
    database.write(claim)
    database.write(idempotency.store, KEY, 201, '"1"', body)


def test_an_answer_is_given_again(database: Database) -> None:
    answer(database, b'{"number": 1001}')
    assert database.write(claim) == (201, b'{"number": 1001}')


def test_while_the_first_runs_the_second_is_told_so(database: Database) -> None:
    assert database.write(claim) is None
    with pytest.raises(StillRunning):
        database.write(claim)


def test_of_requests_at_the_same_instant_one_may_run(database: Database) -> None:
    outcomes = outcomes_of([lambda: database.write(claim)] * 10)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, StillRunning) for outcome in outcomes) == 9


def test_a_key_is_for_one_request(database: Database) -> None:
    answer(database)
    with pytest.raises(Invalid, match="different request"):
        database.write(idempotency.claim, KEY, fingerprint("another body"))


def test_keys_of_two_people_are_two_keys() -> None:
    assert storage_key(new_id(), "key") != storage_key(new_id(), "key")


@pytest.mark.parametrize("key", ["", "k" * 256, "line\nbreak", "newline\n", "\x00", " ", "Schlüssel"])
def test_an_unusable_key_is_named(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        storage_key(new_id(), key)
    assert refused.value.errors[0].field == "Idempotency-Key"


def test_a_refused_request_frees_its_key(database: Database) -> None:
    database.write(claim)
    database.write(idempotency.release, KEY)
    assert database.write(claim) is None


def test_an_answer_cannot_be_released(database: Database) -> None:
    answer(database)
    database.write(idempotency.release, KEY)
    assert database.write(claim) == (201, b"{}")


def test_the_claim_of_a_process_that_died_is_free_after_a_minute(database: Database, clock: ManualClock) -> None:
    database.write(claim)
    clock.advance(CLAIMED_FOR - timedelta(seconds=1))
    with pytest.raises(StillRunning):
        database.write(claim)
    clock.advance(timedelta(seconds=1))
    assert database.write(claim) is None


def test_a_claim_that_was_taken_over_cannot_be_answered(database: Database, clock: ManualClock) -> None:
    """The first one was only slow: its write must not be added to that of the one which took over."""
    database.write(claim)
    clock.advance(CLAIMED_FOR)
    answer(database, b"by the second")
    with pytest.raises(StillRunning):
        database.write(idempotency.store, KEY, 201, '"1"', b"by the first")
    assert database.write(claim) == (201, b"by the second")


def test_answers_are_kept_for_three_days(database: Database, clock: ManualClock) -> None:
    answer(database)
    clock.advance(KEPT - timedelta(seconds=1))
    database.write(idempotency.sweep_answers)
    assert database.write(claim) == (201, b"{}")
    clock.advance(timedelta(seconds=1))
    database.write(idempotency.sweep_answers)
    assert database.read(lambda reader: reader.execute(select(func.count(StoredAnswer.key))).scalar_one()) == 0


def test_a_long_answer_fits(database: Database) -> None:
    body = b"x" * 400_000
    answer(database, body)
    assert database.write(claim) == (201, body)
