"""The comparison: the same requests to the desk and to the baseline, in turn, and what each of them costs."""

import random
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from bench.data import FIRST_NUMBER
from bench.load import Load, Run
from bench.servers import Server, ask, exchange

CONNECTIONS = 8
READ_AMONG = 500


class Measured:
    """What one server took, round by round: CPU seconds a request, requests a second, milliseconds at the 99th %."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.rate: list[float] = []
        self.p99_ms: list[float] = []

    def add(self, cpu: float, rate: float, p99_ms: float) -> None:
        self.cpu.append(cpu)
        self.rate.append(rate)
        self.p99_ms.append(p99_ms)


@dataclass
class Comparison:
    """One scenario's rounds on both sides."""

    name: str
    desk: Measured = field(default_factory=Measured)
    baseline: Measured = field(default_factory=Measured)

    @property
    def cpu_ratio(self) -> float:
        """How many times the baseline's CPU the desk takes for a request: the median of the rounds."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.desk.cpu, self.baseline.cpu, strict=True))

    @property
    def rate_ratio(self) -> float:
        """The desk's share of the baseline's requests a second: the median of the rounds."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.desk.rate, self.baseline.rate, strict=True))


@dataclass(frozen=True)
class Scenario:
    """The same request to both servers, and how often a round repeats it."""

    name: str
    desk: list[bytes]
    baseline: list[bytes]
    count: int

    @property
    def reads(self) -> bool:
        return self.desk[0].startswith(b"GET")


@dataclass(frozen=True)
class Bench:
    """Two servers on one database, and the load that takes turns with them."""

    desk: Server
    baseline: Server
    load: Load
    token: str
    last_number: int
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def scenarios(self) -> list[Scenario]:
        numbers = [self.chance.randrange(FIRST_NUMBER, self.last_number) for _ in range(READ_AMONG)]
        page, deep = "?status=OPEN", f"?status=OPEN&cursor={quote(self._deep_cursor())}"
        new = {
            "title": "The projector in room 204 flickers",
            "description": " ".join(["Since this morning it goes dark every few minutes."] * 6),
            "category": "INCIDENT",
            "priority": "P3",
            "environment": None,
            "affected_service": "Meeting rooms",
            "impact_level": None,
            "tags": ["projector", "room"],
        }
        said = {"content": " ".join(["We will send somebody up to have a look at it before noon."] * 3)}
        return [
            self._scenario("one ticket", "GET", [f"/tickets/{number}" for number in numbers], 4000),
            self._scenario("list of 50, first page", "GET", [f"/tickets{page}"], 400),
            self._scenario("list of 50, deep", "GET", [f"/tickets{deep}"], 400),
            self._scenario("create", "POST", ["/tickets"], 300, new),
            self._scenario("reply", "POST", [f"/tickets/{number}/comments" for number in numbers], 300, said),
        ]

    def _deep_cursor(self) -> str:
        """Return the cursor half-way down the open tickets, followed page by page."""
        cursors: list[str] = []
        page = msgspec.json.decode(self.asked("/tickets?status=OPEN&limit=200"))
        while page["next_cursor"]:
            cursors.append(page["next_cursor"])
            page = msgspec.json.decode(self.asked(f"/tickets?status=OPEN&limit=200&cursor={quote(cursors[-1])}"))
        return cursors[len(cursors) // 2]

    def asked(self, path: str) -> bytes:
        return ask(self.desk.port, "GET", "/api/v1" + path, {"Authorization": f"Bearer {self.token}"})[1]

    def _scenario(
        self, name: str, method: str, paths: list[str], count: int, body: Mapping[str, Any] | None = None
    ) -> Scenario:
        desk = [_request(method, "/api/v1" + path, body, self.token) for path in paths]
        return Scenario(name, desk, [_request(method, path, body) for path in paths], count)

    def require_same_answers(self, scenario: Scenario) -> None:
        """Stop unless both servers answer alike: the same bytes where they read (but for whose list a cursor is of)."""
        ours, theirs = (
            exchange(server.port, requests[0])
            for server, requests in ((self.desk, scenario.desk), (self.baseline, scenario.baseline))
        )
        parsed = [msgspec.json.decode(body) for body in (ours, theirs)]
        for body in parsed:
            body.pop("next_cursor", None)
        alike = parsed[0] == parsed[1] if scenario.reads else list(parsed[0]) == list(parsed[1])
        if not alike or len(ours) != len(theirs):
            raise SystemExit(f"{scenario.name}: the answers differ:\n{ours.decode()}\n{theirs.decode()}")

    def compare(self, scenario: Scenario, rounds: int) -> Comparison:
        """Run both in turn, whoever begins changing from round to round, after a warm-up that is not counted."""
        comparison = Comparison(scenario.name)
        sides = [(self.desk, scenario.desk, comparison.desk), (self.baseline, scenario.baseline, comparison.baseline)]
        for turn in range(rounds + 1):
            for server, requests, measured in sides if turn % 2 else reversed(sides):
                count = scenario.count if turn else scenario.count // 4
                before = server.cpu_seconds()
                result = self.load.run(Run(server.port, CONNECTIONS, count, requests))
                cpu = server.cpu_seconds() - before
                if any(status >= 300 for status in result.statuses):
                    raise SystemExit(f"{scenario.name}: answers were {result.statuses}")
                if turn:
                    measured.add(cpu / count, count / result.seconds, result.p99_ms)
        return comparison


def _request(method: str, path: str, body: Mapping[str, Any] | None, token: str | None = None) -> bytes:
    content = msgspec.json.encode(body) if body else b""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content
