"""What can be called: sla. Written by `make docs` from the API's routes; change those instead."""

from datetime import date
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import CalendarAnswer, CalendarList, PolicyAnswer, PolicyList, SlaAnswer
from deskbridge.client.calls import Call, Calls, once, segment, version_tag
from deskbridge.client.choices import Priority


class SlaRoutes:
    """The routes of the API that are about sla."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ticket_sla(self, id: UUID | int | str) -> SlaAnswer:
        """Explain a ticket's deadlines by the time that counted and the time that did not."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/sla"), SlaAnswer)

    def list_policies(self) -> PolicyList:
        """Return the SLA policies; for agents."""
        return self._calls.answer(Call("GET", "/api/v1/sla-policies"), PolicyList)

    def add_policy(
        self,
        *,
        name: str,
        priority: Priority,
        team_id: UUID | UnsetType | None = UNSET,
        category: str | UnsetType | None = UNSET,
        response_minutes: int | UnsetType | None = UNSET,
        resolution_minutes: int | UnsetType | None = UNSET,
        calendar_id: UUID | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> PolicyAnswer:
        """Add an SLA policy; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/sla-policies",
                body={
                    "name": name,
                    "priority": priority,
                    "team_id": team_id,
                    "category": category,
                    "response_minutes": response_minutes,
                    "resolution_minutes": resolution_minutes,
                    "calendar_id": calendar_id,
                },
                key=once(idempotency_key),
            ),
            PolicyAnswer,
        )

    def get_policy(self, id: UUID | str) -> PolicyAnswer:
        """Return an SLA policy; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/sla-policies/{segment(id)}"), PolicyAnswer)

    def put_policy(
        self,
        id: UUID | str,
        *,
        name: str,
        priority: Priority,
        team_id: UUID | UnsetType | None = UNSET,
        category: str | UnsetType | None = UNSET,
        response_minutes: int | UnsetType | None = UNSET,
        resolution_minutes: int | UnsetType | None = UNSET,
        calendar_id: UUID | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> PolicyAnswer:
        """Change an SLA policy; for administrators."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/sla-policies/{segment(id)}",
                body={
                    "name": name,
                    "priority": priority,
                    "team_id": team_id,
                    "category": category,
                    "response_minutes": response_minutes,
                    "resolution_minutes": resolution_minutes,
                    "calendar_id": calendar_id,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            PolicyAnswer,
        )

    def delete_policy(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove an SLA policy; for administrators."""
        self._calls.nothing(Call("DELETE", f"/api/v1/sla-policies/{segment(id)}", key=once(idempotency_key)))

    def list_calendars(self) -> CalendarList:
        """Return the business calendars; for agents."""
        return self._calls.answer(Call("GET", "/api/v1/calendars"), CalendarList)

    def add_calendar(
        self,
        *,
        name: str,
        time_zone: str,
        week: dict[str, Any],
        holidays: list[date] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> CalendarAnswer:
        """Add a business calendar; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/calendars",
                body={"name": name, "time_zone": time_zone, "week": week, "holidays": holidays},
                key=once(idempotency_key),
            ),
            CalendarAnswer,
        )

    def get_calendar(self, id: UUID | str) -> CalendarAnswer:
        """Return a business calendar; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/calendars/{segment(id)}"), CalendarAnswer)

    def put_calendar(
        self,
        id: UUID | str,
        *,
        name: str,
        time_zone: str,
        week: dict[str, Any],
        holidays: list[date] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> CalendarAnswer:
        """Change a business calendar; for administrators."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/calendars/{segment(id)}",
                body={"name": name, "time_zone": time_zone, "week": week, "holidays": holidays},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            CalendarAnswer,
        )

    def delete_calendar(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a business calendar that nothing counts with; for administrators."""
        self._calls.nothing(Call("DELETE", f"/api/v1/calendars/{segment(id)}", key=once(idempotency_key)))
