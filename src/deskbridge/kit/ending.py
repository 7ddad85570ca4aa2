"""Being told to end: what never ends by itself has to hear of it before the server waits for it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def before_ending(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` on the running loop when this process is told to end, while the block lasts.

    Whoever has answered those signals so far, such as the server, still does. Elsewhere than on the main thread no
    signal arrives, so that nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    answered_by = {number: signal.getsignal(number) for number in SIGNALS}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        earlier = answered_by[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in SIGNALS:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, earlier in answered_by.items():
            signal.signal(number, earlier)
