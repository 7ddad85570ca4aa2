"""What can be called: reports. Written by `make docs` from the API's routes; change those instead."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import AgentReport, AgingReport, CategoryReport, PeriodReport, SlaAdherence, Times
from deskbridge.client.calls import Call, Calls
from deskbridge.client.choices import Bucket, By, Priority


class ReportsRoutes:
    """The routes of the API that are about reports."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def tickets_by_period(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
        bucket: Bucket | UnsetType = UNSET,
    ) -> PeriodReport:
        """Return what was created and resolved in each hour, day, week or month, and the backlog at its end."""
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/reports/tickets-by-period",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                    "bucket": bucket,
                },
            ),
            PeriodReport,
        )

    def resolution_time(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
        by: By | UnsetType = UNSET,
    ) -> Times:
        """Return how long tickets took from creation to resolution, whole or also by priority, category, team or
        agent.
        """
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/reports/resolution-time",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                    "by": by,
                },
            ),
            Times,
        )

    def categories(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
    ) -> CategoryReport:
        """Return how many tickets each category has, and how many of them are open."""
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/reports/categories",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                },
            ),
            CategoryReport,
        )

    def sla_adherence(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
    ) -> SlaAdherence:
        """Return how many response and resolution targets were met and breached."""
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/tickets/analytics/sla-adherence",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                },
            ),
            SlaAdherence,
        )

    def aging(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
    ) -> AgingReport:
        """Return the open tickets by age."""
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/tickets/analytics/aging",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                },
            ),
            AgingReport,
        )

    def agents_performance(
        self,
        *,
        last: str | UnsetType = UNSET,
        from_: datetime | UnsetType = UNSET,
        to: datetime | UnsetType = UNSET,
        tz: str | UnsetType = UNSET,
        team: list[UUID] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
    ) -> AgentReport:
        """Return each agent's figures: oneself for an agent, one's teams for a lead, everybody for a manager."""
        return self._calls.answer(
            Call(
                "GET",
                "/api/v1/agents/performance",
                query={
                    "last": last,
                    "from": from_,
                    "to": to,
                    "tz": tz,
                    "team": team,
                    "category": category,
                    "priority": priority,
                },
            ),
            AgentReport,
        )
