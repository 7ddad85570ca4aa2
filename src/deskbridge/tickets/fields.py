"""What a ticket's fields may hold: the same checks behind every door, every bad field named at once."""

from collections.abc import Mapping
from typing import Any, TypedDict

from sqlalchemy import select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.errors import FieldError, Invalid
from deskbridge.kit.text import clean_line, clean_text
from deskbridge.tickets.model import Category, Environment, ImpactLevel, Priority

TITLE_LENGTH = (3, 200)
DESCRIPTION_LENGTH = (1, 50_000)
CONTENT_LENGTH = (1, 50_000)
NOTES_LENGTH = (1, 10_000)
SERVICE_LENGTH = 200
MAX_TAGS, TAG_LENGTH = 20, 50


class TicketChanges(TypedDict, total=False):
    """New values of a ticket's fields; those left out stay as they are."""

    title: str
    description: str
    category: str
    priority: Priority
    environment: Environment | None
    affected_service: str | None
    impact_level: ImpactLevel | None
    tags: list[str]


def checked_changes(uow: UnitOfWork, changes: TicketChanges, keep_category: str | None = None) -> TicketChanges:
    """Return the values as they will be kept; raises `Invalid`. `keep_category` may stay although it is inactive."""
    errors: list[FieldError] = []
    kept = TicketChanges(**changes)
    if "title" in changes:
        kept["title"] = _bounded(errors, "title", clean_line(changes["title"]), TITLE_LENGTH)
    if "description" in changes:
        kept["description"] = _bounded(errors, "description", clean_text(changes["description"]), DESCRIPTION_LENGTH)
    if "category" in changes and changes["category"] != keep_category:
        _require_category(uow, errors, changes["category"])
    if service := changes.get("affected_service"):
        kept["affected_service"] = (
            _bounded(errors, "affected_service", clean_line(service), (0, SERVICE_LENGTH)) or None
        )
    if "tags" in changes:
        kept["tags"] = _checked_tags(errors, changes["tags"])
    if errors:
        raise Invalid(errors)
    return kept


def checked_text(field: str, text: str, length: tuple[int, int]) -> str:
    """Return running text as it will be kept; raises `Invalid` naming the field when its length is out of bounds."""
    errors: list[FieldError] = []
    text = _bounded(errors, field, clean_text(text), length)
    if errors:
        raise Invalid(errors)
    return text


def _bounded(errors: list[FieldError], field: str, text: str, length: tuple[int, int]) -> str:
    least, most = length
    if len(text) < least:
        errors.append(FieldError(field, "Enter some text." if least == 1 else f"Enter at least {least} characters."))
    if len(text) > most:
        errors.append(FieldError(field, f"Use at most {most} characters."))
    return text


def _require_category(uow: UnitOfWork, errors: list[FieldError], key: str) -> None:
    category = uow.session.get(Category, key)
    if category is None or not category.active:
        known = uow.execute(select(Category.key).where(Category.active).order_by(Category.position)).scalars().all()
        errors.append(FieldError("category", f"Choose one of {', '.join(known)}."))


def _checked_tags(errors: list[FieldError], tags: list[str]) -> list[str]:
    cleaned = list(dict.fromkeys(tag for tag in map(clean_line, tags) if tag))
    if len(cleaned) > MAX_TAGS:
        errors.append(FieldError("tags", f"Use at most {MAX_TAGS} tags."))
    if any(len(tag) > TAG_LENGTH for tag in cleaned):
        errors.append(FieldError("tags", f"Use at most {TAG_LENGTH} characters in a tag."))
    return cleaned


def differing(changes: Mapping[str, Any], present: Any) -> dict[str, Any]:
    """Return those changes that really change something."""
    return {name: value for name, value in changes.items() if getattr(present, name) != value}
