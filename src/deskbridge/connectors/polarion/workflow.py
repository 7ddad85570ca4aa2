"""What is known of a project's workflow, and the shortest way through it. No I/O.

A server only tells the actions that lead on from where an item is, so the map is drawn as it goes.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deskbridge.connectors.polarion.client import Json
from deskbridge.sync.connector import Rejected, Value


@dataclass(frozen=True)
class Step:
    """A workflow action: its id, where it leads, what it demands to be filled and what it empties."""

    action: str
    target: str
    required: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()


Steps = tuple[Step, ...]


@dataclass
class Workflow:
    """The map of one work item type: the steps out of each status that was looked at.

    `unseen` are statuses in which no item was found that could have told.
    """

    steps: dict[str, Steps] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)

    def learn(self, status: str, steps: Steps) -> None:
        self.steps[status] = steps
        self.unseen.discard(status)

    def way(self, start: str, wanted: str, ask: Callable[[str], Steps | None]) -> Sequence[Step]:
        """Return the shortest known way; `ask` looks at a status ahead, None when no item is there to tell.

        Without a known way it leads to the nearest status that nobody could tell about; empty when there is none left.
        """
        while True:
            ways = dict(self._ways(start))
            ahead = next((one for one in ways if one not in self.steps and one not in self.unseen), None)
            if ahead is None or ahead == wanted:
                break
            told = ask(ahead)
            if told is None:
                self.unseen.add(ahead)
            else:
                self.learn(ahead, told)
        if wanted in ways:
            return ways[wanted]
        return next((way for status, way in ways.items() if status not in self.steps), ())

    def _ways(self, start: str) -> Iterator[tuple[str, Sequence[Step]]]:
        """Every status that can be reached over known steps, the nearest first, with the way there."""
        seen = {start}
        waiting: deque[tuple[str, tuple[Step, ...]]] = deque([(start, ())])
        while waiting:
            status, way = waiting.popleft()
            for step in self.steps.get(status, ()):
                if step.target not in seen:
                    seen.add(step.target)
                    waiting.append((step.target, (*way, step)))
                    yield step.target, (*way, step)


def steps_of(rows: Sequence[Json]) -> Steps:
    """Return the actions that can be performed: those that ask for a signature need a person."""
    usable = (row for row in rows if row.get("available", True) and not row.get("isSignatureRequired"))
    return tuple(
        Step(
            str(row["nativeActionId"]),
            str(row["targetStatus"]),
            tuple(str(name) for name in row.get("requiredFields") or ()),
            tuple(str(name) for name in row.get("clearedFields") or ()),
        )
        for row in usable
        if row.get("targetStatus")
    )


def require_demands(way: Sequence[Step], given: Mapping[str, Value], filled: set[str]) -> None:
    """Rejected, naming the field, when a step on the way demands what is neither given nor there already."""
    filled = set(filled)
    for step in way:
        for name in step.required:
            if name not in filled and given.get(name) in {None, "", ()}:
                raise Rejected(f"the action {step.action} to {step.target} demands {name}", name)
        filled |= {name for name in step.required if name in given}
        filled -= set(step.cleared)
