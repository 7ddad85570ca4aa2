"""The way through a tracker's workflow, planned over what its live transitions have shown so far.

A tracker tells only the transitions that leave a record's present status. What they show is remembered; of a status
nobody has looked at yet the best is assumed, and each step taken shows more. So a known workflow is walked along its
shortest path, and an unknown one is learnt on the way.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One transition: its id at the tracker, the status it leads to, the fields it demands, those it takes at all."""

    id: str
    target: str
    demands: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()


@dataclass
class Workflow:
    """The steps that leave each status, as far as they were seen. `order` lists the statuses as the tracker does."""

    order: Sequence[str] = ()
    seen: dict[str, Sequence[Step]] = field(default_factory=dict)

    def learn(self, status: str, steps: Sequence[Step]) -> None:
        self.seen[status] = steps

    def unseen(self) -> list[str]:
        """The statuses nobody has looked out of yet."""
        return [status for status in self.order if status not in self.seen]

    def plan(self, here: str, wanted: str) -> list[Step] | None:
        """Return the steps of the shortest way as far as it is known; None when there is none.

        The last one may lead to a status that was never looked out of: what comes after it is a guess.
        """
        ways = self._ways(here)
        known = ways.get(wanted)
        guessed = [way for status, way in ways.items() if way and status != wanted and status not in self.seen]
        best = min(guessed, key=lambda way: (len(way), self._distance(way[-1].target, wanted)), default=None)
        if known is None or (best is not None and len(best) + 1 < len(known)):
            return best if best is not None else known
        return known

    def _ways(self, here: str) -> Mapping[str, list[Step]]:
        """The shortest known way to each status that can be reached."""
        ways: dict[str, list[Step]] = {here: []}
        waiting = deque([here])
        while waiting:
            status = waiting.popleft()
            for step in self.seen.get(status, ()):
                if step.target not in ways:
                    ways[step.target] = [*ways[status], step]
                    waiting.append(step.target)
        return ways

    def _distance(self, status: str, wanted: str) -> int:
        places = {one: number for number, one in enumerate(self.order)}
        return abs(places.get(status, len(places)) - places.get(wanted, len(places)))
