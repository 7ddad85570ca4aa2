"""A pace we keep to by ourselves: so many calls a second, some at once."""

from datetime import UTC, datetime, timedelta

from deskbridge.kit.clock import ManualClock
from deskbridge.kit.outbound import TokenBucket

START = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)


def test_after_the_burst_each_call_waits_for_its_token() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(rate=2, burst=3, clock=clock)
    assert [bucket.take() for _ in range(4)] == [timedelta(0)] * 3 + [timedelta(seconds=0.5)]
    clock.advance(timedelta(seconds=0.5))
    assert bucket.take() == timedelta(0)


def test_a_clock_that_is_set_back_takes_no_tokens_away() -> None:
    clock = ManualClock(START)
    bucket = TokenBucket(rate=5, burst=10, clock=clock)
    clock.advance(timedelta(minutes=-10))
    assert bucket.take() == timedelta(0)
