"""Buckets by the wall clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbridge.reports.periods import Bucket, TooManyBuckets, bucket_starts, floor, fold, last_period

ROME = ZoneInfo("Europe/Rome")
ZONES = ["UTC", "Europe/Rome", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
START = datetime(2000, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone
moments = st.datetimes(START, START + timedelta(days=12_000), timezones=st.just(UTC))


@given(moments, st.sampled_from([Bucket.DAY, Bucket.WEEK, Bucket.MONTH, Bucket.HOUR]), st.sampled_from(ZONES))
def test_every_instant_is_in_exactly_one_bucket(at: datetime, bucket: Bucket, zone: str) -> None:
    starts = bucket_starts(at, at + timedelta(days=70), bucket, ZoneInfo(zone))
    assert starts[0] <= at < starts[1]
    assert starts == sorted(set(starts))
    if bucket is not Bucket.HOUR:  # where the clock jumps by half an hour, hours go on as they began
        assert [floor(start, bucket, ZoneInfo(zone)) for start in starts] == starts


def test_a_day_is_as_long_as_the_clock_makes_it() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    days = bucket_starts(start, start + timedelta(days=3), Bucket.DAY, ROME)
    assert [(b - a) / timedelta(hours=1) for a, b in pairwise(days)] == [24, 23, 24]


def test_so_many_hours_or_days_end_with_the_present_one() -> None:
    now = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    for text, count in (("48h", 48), ("30d", 30), ("1d", 1)):
        found = last_period(text, now, ROME)
        assert found is not None
        period, bucket = found
        assert period.start is not None
        assert len(bucket_starts(period.start, now, bucket, ROME)) == count
    assert last_period("0d", now, ROME) is None


def test_too_many_buckets_are_refused() -> None:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    with pytest.raises(TooManyBuckets):
        bucket_starts(start, start + timedelta(days=4000), Bucket.DAY, ROME)


def test_counts_fall_into_their_buckets() -> None:
    starts = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    counts = [(starts[0], 1), (starts[1] - timedelta(minutes=15), 2), (starts[1], 4), (starts[2] + timedelta(9), 8)]
    assert fold(counts, starts) == [3, 4, 8]
