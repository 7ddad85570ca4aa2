"""The API's doors to the kinds of tickets."""

from typing import Annotated, cast
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import Body, Word, answers
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.http import expected_version, json_response, versioned_response
from deskbridge.people.actor import Actor
from deskbridge.people.api import access_of
from deskbridge.tickets import categories
from deskbridge.tickets.answers import CategoryDetails
from deskbridge.tickets.categories import CategoryChanges

router = APIRouter(prefix="/api/v1/categories", tags=["categories"])

Key = Annotated[str, Path(alias="id", max_length=60, description="The category's key.")]


class CategoryPatch(Body):
    """What changes of a category: its team gets new tickets of it, its skill is asked of who is chosen for them."""

    name: Word = Field("", min_length=1, max_length=100)
    active: bool = True
    position: int = Field(0, ge=0, le=10_000)
    team_id: UUID | None = None
    skill: Word | None = Field(None, max_length=60)


class CategoryPut(CategoryPatch):
    """A category; optional fields that are left out stay as they are."""

    name: Word = Field(min_length=1, max_length=100)


class CategoryBody(CategoryPut):
    """A new category; its key never changes."""

    key: str = Field(pattern=r"^[A-Z][A-Z0-9_]{1,59}$", description="For example HARDWARE_ORDER.")


class CategoryList(msgspec.Struct):
    """Categories, in the administrator's order."""

    items: list[CategoryDetails]


@router.get("", responses=answers(200, CategoryList), response_class=Response)
async def list_categories(request: Request) -> Response:
    """Return the categories; customers get those in use."""

    def listed(reader: Reader, actor: Actor) -> CategoryList:
        return CategoryList(categories.list_categories(reader, actor))

    return json_response(await access_of(request).read(request, listed))


@router.post("", status_code=201, responses=answers(201, CategoryDetails, 400, 403, 409), response_class=Response)
async def add_category(request: Request, body: CategoryBody) -> Response:
    """Add a category; for administrators."""
    values = cast("CategoryChanges", body.model_dump(exclude_unset=True, exclude={"key"}))

    def add(uow: UnitOfWork, actor: Actor) -> CategoryDetails:
        return categories.get_category(uow, actor, categories.add_category(uow, actor, body.key, values).key)

    return await access_of(request).answer(request, 201, add)


@router.get("/{id}", responses=answers(200, CategoryDetails, 400, 404), response_class=Response)
async def get_category(request: Request, key: Key) -> Response:
    """Return a category."""
    return versioned_response(await access_of(request).read(request, categories.get_category, key))


@router.put("/{id}", responses=answers(200, CategoryDetails, 400, 403, 404, 409, 412), response_class=Response)
async def put_category(request: Request, key: Key, body: CategoryPut) -> Response:
    """Change a category; for administrators."""
    return await _update(request, key, body)


@router.patch("/{id}", responses=answers(200, CategoryDetails, 400, 403, 404, 409, 412), response_class=Response)
async def patch_category(request: Request, key: Key, body: CategoryPatch) -> Response:
    """Change some of a category; for administrators."""
    return await _update(request, key, body)


async def _update(request: Request, key: str, body: CategoryPatch) -> Response:
    changes, version = cast("CategoryChanges", body.model_dump(exclude_unset=True)), expected_version(request)

    def update(uow: UnitOfWork, actor: Actor) -> CategoryDetails:
        categories.update_category(uow, actor, key, changes, version)
        return categories.get_category(uow, actor, key)

    return await access_of(request).answer(request, 200, update)


@router.delete("/{id}", status_code=204, responses=answers(204, None, 400, 403, 404), response_class=Response)
async def retire_category(request: Request, key: Key) -> Response:
    """Take a category out of use; for administrators. Tickets that have it keep it."""
    return await access_of(request).answer(request, 204, categories.retire_category, key)
