"""The believable week: every story lived through in the order of time, by the same use cases as everybody's."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from deskbridge.demo.people import add_everybody
from deskbridge.demo.story import Step, Story, beginning, load_stories, open_story, parsed_steps, take_step
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.db import Database

BEFORE_THE_WEEK = timedelta(days=30)
JUST_NOW = timedelta(minutes=2)


class Moment(NamedTuple):
    """Something that happens: the story opens (no step), or a step is taken. Sorts by time, then as told."""

    at: datetime
    story: int
    place: int
    step: Step | None


def live_through_the_week(database: Database, clock: ManualClock) -> None:
    """Fill an empty desk with people and with the week that ends when `clock` says; it is there again afterwards."""
    now = clock.now()
    stories = load_stories()
    clock.at = now - BEFORE_THE_WEEK
    cast = database.write(add_everybody)
    ticket_ids: dict[int, UUID] = {}
    for moment in moments(stories, now):
        clock.at = moment.at
        if moment.step is None:
            ticket_ids[moment.story] = database.write(open_story, cast, stories[moment.story])
        else:
            database.write(take_step, cast, ticket_ids[moment.story], moment.step)
    clock.at = now


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
