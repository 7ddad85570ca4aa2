"""The workflow as the product promises it, and the shortest ways through it."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbridge.tickets.model import Status
from deskbridge.tickets.workflow import CUSTOMER_WORDS, TRANSITIONS, is_step, shortest_path

NEW, OPEN, IN_PROGRESS, PENDING_INFO = Status.NEW, Status.OPEN, Status.IN_PROGRESS, Status.PENDING_INFO
RESOLVED, CLOSED, REOPENED, ESCALATED = Status.RESOLVED, Status.CLOSED, Status.REOPENED, Status.ESCALATED

PROMISED = """
NEW -> OPEN, IN_PROGRESS, CLOSED
OPEN -> IN_PROGRESS, PENDING_INFO, RESOLVED, CLOSED
IN_PROGRESS -> PENDING_INFO, RESOLVED, ESCALATED, OPEN
PENDING_INFO -> IN_PROGRESS, OPEN, CLOSED
RESOLVED -> CLOSED, REOPENED
CLOSED -> REOPENED
REOPENED -> OPEN, IN_PROGRESS, RESOLVED
ESCALATED -> IN_PROGRESS, RESOLVED, CLOSED
"""
STEPS = {
    (Status(line.split(" -> ")[0]), Status(target))
    for line in PROMISED.strip().splitlines()
    for target in line.split(" -> ")[1].split(", ")
}
statuses = st.sampled_from(Status)


@pytest.mark.parametrize(("present", "wanted"), list(product(Status, Status)))
def test_exactly_the_promised_steps_exist(present: Status, wanted: Status) -> None:
    assert is_step(present, wanted) == ((present, wanted) in STEPS)


def test_targets_are_offered_in_the_promised_order() -> None:
    for line in PROMISED.strip().splitlines():
        present, targets = line.split(" -> ")
        assert ", ".join(TRANSITIONS[Status(present)]) == targets


def test_customers_read_the_promised_words() -> None:
    in_progress = dict.fromkeys((OPEN, IN_PROGRESS, ESCALATED, REOPENED), "In progress")
    words = {NEW: "Received", PENDING_INFO: "Waiting for you", RESOLVED: "Solved", CLOSED: "Closed"}
    assert dict(CUSTOMER_WORDS) == words | in_progress


def fewest_steps(present: Status, wanted: Status) -> int | None:
    """Return the length of the shortest way, found by trying all ways of growing length."""
    reached = {present}
    for steps in range(len(Status)):
        if wanted in reached:
            return steps
        reached = {after for before in reached for at, after in STEPS if at is before}
    return None


@given(statuses, statuses)
def test_a_path_is_legal_and_none_is_shorter(present: Status, wanted: Status) -> None:
    fewest = fewest_steps(present, wanted)
    if fewest is None:
        assert wanted is NEW
        with pytest.raises(ValueError, match="no path"):
            shortest_path(present, wanted)
        return
    path = shortest_path(present, wanted)
    assert len(path) == fewest
    assert all(step in STEPS for step in pairwise([present, *path]))
    assert ([present, *path])[-1] is wanted


@given(statuses, statuses.filter(lambda status: status is not NEW))
def test_of_equally_short_paths_one_leads_through_open(present: Status, wanted: Status) -> None:
    path = shortest_path(present, wanted)
    to_open, from_open = fewest_steps(present, OPEN), fewest_steps(OPEN, wanted)
    assert to_open is not None
    assert from_open is not None
    if to_open + from_open == len(path):
        assert OPEN in [present, *path]


@pytest.mark.parametrize(
    ("present", "wanted", "path"),
    [
        (NEW, NEW, []),
        (NEW, RESOLVED, [OPEN, RESOLVED]),
        (NEW, PENDING_INFO, [OPEN, PENDING_INFO]),
        (NEW, ESCALATED, [IN_PROGRESS, ESCALATED]),
        (CLOSED, RESOLVED, [REOPENED, RESOLVED]),
        (CLOSED, PENDING_INFO, [REOPENED, OPEN, PENDING_INFO]),
        (IN_PROGRESS, CLOSED, [OPEN, CLOSED]),
        (ESCALATED, OPEN, [IN_PROGRESS, OPEN]),
        (RESOLVED, ESCALATED, [REOPENED, IN_PROGRESS, ESCALATED]),
    ],
)
def test_ways_that_sync_takes(present: Status, wanted: Status, path: list[Status]) -> None:
    assert shortest_path(present, wanted) == path
