"""The workflow: which status may follow which, for people and the API alike."""

from collections.abc import Mapping

from deskbridge.kit.errors import Conflict
from deskbridge.tickets.model import HistoryType, Status

TRANSITIONS: Mapping[Status, tuple[Status, ...]] = {
    Status.NEW: (Status.OPEN, Status.IN_PROGRESS, Status.CLOSED),
    Status.OPEN: (Status.IN_PROGRESS, Status.PENDING_INFO, Status.RESOLVED, Status.CLOSED),
    Status.IN_PROGRESS: (Status.PENDING_INFO, Status.RESOLVED, Status.ESCALATED, Status.OPEN),
    Status.PENDING_INFO: (Status.IN_PROGRESS, Status.OPEN, Status.CLOSED),
    Status.RESOLVED: (Status.CLOSED, Status.REOPENED),
    Status.CLOSED: (Status.REOPENED,),
    Status.REOPENED: (Status.OPEN, Status.IN_PROGRESS, Status.RESOLVED),
    Status.ESCALATED: (Status.IN_PROGRESS, Status.RESOLVED, Status.CLOSED),
}
FINISHED = frozenset({Status.RESOLVED, Status.CLOSED})

CUSTOMER_WORDS: Mapping[Status, str] = {
    Status.NEW: "Received",
    Status.OPEN: "In progress",
    Status.IN_PROGRESS: "In progress",
    Status.ESCALATED: "In progress",
    Status.REOPENED: "In progress",
    Status.PENDING_INFO: "Waiting for you",
    Status.RESOLVED: "Solved",
    Status.CLOSED: "Closed",
}

MILESTONES: Mapping[Status, HistoryType] = {
    Status.RESOLVED: HistoryType.RESOLVED,
    Status.CLOSED: HistoryType.CLOSED,
    Status.REOPENED: HistoryType.REOPENED,
    Status.ESCALATED: HistoryType.ESCALATED,
}
"""The history entry that a change to this status writes beside its STATUS_CHANGE."""


class InvalidTransition(Conflict):
    """The workflow has no such step; `data` names the present status and the targets the actor may choose."""

    code = "INVALID_TRANSITION"

    def __init__(self, present: Status, wanted: Status, allowed: list[Status]) -> None:
        self.present = present
        choices = ", ".join(allowed) or "none"
        super().__init__(
            f"A ticket that is {present} cannot become {wanted}. Allowed: {choices}.",
            data={"status": present, "allowed": allowed},
        )


class ReopenWindowExpired(Conflict):
    """The ticket was closed too long ago; a new related ticket continues it."""

    code = "REOPEN_WINDOW_EXPIRED"

    def __init__(self, number: int, days: int) -> None:
        super().__init__(
            f"This ticket was closed more than {days} days ago. Create a new ticket related to #{number} instead.",
            data={"related_to": number},
        )


def is_step(present: Status, wanted: Status) -> bool:
    """Tell whether the workflow leads from one status to the other in one step."""
    return wanted in TRANSITIONS[present]


def shortest_path(present: Status, wanted: Status) -> list[Status]:
    """Return the steps from one status to another, the fewest there are; of equally short paths one through OPEN.

    Empty when both are the same. Every status can be reached from every other but NEW, which raises `ValueError`.
    """
    paths: list[list[Status]] = [[present]]
    seen = {present}
    while paths:
        arrived = [path for path in paths if path[-1] is wanted]
        if arrived:
            return max(arrived, key=lambda path: Status.OPEN in path)[1:]
        paths = [[*path, step] for path in paths for step in TRANSITIONS[path[-1]] if step not in seen]
        seen.update(path[-1] for path in paths)
    raise ValueError(f"no path leads from {present} to {wanted}")
