"""What can be called: directory. Written by `make docs` from the API's routes; change those instead."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import AgentAnswer, Profile, TeamAnswer, TeamList
from deskbridge.client.calls import Call, Calls, once, segment, version_tag
from deskbridge.client.choices import Dispatch, Role
from deskbridge.client.pages import Pages
from deskbridge.kit.paging import Page


class DirectoryRoutes:
    """The routes of the API that are about directory."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_users(
        self,
        *,
        q: str | UnsetType = UNSET,
        role: list[Role] | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
    ) -> Pages[Profile, Page[Profile]]:
        """Return a page of people, newest first; for agents."""
        return self._calls.pages(
            Call("GET", "/api/v1/users", query={"q": q, "role": role, "team": team, "active": active, "limit": limit}),
            Page[Profile],
        )

    def add_user(
        self,
        *,
        name: str,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        role: Role | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> Profile:
        """Add a person: agents add customers, administrators anybody."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/users",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "name": name,
                    "role": role,
                },
                key=once(idempotency_key),
            ),
            Profile,
        )

    def get_user(self, id: UUID | str) -> Profile:
        """Return a person: oneself, or anybody to agents."""
        return self._calls.answer(Call("GET", f"/api/v1/users/{segment(id)}"), Profile)

    def put_user(
        self,
        id: UUID | str,
        *,
        name: str,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        role: Role | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        current_password: str | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> Profile:
        """Change a person: one's own name, phone, address, language, time zone and password, an ADMIN everything."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/users/{segment(id)}",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "name": name,
                    "role": role,
                    "active": active,
                    "current_password": current_password,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            Profile,
        )

    def patch_user(
        self,
        id: UUID | str,
        *,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        name: str | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        current_password: str | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> Profile:
        """Change some of what is known of a person."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/users/{segment(id)}",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "name": name,
                    "role": role,
                    "active": active,
                    "current_password": current_password,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            Profile,
        )

    def delete_user(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Lock a person out and hand back their open tickets; for administrators."""
        self._calls.nothing(Call("DELETE", f"/api/v1/users/{segment(id)}", key=once(idempotency_key)))

    def list_agents(
        self,
        *,
        q: str | UnsetType = UNSET,
        role: list[Role] | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        available: bool | UnsetType = UNSET,
    ) -> Pages[AgentAnswer, Page[AgentAnswer]]:
        """Return a page of agents, newest first; for agents."""
        return self._calls.pages(
            Call(
                "GET",
                "/api/v1/agents",
                query={"q": q, "role": role, "team": team, "active": active, "limit": limit, "available": available},
            ),
            Page[AgentAnswer],
        )

    def add_agent(
        self,
        *,
        name: str,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        skills: list[str] | UnsetType = UNSET,
        available: bool | UnsetType = UNSET,
        capacity: int | UnsetType = UNSET,
        team_ids: list[UUID] | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> AgentAnswer:
        """Add an agent; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/agents",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "skills": skills,
                    "available": available,
                    "capacity": capacity,
                    "team_ids": team_ids,
                    "name": name,
                    "role": role,
                },
                key=once(idempotency_key),
            ),
            AgentAnswer,
        )

    def get_agent(self, id: UUID | str) -> AgentAnswer:
        """Return an agent; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/agents/{segment(id)}"), AgentAnswer)

    def put_agent(
        self,
        id: UUID | str,
        *,
        name: str,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        role: Role | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        current_password: str | UnsetType = UNSET,
        skills: list[str] | UnsetType = UNSET,
        available: bool | UnsetType = UNSET,
        capacity: int | UnsetType = UNSET,
        team_ids: list[UUID] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> AgentAnswer:
        """Change an agent: one's own profile and availability, an ADMIN everything."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/agents/{segment(id)}",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "name": name,
                    "role": role,
                    "active": active,
                    "current_password": current_password,
                    "skills": skills,
                    "available": available,
                    "capacity": capacity,
                    "team_ids": team_ids,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            AgentAnswer,
        )

    def patch_agent(
        self,
        id: UUID | str,
        *,
        email: str | UnsetType | None = UNSET,
        phone: str | UnsetType | None = UNSET,
        address: str | UnsetType = UNSET,
        organisation: str | UnsetType = UNSET,
        locale: str | UnsetType = UNSET,
        time_zone: str | UnsetType = UNSET,
        password: str | UnsetType | None = UNSET,
        name: str | UnsetType = UNSET,
        role: Role | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        current_password: str | UnsetType = UNSET,
        skills: list[str] | UnsetType = UNSET,
        available: bool | UnsetType = UNSET,
        capacity: int | UnsetType = UNSET,
        team_ids: list[UUID] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> AgentAnswer:
        """Change some of what is known of an agent."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/agents/{segment(id)}",
                body={
                    "email": email,
                    "phone": phone,
                    "address": address,
                    "organisation": organisation,
                    "locale": locale,
                    "time_zone": time_zone,
                    "password": password,
                    "name": name,
                    "role": role,
                    "active": active,
                    "current_password": current_password,
                    "skills": skills,
                    "available": available,
                    "capacity": capacity,
                    "team_ids": team_ids,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            AgentAnswer,
        )

    def delete_agent(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Lock an agent out and hand back their open tickets; for administrators."""
        self._calls.nothing(Call("DELETE", f"/api/v1/agents/{segment(id)}", key=once(idempotency_key)))

    def list_teams(self, *, active: bool | UnsetType = UNSET) -> TeamList:
        """Return the teams with their members; for agents."""
        return self._calls.answer(Call("GET", "/api/v1/teams", query={"active": active}), TeamList)

    def add_team(
        self,
        *,
        name: str,
        description: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        assignment: Dispatch | UnsetType = UNSET,
        member_ids: list[UUID] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> TeamAnswer:
        """Add a team; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/teams",
                body={
                    "name": name,
                    "description": description,
                    "active": active,
                    "assignment": assignment,
                    "member_ids": member_ids,
                },
                key=once(idempotency_key),
            ),
            TeamAnswer,
        )

    def get_team(self, id: UUID | str) -> TeamAnswer:
        """Return a team with its members; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/teams/{segment(id)}"), TeamAnswer)

    def put_team(
        self,
        id: UUID | str,
        *,
        name: str,
        description: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        assignment: Dispatch | UnsetType = UNSET,
        member_ids: list[UUID] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TeamAnswer:
        """Change a team; for administrators. Optional fields that are left out stay as they are."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/teams/{segment(id)}",
                body={
                    "name": name,
                    "description": description,
                    "active": active,
                    "assignment": assignment,
                    "member_ids": member_ids,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TeamAnswer,
        )

    def patch_team(
        self,
        id: UUID | str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        assignment: Dispatch | UnsetType = UNSET,
        member_ids: list[UUID] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TeamAnswer:
        """Change some of a team's settings; for administrators."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/teams/{segment(id)}",
                body={
                    "name": name,
                    "description": description,
                    "active": active,
                    "assignment": assignment,
                    "member_ids": member_ids,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TeamAnswer,
        )

    def delete_team(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Take a team out of use; for administrators. The tickets it has stay with it."""
        self._calls.nothing(Call("DELETE", f"/api/v1/teams/{segment(id)}", key=once(idempotency_key)))
