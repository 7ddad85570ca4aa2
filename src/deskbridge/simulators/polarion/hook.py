"""The server-side hook: Polarion itself pushes nothing, so an installed hook script posts what was saved.

It fires and forgets (no retries), is signed when it was given a secret, and is off until it has an address.
"""

import json

from deskbridge.simulators import webhooks
from deskbridge.simulators.polarion.session import Record, Session


def fire(session: Session, event: str, item: Record) -> None:
    """Put a note about a work item into the outbox: what happened to which revision, none of its content."""
    target = webhooks.target(session.state)
    if target is None:
        return
    body = json.dumps(
        {
            "event": event,
            "projectId": item["project"],
            "workItemId": item["id"],
            "revision": session.revision,
            "updated": session.now,
            "userId": session.user,
        }
    ).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("X-Polarion-Hook-Event", event),
        ("X-Polarion-Hook-Id", session.state.uuid()),
    ]
    if target.secret:
        headers.append(("X-Polarion-Hook-Signature", f"sha256={webhooks.sign(target.secret, body)}"))
    webhooks.emit(session.state, session.moment, target, event, headers, body)
