"""The load: a process of its own that keeps some connections busy with prepared requests, one after the other on each.

`Load` starts it and speaks with it: one JSON line per run on its standard input, one per result on its output.
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from types import TracebackType
from typing import Self, cast

import httptools
import msgspec
import uvloop


class Run(msgspec.Struct):
    """`count` requests over `connections` connections to a port of this machine.

    The `requests` are raw HTTP/1.1, taken in turn, and from the first again when they are used up.
    """

    port: int
    connections: int
    count: int
    requests: list[bytes]


class Result(msgspec.Struct):
    """What a run took in seconds, how many answers of each status it got, and the latencies in milliseconds."""

    seconds: float
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float


class Load:
    """The load's process, as the bench sees it."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.load"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def run(self, run: Run) -> Result:
        """Send the requests of one run and return once the last is answered."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(run) + b"\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self.process.stdout.readline(), type=Result)


class Connection(asyncio.Protocol):
    """One kept-alive connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], statuses: Counter[int]) -> None:
        self.requests, self.latencies, self.statuses = requests, latencies, statuses
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self.parser = httptools.HttpResponseParser(self)
        self._send_next()

    def _send_next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            self.finished.set_result(None)
            return
        self.started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.latencies.append(time.perf_counter() - self.started)
        self.statuses[self.parser.get_status_code()] += 1
        self._send_next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(ConnectionError("the server closed a connection with an answer outstanding"))


async def _perform(run: Run) -> Result:
    requests = islice(cycle(run.requests), run.count)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: Connection(requests, latencies, statuses), "127.0.0.1", run.port)
        for _ in range(run.connections)
    ]
    await asyncio.gather(*(connection.finished for _, connection in opened))
    seconds = time.perf_counter() - started
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    return Result(seconds, dict(statuses), p50, p99)


def main() -> None:
    for line in sys.stdin.buffer:
        result = uvloop.run(_perform(msgspec.json.decode(line, type=Run)))
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
