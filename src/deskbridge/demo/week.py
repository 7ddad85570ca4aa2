"""The believable week: every story lived through in the order of time, by the same use cases as everybody's."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from deskbridge.demo.people import add_everybody
from deskbridge.demo.story import Step, Story, beginning, load_stories, open_story, parsed_steps, take_step
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database
from deskbridge.kit.jobs import Worker

BEFORE_THE_WEEK = timedelta(days=30)
JUST_NOW = timedelta(minutes=2)
WORK_EVERY = timedelta(hours=1)


class Moment(NamedTuple):
    """Something that happens: the story opens (no step), or a step is taken. Sorts by time, then as told."""

    at: datetime
    story: int
    place: int
    step: Step | None


def live_through_the_week(database: Database, clock: ManualClock, worker: Worker) -> None:
    """Fill an empty desk with people and with the week that ends when `clock` says; it is there again afterwards.

    The worker has its turn every hour of it, so that what schedules notice (a deadline missed) is noticed in time.
    Those that run no more often only tidy up, and a desk this young has nothing to tidy.
    """
    worker = replace(worker, schedules=[one for one in worker.schedules if one.every < WORK_EVERY])
    now = clock.now()
    stories = load_stories()
    clock.at = now - BEFORE_THE_WEEK
    cast = database.write(add_everybody)
    ticket_ids: dict[int, UUID] = {}
    week = moments(stories, now)
    turn = week[0].at
    for moment in week:
        turn = _let_work(worker, clock, turn, moment.at)
        clock.at = moment.at
        if moment.step is None:
            ticket_ids[moment.story] = database.write(open_story, cast, stories[moment.story])
        else:
            database.write(take_step, cast, ticket_ids[moment.story], moment.step)
    _let_work(worker, clock, turn, now)
    clock.at = now


def _let_work(worker: Worker, clock: ManualClock, turn: datetime, until: datetime) -> datetime:
    """Give the worker its turns up to an instant; return when the next one is."""
    while turn <= until:
        clock.at = turn
        while worker.run_due():
            pass
        turn += WORK_EVERY
    return turn


def moments(stories: list[Story], now: datetime) -> list[Moment]:
    """Return everything that happens in the stories, in the order of time; all of it before `now`."""
    return sorted(moment for number, story in enumerate(stories) for moment in _of_one(number, story, now))


def _of_one(number: int, story: Story, now: datetime) -> list[Moment]:
    """Return the moments of a story; one that would last into the future begins that much earlier."""
    steps = parsed_steps(story)
    at = beginning(story.begins, now)
    lasts = sum((step.after for step in steps), timedelta())
    at = min(at, now - JUST_NOW - lasts)
    moments = [Moment(at, number, 0, None)]
    for place, step in enumerate(steps, 1):
        at += step.after
        moments.append(Moment(at, number, place, step))
    return moments
