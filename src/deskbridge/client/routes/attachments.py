"""What can be called: attachments. Written by `make docs` from the API's routes; change those instead."""

from typing import TypeVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import AttachmentAnswer, AttachmentList
from deskbridge.client.calls import Call, Calls, Upload, once, segment

A = TypeVar("A")


class AttachmentsRoutes:
    """The routes of the API that are about attachments."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_attachments(self, id: UUID | int | str) -> AttachmentList:
        """Return a ticket's files."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/attachments"), AttachmentList)

    def add_attachment(
        self,
        id: UUID | int | str,
        *,
        file: Upload,
        is_internal: bool | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> AttachmentAnswer:
        """Add a file to a ticket. Its kind is told by its name and its content, which have to agree."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/tickets/{segment(id)}/attachments",
                body={"is_internal": is_internal},
                files={"file": file},
                key=once(idempotency_key),
            ),
            AttachmentAnswer,
        )

    def get_attachment(self, answer: type[A], id: UUID | str, *, inline: bool | UnsetType = UNSET) -> A:
        """Return a file's bytes; `Range` returns a part, so that a broken download goes on where it stopped.

        `answer` says which is expected: str, or str for other formats.
        """
        return self._calls.answer(Call("GET", f"/api/v1/attachments/{segment(id)}", query={"inline": inline}), answer)

    def remove_attachment(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Remove a file; whoever uploaded it or an administrator does this."""
        self._calls.nothing(Call("DELETE", f"/api/v1/attachments/{segment(id)}", key=once(idempotency_key)))
