"""What can be called: categories. Written by `make docs` from the API's routes; change those instead."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import CategoryDetails, CategoryList
from deskbridge.client.calls import Call, Calls, once, segment, version_tag


class CategoriesRoutes:
    """The routes of the API that are about categories."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_categories(self) -> CategoryList:
        """Return the categories; customers get those in use."""
        return self._calls.answer(Call("GET", "/api/v1/categories"), CategoryList)

    def add_category(
        self,
        *,
        name: str,
        key: str,
        active: bool | UnsetType = UNSET,
        position: int | UnsetType = UNSET,
        team_id: UUID | UnsetType | None = UNSET,
        skill: str | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> CategoryDetails:
        """Add a category; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/categories",
                body={
                    "name": name,
                    "active": active,
                    "position": position,
                    "team_id": team_id,
                    "skill": skill,
                    "key": key,
                },
                key=once(idempotency_key),
            ),
            CategoryDetails,
        )

    def get_category(self, id: UUID | int | str) -> CategoryDetails:
        """Return a category."""
        return self._calls.answer(Call("GET", f"/api/v1/categories/{segment(id)}"), CategoryDetails)

    def put_category(
        self,
        id: UUID | int | str,
        *,
        name: str,
        active: bool | UnsetType = UNSET,
        position: int | UnsetType = UNSET,
        team_id: UUID | UnsetType | None = UNSET,
        skill: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> CategoryDetails:
        """Change a category; for administrators."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/categories/{segment(id)}",
                body={"name": name, "active": active, "position": position, "team_id": team_id, "skill": skill},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            CategoryDetails,
        )

    def patch_category(
        self,
        id: UUID | int | str,
        *,
        name: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        position: int | UnsetType = UNSET,
        team_id: UUID | UnsetType | None = UNSET,
        skill: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> CategoryDetails:
        """Change some of a category; for administrators."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/categories/{segment(id)}",
                body={"name": name, "active": active, "position": position, "team_id": team_id, "skill": skill},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            CategoryDetails,
        )

    def retire_category(self, id: UUID | int | str, *, idempotency_key: str | None = None) -> None:
        """Take a category out of use; for administrators. Tickets that have it keep it."""
        self._calls.nothing(Call("DELETE", f"/api/v1/categories/{segment(id)}", key=once(idempotency_key)))
