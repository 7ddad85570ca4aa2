"""The catalogue names each event once, and an event survives the table."""

from dataclasses import dataclass, fields
from typing import Any, get_type_hints
from uuid import UUID

import pytest

import deskbridge.wiring  # noqa: F401 - the whole catalogue
from deskbridge.kit.events import CATALOGUE, Event, Subscriptions, catalogued, from_payload, payload_of
from deskbridge.kit.ids import new_id


def test_the_catalogue_holds_what_the_slices_record() -> None:
    assert {"UserAdded", "TicketOpened", "MessageAdded", "StatusChanged"} <= set(CATALOGUE)


def test_a_name_is_given_once() -> None:
    @dataclass(frozen=True, kw_only=True)
    class TicketOpened(Event):
        """Another one."""

    with pytest.raises(ValueError, match="two events are called TicketOpened"):
        catalogued(TicketOpened)


def example(kind: Any) -> Any:
    """Return some value of an event field's type."""
    if kind is UUID or kind == UUID | None:
        return new_id()
    values = {bool: True, int: 7, str: "text", list[str]: ["a", "b"]}
    return values[kind] if kind in values else list(kind)[-1]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_event_comes_back_from_its_payload_as_it_was(name: str) -> None:
    kind = CATALOGUE[name]
    hints = get_type_hints(kind)
    event = kind(**{field.name: example(hints[field.name]) for field in fields(kind)})
    assert from_payload(name, payload_of(event)) == event


def test_nobody_hears_of_what_they_do_not_follow() -> None:
    subscriptions = Subscriptions()
    kinds = list(CATALOGUE.values())
    subscriptions.inside(kinds[0], lambda _uow, _event: None)
    subscriptions.after(kinds[0], "job")
    other = kinds[1]
    hints = get_type_hints(other)
    event = other(**{field.name: example(hints[field.name]) for field in fields(other)})
    assert subscriptions.inside_followers(event) == []
    assert subscriptions.jobs_for(event) == []
