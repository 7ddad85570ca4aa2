"""What can be called: conversation. Written by `make docs` from the API's routes; change those instead."""

from typing import TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import MessageAnswer, TimelineEntry
from deskbridge.client.calls import Call, Calls, once, segment
from deskbridge.client.choices import Format, Kind
from deskbridge.client.pages import Pages
from deskbridge.kit.paging import Page

A = TypeVar("A")


class ConversationRoutes:
    """The routes of the API that are about conversation."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_messages(
        self, id: UUID | int | str, *, limit: int | UnsetType = UNSET
    ) -> Pages[MessageAnswer, Page[MessageAnswer]]:
        """Return a page of a ticket's messages, oldest first."""
        return self._calls.pages(
            Call("GET", f"/api/v1/messages/ticket/{segment(id)}", query={"limit": limit}), Page[MessageAnswer]
        )

    def say(
        self,
        *,
        ticket_id: str,
        content: str,
        is_internal: bool | UnsetType = UNSET,
        attachment_ids: list[UUID] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> MessageAnswer:
        """Add a public reply or an internal note to a ticket's conversation."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/messages",
                body={
                    "ticket_id": ticket_id,
                    "content": content,
                    "is_internal": is_internal,
                    "attachment_ids": attachment_ids,
                },
                key=once(idempotency_key),
            ),
            MessageAnswer,
        )

    def edit(self, id: UUID | str, *, content: str, idempotency_key: str | None = None) -> MessageAnswer:
        """Change the text of one's own message."""
        return self._calls.answer(
            Call("PUT", f"/api/v1/messages/{segment(id)}", body={"content": content}, key=once(idempotency_key)),
            MessageAnswer,
        )

    def remove(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a message's text; its author or an administrator does this."""
        self._calls.nothing(Call("DELETE", f"/api/v1/messages/{segment(id)}", key=once(idempotency_key)))

    def chat_timeline(
        self, id: UUID | int | str, *, limit: int | UnsetType = UNSET
    ) -> Pages[TimelineEntry, Page[TimelineEntry]]:
        """Return a page of messages and events in one line of time, oldest first."""
        return self._calls.pages(
            Call("GET", f"/api/v1/messages/ticket/{segment(id)}/timeline", query={"limit": limit}), Page[TimelineEntry]
        )

    def mark_read(self, id: UUID | int | str, *, idempotency_key: str | None = None) -> None:
        """Note that one has read a ticket up to its last message."""
        self._calls.nothing(Call("PUT", f"/api/v1/tickets/{segment(id)}/read", key=once(idempotency_key)))

    def mark_unread(self, id: UUID | int | str, *, idempotency_key: str | None = None) -> None:
        """Make a ticket new to oneself again."""
        self._calls.nothing(Call("DELETE", f"/api/v1/tickets/{segment(id)}/read", key=once(idempotency_key)))

    def ticket_timeline(
        self,
        answer: type[A],
        id: UUID | int | str,
        *,
        limit: int | UnsetType = UNSET,
        cursor: str | UnsetType = UNSET,
        kind: Kind | UnsetType = UNSET,
        format: Format | UnsetType = UNSET,
    ) -> A:
        """Return a page of messages and events in one line of time, or the whole work record (`kind=work`) for
        agents.

        `answer` says which is expected: Page[TimelineEntry], WorkRecord, or str for other formats.
        """
        return self._calls.answer(
            Call(
                "GET",
                f"/api/v1/tickets/{segment(id)}/timeline",
                query={"limit": limit, "cursor": cursor, "kind": kind, "format": format},
            ),
            answer,
        )
