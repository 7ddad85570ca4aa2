"""Working time: by example for the days that go wrong elsewhere, by property for all the others."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.sla.calendar import Calendar, Hours, NeverWorks, after_working_time, segments, working_time

OFFICE = Calendar(week=((Hours(9 * 60, 17 * 60),),) * 5 + ((), ()), zone="Europe/Rome")
ALL_DAY_ROME = Calendar(week=((Hours(0, 1440),),) * 7, zone="Europe/Rome")
ROME = ZoneInfo("Europe/Rome")


def rome(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ROME)


def test_round_the_clock_is_plain_time():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert after_working_time(None, start, timedelta(hours=4)) == start + timedelta(hours=4)


def test_a_friday_evening_continues_on_monday():
    assert after_working_time(OFFICE, rome(2026, 11, 20, 16), timedelta(hours=2)) == rome(2026, 11, 23, 10)


def test_a_deadline_that_ends_with_the_day_falls_on_its_last_minute_not_on_the_next_morning():
    assert after_working_time(OFFICE, rome(2026, 11, 20, 9), timedelta(hours=8)) == rome(2026, 11, 20, 17)


def test_nothing_counts_at_night():
    assert working_time(OFFICE, rome(2026, 11, 19, 18), rome(2026, 11, 20, 8)) == timedelta(0)


def test_a_holiday_counts_nothing():
    with_holiday = Calendar(OFFICE.week, frozenset({date(2026, 12, 8)}), OFFICE.zone)
    assert working_time(with_holiday, rome(2026, 12, 7, 9), rome(2026, 12, 9, 17)) == timedelta(hours=16)


def test_the_day_clocks_go_forward_has_23_hours():
    assert working_time(ALL_DAY_ROME, rome(2026, 3, 29), rome(2026, 3, 30)) == timedelta(hours=23)


def test_the_day_clocks_go_back_has_25_hours():
    assert working_time(ALL_DAY_ROME, rome(2026, 10, 25), rome(2026, 10, 26)) == timedelta(hours=25)


def test_hours_that_clocks_skip_do_not_exist():
    night = Calendar(week=((Hours(2 * 60 + 15, 2 * 60 + 45),),) * 7, zone="Europe/Rome")
    assert working_time(night, rome(2026, 3, 29), rome(2026, 3, 30)) == timedelta(0)
    half = Calendar(week=((Hours(2 * 60 + 30, 4 * 60),),) * 7, zone="Europe/Rome")
    assert working_time(half, rome(2026, 3, 29), rome(2026, 3, 30)) == timedelta(hours=1)


def test_a_leap_day_is_a_day_like_any_other():
    week = Calendar(week=((Hours(9 * 60, 10 * 60),),) * 7)
    start = datetime(2028, 2, 28, 12, tzinfo=UTC)
    assert after_working_time(week, start, timedelta(hours=1)) == datetime(2028, 2, 29, 10, tzinfo=UTC)


def test_a_calendar_without_hours_is_refused():
    with pytest.raises(NeverWorks):
        Calendar(week=((),) * 7)


def test_a_calendar_of_nothing_but_holidays_never_reaches_a_deadline():
    every_monday = frozenset(date(2026, 1, 5) + timedelta(weeks=week) for week in range(12 * 53))
    mondays = Calendar(week=((Hours(0, 60),), (), (), (), (), (), ()), holidays=every_monday)
    with pytest.raises(NeverWorks):
        after_working_time(mondays, datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1))


@pytest.mark.parametrize(("start", "end"), [(60, 60), (120, 60), (-1, 60), (60, 1441)])
def test_hours_that_make_no_sense_are_refused(start: int, end: int):
    with pytest.raises(ValueError, match="hours"):
        Hours(start, end)


def test_overlapping_hours_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        Calendar(week=((Hours(0, 60), Hours(30, 90)),) + ((),) * 6)


@st.composite
def days(draw: st.DrawFn) -> tuple[Hours, ...]:
    marks = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return tuple(Hours(a, b) for a, b in zip(marks[::2], marks[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    week = tuple(draw(st.lists(days(), min_size=7, max_size=7)))
    if sum(hours.end - hours.start for day in week for hours in day) < 60:  # else deadlines lie beyond the horizon
        week = ((Hours(540, 1020),), *week[1:])
    holidays = draw(st.frozensets(st.dates(date(2025, 12, 1), date(2027, 2, 1)), max_size=5))
    zones = ["UTC", "Europe/Rome", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"]
    return Calendar(week, holidays, draw(st.sampled_from(zones)))


instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.timedeltas(timedelta(0), timedelta(days=20))


@settings(max_examples=150, deadline=None)
@given(calendars(), instants, durations, durations)
def test_working_time_is_additive(calendar: Calendar | None, start: datetime, first: timedelta, second: timedelta):
    middle, end = start + first, start + first + second
    parts = working_time(calendar, start, middle) + working_time(calendar, middle, end)
    assert parts == working_time(calendar, start, end)


@settings(max_examples=150, deadline=None)
@given(calendars(), instants, st.timedeltas(timedelta(seconds=1), timedelta(hours=60)))
def test_a_deadline_is_reached_exactly_and_not_before(calendar: Calendar | None, start: datetime, target: timedelta):
    end = after_working_time(calendar, start, target)
    assert working_time(calendar, start, end) == target
    assert working_time(calendar, start, end - timedelta(seconds=1)) < target


@settings(max_examples=150, deadline=None)
@given(calendars(), instants, durations, durations)
def test_a_longer_target_is_never_due_earlier(
    calendar: Calendar | None, start: datetime, one: timedelta, other: timedelta
):
    shorter, longer = sorted([one % timedelta(hours=80), other % timedelta(hours=80)])
    assert after_working_time(calendar, start, shorter) <= after_working_time(calendar, start, longer)


@settings(max_examples=100, deadline=None)
@given(calendars(), instants, durations)
def test_segments_cover_everything_once_and_count_what_working_time_counts(
    calendar: Calendar | None, start: datetime, length: timedelta
):
    found = list(segments(calendar, start, start + length))
    assert [segment.end for segment in found[:-1]] == [segment.start for segment in found[1:]]
    counted = sum((segment.end - segment.start for segment in found if segment.counted), timedelta(0))
    assert counted == working_time(calendar, start, start + length)
