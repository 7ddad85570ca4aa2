"""Streams that are taken up again where they were, and files that are sent again from where they began."""

import io
from itertools import islice

import httpx
import pytest
from tests.client.conftest import Scripted

from deskbridge.client import AnswerLost, Frame, Upload
from deskbridge.client.calls import TRIES, Call, Calls
from deskbridge.client.stream import frames_of

STREAM = Call("GET", "/api/v1/stream")


def calls(*script: httpx.Response | Exception) -> tuple[Calls, Scripted]:
    desk = Scripted(list(script))
    return Calls("http://desk.test", "t", desk, desk.waited.append), desk


def stream(text: str) -> httpx.Response:
    return httpx.Response(200, content=text.encode())


def test_frames_are_read_as_the_standard_says() -> None:
    text = ": heartbeat\n\nid: 7\nevent: TicketOpened\ndata: {\ndata: }\n\ndata:plain\n\nid: 8\nevent: cut\ndata: off"
    assert list(frames_of(text.splitlines())) == [Frame("7", "TicketOpened", "{\n}"), Frame("7", "message", "plain")]


def test_a_stream_goes_on_where_it_was() -> None:
    one, desk = calls(
        stream("id: 1\ndata: a\n\nid: 2\ndata: b\n\n"),
        httpx.ReadError("cut"),
        httpx.Response(503),
        stream("data: c\n\n"),
    )
    assert [frame.data for frame in islice(one.frames(STREAM), 3)] == ["a", "b", "c"]
    assert [request.headers.get("last-event-id") for request in desk.asked] == [None, "2", "2", "2"]


def test_a_stream_that_never_comes_ends_in_its_error() -> None:
    one, desk = calls(*[httpx.ReadError("cut")] * 100)
    with pytest.raises(AnswerLost):
        next(one.frames(STREAM))
    assert len(desk.asked) <= TRIES * (TRIES + 1)


def test_a_stream_that_brings_nothing_ends_too() -> None:
    one, _ = calls(*[stream("") for _ in range(TRIES + 1)])
    with pytest.raises(AnswerLost, match="nothing"):
        next(one.frames(STREAM))


def test_a_file_is_sent_again_from_where_it_began() -> None:
    one, desk = calls(httpx.ReadError("cut"), httpx.Response(201, json={"sent": True}))
    content = io.BytesIO(b"kept")
    sent = Call("POST", "/a", body={"is_internal": True}, files={"file": Upload("n.txt", content)}, key="k")
    assert one.answer(sent, dict[str, bool]) == {"sent": True}
    first, second = (request.content for request in desk.asked)
    assert b"\r\nkept\r\n" in first
    assert b"\r\nkept\r\n" in second
    assert b'name="is_internal"\r\n\r\ntrue' in first
    assert b'filename="n.txt"' in first
