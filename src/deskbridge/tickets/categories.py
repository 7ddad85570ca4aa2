"""The kinds of tickets, as administrators define them."""

from typing import TypedDict
from uuid import UUID

from sqlalchemy import func, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Conflict, FieldError, Invalid, NotFound, require_version
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Actor
from deskbridge.people.model import Team
from deskbridge.people.service import require_admin
from deskbridge.tickets.answers import CategoryDetails
from deskbridge.tickets.model import Category


class CategoryChanges(TypedDict, total=False):
    """New values of a category; those left out stay as they are."""

    name: str
    active: bool
    position: int
    team_id: UUID | None
    skill: str | None


def add_category(uow: UnitOfWork, actor: Actor, key: str, values: CategoryChanges) -> Category:
    """Add a category under a key that never changes; ADMIN only. It comes last unless it has a `position`."""
    require_admin(actor)
    if uow.session.get(Category, key) is not None:
        raise Conflict("There is already a category with this key; it may be out of use.")
    last = uow.execute(select(func.max(Category.position))).scalar_one_or_none() or 0
    category = Category(key=key, active=True, position=last + 1)
    _write(uow, category, values)
    uow.session.add(category)
    return category


def update_category(
    uow: UnitOfWork, actor: Actor, key: str, changes: CategoryChanges, version: int | None = None
) -> Category:
    """Change a category; ADMIN only. Tickets keep one that goes out of use."""
    require_admin(actor)
    category = uow.session.get(Category, key, with_for_update=True)
    if category is None:
        raise NotFound("There is no such category.")
    require_version(version, category.version)
    _write(uow, category, changes)
    category.version += 1
    return category


def _write(uow: UnitOfWork, category: Category, values: CategoryChanges) -> None:
    if "name" in values:
        category.name = clean_line(values["name"])
        if not category.name:
            raise Invalid([FieldError("name", "Give the category a name.")])
    if "team_id" in values:
        team_id = values["team_id"]
        if team_id and not uow.execute(select(Team.id).where(Team.id == team_id, Team.active)).first():
            raise Invalid([FieldError("team_id", "There is no active team with this id.")])
        category.team_id = team_id
    if "skill" in values:
        category.skill = clean_line(values["skill"] or "").lower() or None
    category.active = values.get("active", category.active)
    category.position = values.get("position", category.position)


def retire_category(uow: UnitOfWork, actor: Actor, key: str) -> None:
    """Take a category out of use: no ticket is given it any more, those that have it keep it."""
    update_category(uow, actor, key, {"active": False})


def list_categories(reader: Reader, actor: Actor) -> list[CategoryDetails]:
    """Return the categories in the administrator's order; customers see those in use, and not who works on them."""
    categories = select(Category.__table__).order_by(Category.position, Category.key)
    rows = reader.execute(categories if actor.is_agent else categories.where(Category.active))
    if actor.is_agent:
        return [CategoryDetails(r.key, r.name, r.active, r.position, r.version, r.team_id, r.skill) for r in rows]
    return [CategoryDetails(row.key, row.name, row.active, row.position, row.version) for row in rows]


def get_category(reader: Reader, actor: Actor, key: str) -> CategoryDetails:
    """Return one category; raises `NotFound`."""
    found = next((category for category in list_categories(reader, actor) if category.key == key), None)
    if found is None:
        raise NotFound("There is no such category.")
    return found
