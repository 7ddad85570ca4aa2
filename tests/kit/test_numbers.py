"""Public numbers are never given out twice."""

import pytest
from tests.factories import Cast, Factory
from tests.support.threads import at_once

from deskbridge.kit.db import Database

pytestmark = pytest.mark.database


def test_numbers_count_up(make: Factory, cast: Cast) -> None:
    numbers = [make.ticket(cast.customer).number for _ in range(5)]
    assert numbers == sorted(set(numbers))
    assert numbers[0] >= 1001


def test_tickets_opened_at_the_same_instant_get_different_numbers(
    database: Database, make: Factory, cast: Cast
) -> None:
    requester = cast.customer
    numbers = [ticket.number for ticket in at_once(12, lambda: make.ticket(requester))]
    assert len(set(numbers)) == 12


def test_people_who_join_at_the_same_instant_get_different_customer_ids(make: Factory) -> None:
    people = at_once(8, make.person)
    assert len({person.customer_id for person in people}) == 8


def test_a_number_lost_in_a_failure_is_not_given_to_two(database: Database, make: Factory, cast: Cast) -> None:
    first = make.ticket(cast.customer).number
    with pytest.raises(Exception, match="category"):
        make.ticket(cast.customer, category="NO_SUCH")
    assert make.ticket(cast.customer).number > first
