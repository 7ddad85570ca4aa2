"""What can be called: sync. Written by `make docs` from the API's routes; change those instead."""

from uuid import UUID

from msgspec import UNSET, UnsetType

from deskbridge.client.answers import (
    ConflictAnswer,
    ConnectionAnswer,
    ConnectionList,
    FailureAnswer,
    LinkAnswer,
    LinkList,
    MappingAnswer,
    Rehearsal,
    StatusList,
    SyncTimeline,
    TrialAnswer,
)
from deskbridge.client.calls import Call, Calls, once, segment, version_tag
from deskbridge.client.choices import (
    Choice,
    ConflictState,
    Environment,
    FailureClass,
    FailureState,
    ImpactLevel,
    LinkState,
    Priority,
)
from deskbridge.client.pages import Pages
from deskbridge.kit.paging import Page


class SyncRoutes:
    """The routes of the API that are about sync."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def list_connections(self) -> ConnectionList:
        """Return the connections as they are set up; for whoever sees the monitor."""
        return self._calls.answer(Call("GET", "/api/v1/sync/connections"), ConnectionList)

    def add_connection(
        self,
        *,
        name: str,
        kind: str,
        base_url: str,
        way: str,
        secret: str,
        account: str | UnsetType = UNSET,
        scope: str | UnsetType = UNSET,
        webhook_secret: str | UnsetType = UNSET,
        mapping: str | UnsetType | None = UNSET,
        slug: str | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> ConnectionAnswer:
        """Add a connection, as a draft; for administrators."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/sync/connections",
                body={
                    "name": name,
                    "kind": kind,
                    "base_url": base_url,
                    "way": way,
                    "secret": secret,
                    "account": account,
                    "scope": scope,
                    "webhook_secret": webhook_secret,
                    "mapping": mapping,
                    "slug": slug,
                },
                key=once(idempotency_key),
            ),
            ConnectionAnswer,
        )

    def get_connection(self, id: UUID | str) -> ConnectionAnswer:
        """Return a connection as it is set up; for whoever sees the monitor."""
        return self._calls.answer(Call("GET", f"/api/v1/sync/connections/{segment(id)}"), ConnectionAnswer)

    def change_connection(
        self,
        id: UUID | str,
        *,
        name: str | UnsetType = UNSET,
        base_url: str | UnsetType = UNSET,
        way: str | UnsetType = UNSET,
        account: str | UnsetType = UNSET,
        secret: str | UnsetType = UNSET,
        scope: str | UnsetType = UNSET,
        webhook_secret: str | UnsetType = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> ConnectionAnswer:
        """Change a connection; for administrators."""
        return self._calls.answer(
            Call(
                "PATCH",
                f"/api/v1/sync/connections/{segment(id)}",
                body={
                    "name": name,
                    "base_url": base_url,
                    "way": way,
                    "account": account,
                    "secret": secret,
                    "scope": scope,
                    "webhook_secret": webhook_secret,
                },
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            ConnectionAnswer,
        )

    def remove_connection(self, id: UUID | str, *, idempotency_key: str | None = None) -> None:
        """Forget a connection and its links; nothing is deleted in the tracker. For administrators."""
        self._calls.nothing(Call("DELETE", f"/api/v1/sync/connections/{segment(id)}", key=once(idempotency_key)))

    def get_mapping(self, id: UUID | str) -> MappingAnswer:
        """Return a connection's mapping; for whoever sees the monitor."""
        return self._calls.answer(Call("GET", f"/api/v1/sync/connections/{segment(id)}/mapping"), MappingAnswer)

    def put_mapping(
        self, id: UUID | str, *, text: str, if_match: int | None = None, idempotency_key: str | None = None
    ) -> MappingAnswer:
        """Replace a connection's mapping; every fault is named with its line. For administrators."""
        return self._calls.answer(
            Call(
                "PUT",
                f"/api/v1/sync/connections/{segment(id)}/mapping",
                body={"text": text},
                headers=version_tag(if_match),
                key=once(idempotency_key),
            ),
            MappingAnswer,
        )

    def test_connection(
        self, id: UUID | str, *, round_trip: str | UnsetType = UNSET, idempotency_key: str | None = None
    ) -> TrialAnswer:
        """Sign in and hold the mapping against the tracker's set-up; a draft that passes is rehearsed. For admins.

        Webhooks are judged by what came; with `round_trip` a record gets an internal comment whose webhook is
        awaited.
        """
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/sync/connections/{segment(id)}/test",
                body={"round_trip": round_trip},
                key=once(idempotency_key),
            ),
            TrialAnswer,
        )

    def rehearse(self, id: UUID | str, *, idempotency_key: str | None = None) -> Rehearsal:
        """Tell what the mapping would do with the latest records and tickets; changes nothing. For administrators."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/connections/{segment(id)}/rehearsal", key=once(idempotency_key)), Rehearsal
        )

    def activate(self, id: UUID | str, *, idempotency_key: str | None = None) -> ConnectionAnswer:
        """Let a rehearsed connection work for the first time; for administrators."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/connections/{segment(id)}/activate", key=once(idempotency_key)),
            ConnectionAnswer,
        )

    def pause(self, id: UUID | str, *, idempotency_key: str | None = None) -> ConnectionAnswer:
        """Hold a connection up; what happens meanwhile is caught up later. For managers."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/connections/{segment(id)}/pause", key=once(idempotency_key)), ConnectionAnswer
        )

    def resume(self, id: UUID | str, *, idempotency_key: str | None = None) -> ConnectionAnswer:
        """Let a connection that was paused or stopped go on; for managers."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/connections/{segment(id)}/resume", key=once(idempotency_key)), ConnectionAnswer
        )

    def sync_status(self) -> StatusList:
        """Return how every connection does: what waits, since when, what failed. For team leads."""
        return self._calls.answer(Call("GET", "/api/v1/sync/status"), StatusList)

    def list_links(
        self,
        *,
        limit: int | UnsetType = UNSET,
        connection_id: UUID | UnsetType = UNSET,
        state: LinkState | UnsetType = UNSET,
        waiting: bool | UnsetType = UNSET,
    ) -> Pages[LinkAnswer, Page[LinkAnswer]]:
        """Return a page of links, newest first; for team leads."""
        return self._calls.pages(
            Call(
                "GET",
                "/api/v1/sync/links",
                query={"limit": limit, "connection_id": connection_id, "state": state, "waiting": waiting},
            ),
            Page[LinkAnswer],
        )

    def ticket_links(self, id: UUID | int | str) -> LinkList:
        """Return a ticket's links; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/links"), LinkList)

    def ticket_sync_timeline(self, id: UUID | int | str) -> SyncTimeline:
        """Return what sync did with a ticket, and why its fields have the values they have; for agents."""
        return self._calls.answer(Call("GET", f"/api/v1/tickets/{segment(id)}/links/timeline"), SyncTimeline)

    def add_link(
        self, *, ticket: str, connection_id: UUID, remote_id: str, idempotency_key: str | None = None
    ) -> LinkAnswer:
        """Link a ticket to a record that is there already; for whoever may edit the ticket."""
        return self._calls.answer(
            Call(
                "POST",
                "/api/v1/sync/links",
                body={"ticket": ticket, "connection_id": connection_id, "remote_id": remote_id},
                key=once(idempotency_key),
            ),
            LinkAnswer,
        )

    def unlink(self, id: UUID | str, *, idempotency_key: str | None = None) -> LinkAnswer:
        """Let go of a record; both sides stay as they are. For whoever may edit the ticket."""
        return self._calls.answer(
            Call("DELETE", f"/api/v1/sync/links/{segment(id)}", key=once(idempotency_key)), LinkAnswer
        )

    def relink(self, id: UUID | str, *, idempotency_key: str | None = None) -> LinkAnswer:
        """Tie a link again that was let go of or paused; for whoever may edit the ticket."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/links/{segment(id)}/relink", key=once(idempotency_key)), LinkAnswer
        )

    def pause_link(self, id: UUID | str, *, idempotency_key: str | None = None) -> LinkAnswer:
        """Hold one link up until it is linked again; for whoever may edit the ticket."""
        return self._calls.answer(
            Call("POST", f"/api/v1/sync/links/{segment(id)}/pause", key=once(idempotency_key)), LinkAnswer
        )

    def list_conflicts(
        self, *, limit: int | UnsetType = UNSET, state: ConflictState | UnsetType = UNSET
    ) -> Pages[ConflictAnswer, Page[ConflictAnswer]]:
        """Return a page of what both sides changed, latest first; for agents."""
        return self._calls.pages(
            Call("GET", "/api/v1/sync/conflicts", query={"limit": limit, "state": state}), Page[ConflictAnswer]
        )

    def settle_conflict(self, id: UUID | str, *, choice: Choice, idempotency_key: str | None = None) -> ConflictAnswer:
        """Decide whose value stays; for whoever may edit the ticket."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/sync/conflicts/{segment(id)}/settle",
                body={"choice": choice},
                key=once(idempotency_key),
            ),
            ConflictAnswer,
        )

    def list_failures(
        self,
        *,
        limit: int | UnsetType = UNSET,
        connection_id: UUID | UnsetType = UNSET,
        failure: FailureClass | UnsetType = UNSET,
        state: FailureState | UnsetType = UNSET,
    ) -> Pages[FailureAnswer, Page[FailureAnswer]]:
        """Return a page of what failed, latest first; for team leads. Payloads are for administrators."""
        return self._calls.pages(
            Call(
                "GET",
                "/api/v1/sync/failures",
                query={"limit": limit, "connection_id": connection_id, "failure": failure, "state": state},
            ),
            Page[FailureAnswer],
        )

    def retry_failure(
        self,
        id: UUID | str,
        *,
        title: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        category: str | UnsetType = UNSET,
        priority: Priority | UnsetType = UNSET,
        environment: Environment | UnsetType | None = UNSET,
        affected_service: str | UnsetType | None = UNSET,
        impact_level: ImpactLevel | UnsetType | None = UNSET,
        tags: list[str] | UnsetType = UNSET,
        idempotency_key: str | None = None,
    ) -> FailureAnswer:
        """Try again, with the ticket edited first if the body says how; for managers."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/sync/failures/{segment(id)}/retry",
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
                key=once(idempotency_key),
            ),
            FailureAnswer,
        )

    def discard_failure(self, id: UUID | str, *, reason: str, idempotency_key: str | None = None) -> FailureAnswer:
        """Let a failure be, and say why; its link rests until something changes again. For managers."""
        return self._calls.answer(
            Call(
                "POST",
                f"/api/v1/sync/failures/{segment(id)}/discard",
                body={"reason": reason},
                key=once(idempotency_key),
            ),
            FailureAnswer,
        )

    def keep_record(self, id: UUID | str, *, record: str, idempotency_key: str | None = None) -> FailureAnswer:
        """Of suspected duplicates keep one: the others get a note in the tracker and are let go of. For managers."""
        return self._calls.answer(
            Call(
                "POST", f"/api/v1/sync/failures/{segment(id)}/keep", body={"record": record}, key=once(idempotency_key)
            ),
            FailureAnswer,
        )
