"""What can be called: companions. Written by `make docs` from the API's routes; change those instead."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import (
    BulkAnswer,
    RelationList,
    TicketAnswer,
    TimeEntryAnswer,
    TimeEntryList,
    ViewAnswer,
    ViewList,
    WatcherList,
)
from deskbridge.client.calls import Call, Calls, once, segment, version_tag
from deskbridge.client.choices import Priority, RelationType, Status


class CompanionsRoutes:
    """The routes of the API that are about companions."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_time(self, id: UUID | int | str) -> TimeEntryList:
        """Return the time worked on a ticket; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/time-entries"), TimeEntryList)

    def log_time(
        self,
        id: UUID | int | str,
        *,
        minutes: int,
        note: str | UnsetType = UNSET,
        started_at: datetime | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> TimeEntryAnswer:
        """Log time worked on a ticket; for agents."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/time-entries",
                body={"minutes": minutes, "note": note, "started_at": started_at},
                key=once(idempotency_key),
            ),
            TimeEntryAnswer,
        )

    def change_time(
        self,
        id: UUID | str,
        *,
        minutes: int | UnsetType = UNSET,
        note: str | UnsetType = UNSET,
        started_at: datetime | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> TimeEntryAnswer:
        """Correct a time entry; its author or a manager does this."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/time-entries/{segment(id)}",
                body={"minutes": minutes, "note": note, "started_at": started_at},
                key=once(idempotency_key),
            ),
            TimeEntryAnswer,
        )

    def delete_time(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a time entry; its author or a manager does this."""
        self._calls.nothing(Call("DELETE", f"/api/v1/time-entries/{segment(id)}", key=once(idempotency_key)))

    def list_relations(self, id: UUID | int | str) -> RelationList:
        """Return a ticket's relations; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/relations"), RelationList)

    def relate(
        self, id: UUID | int | str, *, type: RelationType, ticket: str, idempotency_key: str | None = None
    ) -> RelationList:
        """Relate a ticket to another and return its relations; for agents."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/relations",
                body={"type": type, "ticket": ticket},
                key=once(idempotency_key),
            ),
            RelationList,
        )

    def unrelate(self, id: UUID | int | str, *, relation_id: UUID, idempotency_key: str | None = None) -> None:
        """Remove one of a ticket's relations; for agents."""
        self._calls.nothing(
            Call(
                "DELETE",
                f"/api/v1/tickets/{segment(id)}/relations",
                query={"relation_id": relation_id},
                key=once(idempotency_key),
            )
        )

    def merge(
        self, id: UUID | int | str, *, into: str, if_match: int | None = None, idempotency_key: str | None = None
    ) -> TicketAnswer:
        """Merge a ticket into another one of the same requester, and return it."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/merge",
                body={"into": into},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def unmerge(
        self, id: UUID | int | str, *, if_match: int | None = None, idempotency_key: str | None = None
    ) -> TicketAnswer:
        """Undo a merge, and return the ticket as it was before."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/unmerge",
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def list_watchers(self, id: UUID | int | str) -> WatcherList:
        """Return who watches a ticket; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/watchers"), WatcherList)

    def watch(
        self, id: UUID | int | str, *, user_id: UUID | UnsetType | None = UNSET, idempotency_key: str | None = None
    ) -> WatcherList:
        """Watch a ticket, or let another agent watch it, and return who does."""
        return self._calls.answer(
            Call(
                "POST", f"/api/v1/tickets/{segment(id)}/watchers", body={"user_id": user_id}, key=once(idempotency_key)
            ),
            WatcherList,
        )

    def unwatch(
        self, id: UUID | int | str, *, user_id: UUID | UnsetType = UNSET, idempotency_key: str | None = None
    ) -> None:
        """Stop watching a ticket, or let another agent stop."""
        self._calls.nothing(
            Call(
                "DELETE",
                f"/api/v1/tickets/{segment(id)}/watchers",
                query={"user_id": user_id},
                key=once(idempotency_key),
            )
        )

    def rate(
        self, id: UUID | int | str, *, score: int, comment: str | UnsetType = UNSET, idempotency_key: str | None = None
    ) -> TicketAnswer:
        """Say how it went; for the requester, once the ticket is resolved."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/rating",
                body={"score": score, "comment": comment},
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def list_views(self) -> ViewList:
        """Return one's own views and, for agents, the shared ones."""
        return self._calls.answer(Call("GET", "/api/v1/views"), ViewList)

    def add_view(
        self, *, name: str, query: str, shared: bool | UnsetType = UNSET, idempotency_key: str | None = None
    ) -> ViewAnswer:
        """Save a view."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/views",
                body={"name": name, "query": query, "shared": shared},
                key=once(idempotency_key),
            ),
            ViewAnswer,
        )

    def get_view(self, id: UUID | str) -> ViewAnswer:
        """Return a view of one's own or, for agents, a shared one."""
        return self._calls.answer(Call("GET", f"/api/v1/views/{segment(id)}"), ViewAnswer)

    def put_view(
        self,
        id: UUID | str,
        *,
        name: str,
        query: str,
        shared: bool | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> ViewAnswer:
        """Change a view."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/views/{segment(id)}",
                body={"name": name, "query": query, "shared": shared},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            ViewAnswer,
        )

    def delete_view(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a view."""
        self._calls.nothing(Call("DELETE", f"/api/v1/views/{segment(id)}", key=once(idempotency_key)))

    def change_many(
        self,
        *,
        tickets: list[str],
        priority: Priority | UnsetType | None = UNSET,
        add_tags: list[str] | UnsetType = UNSET,
        remove_tags: list[str] | UnsetType = UNSET,
        assignee_id: UUID | UnsetType | None = UNSET,
        team_id: UUID | UnsetType | None = UNSET,
        status: Status | UnsetType | None = UNSET,
        reason: str | UnsetType | None = UNSET,
        resolution_notes: str | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> BulkAnswer:
        """Change up to 500 tickets, each in a transaction of its own, and tell of each how it went."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/tickets/bulk",
                body={
                    "tickets": tickets,
                    "priority": priority,
                    "add_tags": add_tags,
                    "remove_tags": remove_tags,
                    "assignee_id": assignee_id,
                    "team_id": team_id,
                    "status": status,
                    "reason": reason,
                    "resolution_notes": resolution_notes,
                },
                key=once(idempotency_key),
            ),
            BulkAnswer,
        )
