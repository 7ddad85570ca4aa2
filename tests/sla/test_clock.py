"""A ticket's clock: pauses move the deadline by exactly the working time they hold."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sla.test_calendar import calendars, instants

from deskbridge.sla.calendar import Calendar, after_working_time, working_time
from deskbridge.sla.clock import Clock, Pause, deadline, elapsed, explain, pause, resume

MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_pause_moves_the_deadline_by_its_length():
    clock = Clock(MONDAY, 4 * HOUR, pauses=((MONDAY + HOUR, MONDAY + 3 * HOUR),))
    assert deadline(clock) == MONDAY + 6 * HOUR


def test_there_is_no_deadline_while_the_clock_is_paused():
    clock = Clock(MONDAY, 4 * HOUR, pauses=((MONDAY + HOUR, None),))
    assert deadline(clock) is None
    assert elapsed(clock, MONDAY + 100 * HOUR) == HOUR


def test_a_target_used_up_before_the_pause_stays_used_up():
    clock = Clock(MONDAY, 4 * HOUR, pauses=((MONDAY + 5 * HOUR, None),))
    assert deadline(clock) == MONDAY + 4 * HOUR


def test_pausing_twice_is_pausing_once_and_resuming_twice_too():
    paused = pause(pause((), MONDAY), MONDAY + HOUR)
    assert paused == ((MONDAY, None),)
    assert resume(resume(paused, MONDAY + HOUR), MONDAY + 2 * HOUR) == ((MONDAY, MONDAY + HOUR),)


def test_the_explanation_names_pauses():
    clock = Clock(MONDAY, 4 * HOUR, pauses=((MONDAY + HOUR, MONDAY + 2 * HOUR),))
    told = [(segment.counted, segment.reason) for segment in explain(clock, MONDAY + 3 * HOUR)]
    assert told == [(True, ""), (False, "paused"), (True, "")]


@st.composite
def clocks(draw: st.DrawFn) -> Clock:
    start = draw(instants)
    steps = draw(st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=8))
    at, marks = start, []
    for step in steps:
        at += step
        marks.append(at)
    pauses: list[Pause] = [(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    return Clock(start, draw(st.timedeltas(HOUR, 60 * HOUR)), draw(calendars()), tuple(pauses))


@settings(max_examples=150, deadline=None)
@given(clocks())
def test_at_the_deadline_exactly_the_target_has_elapsed(clock: Clock):
    due = deadline(clock)
    assert due is not None
    assert elapsed(clock, due) == clock.target


@settings(max_examples=150, deadline=None)
@given(clocks())
def test_a_pause_costs_what_working_time_it_holds(clock: Clock):
    due = deadline(clock)
    assert due is not None
    lost = sum(
        (working_time(clock.calendar, since, min(end or due, due)) for since, end in clock.pauses if since < due),
        timedelta(0),
    )
    without: Calendar | None = clock.calendar
    assert working_time(without, clock.start, due) == clock.target + lost
    assert due >= after_working_time(without, clock.start, clock.target)


@settings(max_examples=100, deadline=None)
@given(clocks(), st.timedeltas(timedelta(0), timedelta(days=10)))
def test_the_explanation_counts_what_elapsed(clock: Clock, length: timedelta):
    until = clock.start + length
    counted = sum((s.end - s.start for s in explain(clock, until) if s.counted), timedelta(0))
    assert counted == elapsed(clock, until)
