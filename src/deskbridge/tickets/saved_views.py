"""The use cases about saved views: a list's address, kept under a name, for oneself or for every agent."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, or_, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, require_version
from deskbridge.kit.ids import new_id
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Actor, Role
from deskbridge.tickets.companions import SavedView

MOST = 200


class ViewAnswer(msgspec.Struct):
    """A saved view; `query` is the query part of the list's address."""

    id: UUID
    name: str
    query: str
    shared: bool
    mine: bool
    version: int


def list_views(reader: Reader, actor: Actor) -> list[ViewAnswer]:
    """Return one's own views and, for agents, the shared ones, by name."""
    rows = reader.execute(_visible(actor).order_by(SavedView.name, SavedView.id).limit(MOST * 2))
    return [_answer(actor, row) for row in rows]


def get_view(reader: Reader, actor: Actor, view_id: UUID) -> ViewAnswer:
    """Return a view of one's own or, to agents, a shared one; raises `NotFound`."""
    row = reader.execute(_visible(actor).where(SavedView.id == view_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such view.")
    return _answer(actor, row)


def _visible(actor: Actor) -> Select[Any]:
    own = SavedView.owner_id == actor.id
    return select(SavedView.__table__).where(or_(own, SavedView.shared) if actor.is_agent else own)


def _answer(actor: Actor, row: Row[Any]) -> ViewAnswer:
    return ViewAnswer(row.id, row.name, row.query, row.shared, row.owner_id == actor.id, row.version)


def save_view(
    uow: UnitOfWork,
    actor: Actor,
    name: str,
    query: str,
    *,
    shared: bool,
    view_id: UUID | None = None,
    version: int | None = None,
) -> SavedView:
    """Save a view, or change the one with this id; only agents share."""
    name = clean_line(name)
    if not 1 <= len(name) <= 100:
        raise Invalid([FieldError("name", "Enter a name of 1 to 100 characters.")])
    view = _next_version(uow, actor, view_id, version) if view_id else _new(uow, actor)
    if shared and not actor.is_agent:
        raise Forbidden("Only agents share views.")
    view.name, view.query, view.shared = name, query.removeprefix("?"), shared
    return view


def _next_version(uow: UnitOfWork, actor: Actor, view_id: UUID, version: int | None) -> SavedView:
    view = _changeable(uow, actor, view_id)
    require_version(version, view.version)
    view.version += 1
    return view


def _new(uow: UnitOfWork, actor: Actor) -> SavedView:
    if actor.id is None:
        raise Forbidden("Views belong to people.")
    if len(uow.execute(select(SavedView.id).where(SavedView.owner_id == actor.id).limit(MOST)).all()) == MOST:
        raise Conflict(f"You have {MOST} views. Remove one first.")
    view = SavedView(id=new_id(), owner_id=actor.id)
    uow.session.add(view)
    return view


def delete_view(uow: UnitOfWork, actor: Actor, view_id: UUID) -> None:
    """Remove a view."""
    uow.session.delete(_changeable(uow, actor, view_id))


def _changeable(uow: UnitOfWork, actor: Actor, view_id: UUID) -> SavedView:
    """Load a view the actor may change: their own, or as an ADMIN a shared one."""
    view = uow.session.get(SavedView, view_id, with_for_update=True)
    if view is None or not (view.owner_id == actor.id or (view.shared and actor.is_agent)):
        raise NotFound("There is no such view.")
    if view.owner_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only its owner or an administrator changes a shared view.")
    return view
