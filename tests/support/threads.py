"""Doing things at the same time."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def at_once(times: int, call: Callable[[], T]) -> list[T]:
    """Run a call on so many threads that start together and return what they return; what one raises is raised."""
    return together([call] * times)


def together(calls: list[Callable[[], T]]) -> list[T]:
    """Run these calls, each on a thread of its own, and return what they return; what one raises is raised."""
    outcomes = outcomes_of(calls)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return outcomes  # type: ignore[return-value]


def outcomes_of(calls: list[Callable[[], T]]) -> list[T | Exception]:
    """Run these calls, each on a thread of its own, and return what each returned or raised."""
    start = threading.Barrier(len(calls))
    outcomes: list[T | Exception] = [AssertionError("did not run")] * len(calls)

    def run(position: int) -> None:
        start.wait()
        try:
            outcomes[position] = calls[position]()
        except Exception as error:
            outcomes[position] = error

    threads = [threading.Thread(target=run, args=(position,)) for position in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
