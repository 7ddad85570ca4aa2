"""What can be called: tickets. Written by `make docs` from the API's routes; change those instead."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import HistoryAnswer, MessageAnswer, TicketAnswer, TicketPage
from deskbridge.client.calls import Call, Calls, once, segment, version_tag
from deskbridge.client.choices import (
    Channel,
    CommentType,
    Environment,
    ImpactLevel,
    Priority,
    SortBy,
    Status,
    TicketsOrder,
)
from deskbridge.client.pages import Pages
from deskbridge.kit.paging import Page


class TicketsRoutes:
    """The routes of the API that are about tickets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_tickets(
        self,
        *,
        status: list[Status] | UnsetType = UNSET,
        priority: list[Priority] | UnsetType = UNSET,
        category: list[str] | UnsetType = UNSET,
        assignee: list[UUID | None] | UnsetType = UNSET,
        team: list[UUID | None] | UnsetType = UNSET,
        requester: list[UUID] | UnsetType = UNSET,
        tag: list[str] | UnsetType = UNSET,
        external_ref: list[str] | UnsetType = UNSET,
        created_from: datetime | UnsetType = UNSET,
        created_to: datetime | UnsetType = UNSET,
        updated_from: datetime | UnsetType = UNSET,
        updated_to: datetime | UnsetType = UNSET,
        breached: bool | UnsetType = UNSET,
        unread: bool | UnsetType = UNSET,
        q: str | UnsetType = UNSET,
        sort_by: SortBy | UnsetType = UNSET,
        order: TicketsOrder | UnsetType = UNSET,
        limit: int | UnsetType = UNSET,
        with_total: bool | UnsetType = UNSET,
    ) -> Pages[TicketAnswer, TicketPage]:
        """Return a page of the tickets one may see."""
        return self._calls.pages(
            Call(
                "GET",
                "/api/v1/tickets",
                query={
                    "status": status,
                    "priority": priority,
                    "category": category,
                    "assignee": assignee,
                    "team": team,
                    "requester": requester,
                    "tag": tag,
                    "external_ref": external_ref,
                    "created_from": created_from,
                    "created_to": created_to,
                    "updated_from": updated_from,
                    "updated_to": updated_to,
                    "breached": breached,
                    "unread": unread,
                    "q": q,
                    "sort_by": sort_by,
                    "order": order,
                    "limit": limit,
                    "with_total": with_total,
                },
            ),
            TicketPage,
        )

    def create_ticket(
        self,
        *,
        title: str,
        description: str,
        category: str,
        priority: Priority | UnsetType = UNSET,
        environment: Environment | UnsetType | None = UNSET,
        affected_service: str | UnsetType | None = UNSET,
        impact_level: ImpactLevel | UnsetType | None = UNSET,
        tags: list[str] | UnsetType = UNSET,
        requester_id: UUID | UnsetType | None = UNSET,
        channel: Channel | UnsetType | None = UNSET,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Create a ticket."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/tickets",
                body={
                    "title": title,
                    "description": description,
                    "category": category,
                    "priority": priority,
                    "environment": environment,
                    "affected_service": affected_service,
                    "impact_level": impact_level,
                    "tags": tags,
                    "requester_id": requester_id,
                    "channel": channel,
                },
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def get_ticket(self, id: UUID | int | str) -> TicketAnswer:
        """Return one ticket, with its version as `ETag`."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}"), TicketAnswer)

    def put_ticket(
        self,
        id: UUID | int | str,
        *,
        title: str,
        description: str,
        category: str,
        priority: Priority | UnsetType = UNSET,
        environment: Environment | UnsetType | None = UNSET,
        affected_service: str | UnsetType | None = UNSET,
        impact_level: ImpactLevel | UnsetType | None = UNSET,
        tags: list[str] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Replace a ticket's fields; optional ones that are left out stay as they are."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/tickets/{segment(id)}",
                body={
                    "title": title,
                    "description": description,
                    "category": category,
                    "priority": priority,
                    "environment": environment,
                    "affected_service": affected_service,
                    "impact_level": impact_level,
                    "tags": tags,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def patch_ticket(
        self,
        id: UUID | int | str,
        *,
        title: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        category: str | UnsetType = UNSET,
        priority: Priority | UnsetType = UNSET,
        environment: Environment | UnsetType | None = UNSET,
        affected_service: str | UnsetType | None = UNSET,
        impact_level: ImpactLevel | UnsetType | None = UNSET,
        tags: list[str] | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Change some of a ticket's fields."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/tickets/{segment(id)}",
                body={
                    "title": title,
                    "description": description,
                    "category": category,
                    "priority": priority,
                    "environment": environment,
                    "affected_service": affected_service,
                    "impact_level": impact_level,
                    "tags": tags,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def delete_ticket(
        self, id: UUID | int | str, *, if_match: int | None = None, idempotency_key: str | None = None
    ) -> None:
        """Hide a ticket from everyone; for administrators."""
        self._calls.nothing(
            Call("DELETE", f"/api/v1/tickets/{segment(id)}", headers=version_tag(if_match), key=once(idempotency_key))
        )

    def assign(
        self,
        id: UUID | int | str,
        *,
        assignee_id: UUID | UnsetType | None = UNSET,
        team_id: UUID | UnsetType | None = UNSET,
        notes: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Assign a ticket to a person or hand it to a team."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/tickets/{segment(id)}/assign",
                body={"assignee_id": assignee_id, "team_id": team_id, "notes": notes},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def change_status(
        self,
        id: UUID | int | str,
        *,
        status: Status,
        reason: str | UnsetType | None = UNSET,
        resolution_notes: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Bring a ticket to another status, in one step of the workflow."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/tickets/{segment(id)}/status",
                body={"status": status, "reason": reason, "resolution_notes": resolution_notes},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def resolve(
        self,
        id: UUID | int | str,
        *,
        resolution_notes: str,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Resolve a ticket."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/resolve",
                body={"resolution_notes": resolution_notes},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def close(
        self,
        id: UUID | int | str,
        *,
        reason: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Close a ticket."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/close",
                body={"reason": reason},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def reopen(
        self,
        id: UUID | int | str,
        *,
        reason: str | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Reopen a resolved or closed ticket."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/reopen",
                body={"reason": reason},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def escalate(
        self,
        id: UUID | int | str,
        *,
        reason: str,
        team_id: UUID | UnsetType | None = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> TicketAnswer:
        """Escalate a ticket that is in progress, if wanted to another team."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/escalate",
                body={"reason": reason, "team_id": team_id},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            TicketAnswer,
        )

    def history(
        self, id: UUID | int | str, *, limit: int | UnsetType = UNSET
    ) -> Pages[HistoryAnswer, Page[HistoryAnswer]]:
        """Return a page of a ticket's history, oldest first."""
        return self._calls.pages(
            Call("GET", f"/api/v1/tickets/{segment(id)}/history", query={"limit": limit}), Page[HistoryAnswer]
        )

    def list_comments(
        self, id: UUID | int | str, *, limit: int | UnsetType = UNSET
    ) -> Pages[MessageAnswer, Page[MessageAnswer]]:
        """Return a page of a ticket's conversation, oldest first."""
        return self._calls.pages(
            Call("GET", f"/api/v1/tickets/{segment(id)}/comments", query={"limit": limit}), Page[MessageAnswer]
        )

    def add_comment(
        self,
        id: UUID | int | str,
        *,
        content: str,
        comment_type: CommentType | UnsetType = UNSET,
        is_internal: bool | UnsetType | None = UNSET,
        attachment_ids: list[UUID] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> MessageAnswer:
        """Add a public reply or an internal note to a ticket's conversation."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/comments",
                body={
                    "content": content,
                    "comment_type": comment_type,
                    "is_internal": is_internal,
                    "attachment_ids": attachment_ids,
                },
                key=once(idempotency_key),
            ),
            MessageAnswer,
        )

    def edit_comment(self, id: UUID | str, *, content: str, idempotency_key: str | None = None) -> MessageAnswer:
        """Change the text of one's own comment."""
        return self._calls.answer(
            Call("PUT", f"/api/v1/comments/{segment(id)}", body={"content": content}, key=once(idempotency_key)),
            MessageAnswer,
        )

    def delete_comment(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a comment's text; its author or an administrator does this."""
        self._calls.nothing(Call("DELETE", f"/api/v1/comments/{segment(id)}", key=once(idempotency_key)))
