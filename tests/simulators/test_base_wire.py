"""Requests and answers as values, routes, faults, and the outbox in virtual time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbridge.simulators import webhooks, wire
from deskbridge.simulators.clock import SettableClock
from deskbridge.simulators.faults import FaultBook, parse_rule
from deskbridge.simulators.routing import Routes
from deskbridge.simulators.store import State
from deskbridge.simulators.webhooks import RetryPolicy, Target
from deskbridge.simulators.wire import BadBodyError, Credentials, Request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = Target("http://127.0.0.1:9/", "")


def _multipart(body: bytes, boundary: str = "xyz") -> Request:
    return Request("POST", "/", headers={"content-type": f'multipart/form-data; boundary="{boundary}"'}, body=body)


def _part(disposition: str, content: bytes) -> bytes:
    return b"--xyz\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


@settings(deadline=None)
@given(st.binary(max_size=300).filter(lambda content: b"\r\n--xyz" not in b"\r\n" + content))
def test_multipart_keeps_every_byte(content: bytes) -> None:
    body = _part('name="file"; filename="a.bin"', content) + _part('name="note"', b"hello") + b"--xyz--\r\n"
    file, note = wire.multipart(_multipart(body))
    assert (file.name, file.filename, file.body) == ("file", "a.bin", content)
    assert (note.filename, note.body) == (None, b"hello")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="file"; filename="ü 🔥.txt"', "ü 🔥.txt"),
        ("name=\"file\"; filename*=utf-8''%C3%BC.txt", "ü.txt"),
        ('name="file"; filename="a\\"b.txt"', 'a"b.txt'),
    ],
)
def test_file_names_in_their_three_notations(disposition: str, name: str) -> None:
    (part,) = wire.multipart(_multipart(_part(disposition, b"x") + b"--xyz--\r\n"))
    assert part.filename == name


@pytest.mark.parametrize(
    "body", [b"", b"x", b"--xyz", b"--xyz\r\n\r\nx", b"--xyz\r\nbad header\r\n\r\nx\r\n--xyz--\r\n"]
)
def test_what_is_no_multipart_body_is_refused(body: bytes) -> None:
    with pytest.raises(BadBodyError):
        wire.multipart(_multipart(body))


@pytest.mark.parametrize("media", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_other_kinds_of_body_are_no_multipart(media: str) -> None:
    with pytest.raises(BadBodyError):
        wire.multipart(Request("POST", "/", headers={"content-type": media}))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer  abc ", Credentials("bearer", "", "abc")),
        ("basic YTpiOmM=", Credentials("basic", "a", "b:c")),
        ("Basic %%%", None),
        ("Basic /w==", None),
        ("Negotiate x", None),
        ("", None),
    ],
)
def test_credentials(header: str, found: Credentials | None) -> None:
    assert wire.credentials(Request("GET", "/", headers={"authorization": header})) == found


@pytest.mark.parametrize("body", [b"{", b"NaN", b"[1e400]", b"-Infinity", b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_json(body: bytes) -> None:
    with pytest.raises(BadBodyError):
        Request("POST", "/", body=body).json()


def test_routes_decode_segments_and_know_the_other_methods() -> None:
    routes = Routes([("GET", "/a/{key}/b", 1), ("PUT", "/a/{key}/b", 2), ("GET", "/files/{rest*}", 3)])
    found = routes.match("GET", "/a/x%2Fy/b")
    assert found is not None
    assert (found.target, found.params) == (1, {"key": "x/y"})
    assert routes.match("POST", "/a/x/b") is None
    assert routes.methods("/a/x/b") == ["GET", "PUT"]
    assert routes.match("GET", "/a/x/y/b") is None
    rest = routes.match("GET", "/files/a/b.txt")
    assert rest is not None
    assert rest.params == {"rest": "a/b.txt"}


def test_every_matching_rule_counts_but_only_the_first_due_strikes() -> None:
    book = FaultBook([parse_rule({"fault": "hang", "match": {"nth": 2}}), parse_rule({"fault": "slow", "times": 2})])
    kinds = [fault.kind if (fault := book.decide(Request("GET", "/"))) else "" for _ in range(5)]
    assert kinds == ["slow", "hang", "slow", "", ""]


def test_a_rule_concerns_its_method_and_path_only() -> None:
    book = FaultBook([parse_rule({"fault": "hang", "match": {"method": "post", "path": "/issue$"}})])
    asked = [Request("GET", "/issue"), Request("POST", "/issue/1"), Request("POST", "/issue")]
    assert [book.decide(request) is not None for request in asked] == [False, False, True]


def test_the_clock_runs_shifted_or_stands_until_moved() -> None:
    clock = SettableClock(NOW)
    clock.advance(90)
    assert clock.now() == NOW + timedelta(seconds=90)
    clock.shift(-86400)
    assert clock.now() < datetime.now(UTC) - timedelta(hours=23)


def _emit(state: State, *texts: str) -> None:
    for text in texts:
        webhooks.emit(state, NOW, TARGET, text, [("X-Id", text)], text.encode())


def _due(state: State, seconds: float = 0) -> list[str]:
    return [delivery.event for delivery in webhooks.due(state, NOW + timedelta(seconds=seconds), RetryPolicy())]


def test_deliveries_are_due_in_order() -> None:
    state = State()
    _emit(state, *(f"{number}" for number in range(12)))
    assert _due(state) == [f"{number}" for number in range(12)]


def test_every_other_delivery_is_held_back_when_reordered() -> None:
    state = State()
    state.set("webhooks", {"reorder": True})
    _emit(state, "a", "b", "c", "d")
    assert _due(state) == ["b", "d"]
    assert _due(state, 2) == ["b", "d", "a", "c"]


def test_duplicates_carry_the_same_identifier() -> None:
    state = State()
    state.set("webhooks", {"duplicate": 2})
    _emit(state, "a")
    assert [delivery.headers for delivery in webhooks.due(state, NOW, RetryPolicy())] == [(("X-Id", "a"),)] * 3


def test_lost_deliveries_are_counted_down_or_all() -> None:
    state = State()
    state.set("webhooks", {"lose": 2})
    _emit(state, "a", "b", "c")
    assert _due(state) == ["c"]
    state.set("webhooks", {"lose": True})
    _emit(state, "d")
    assert _due(state) == ["c"]


def test_a_target_needs_an_address_and_to_be_enabled() -> None:
    state = State()
    assert webhooks.target(state) is None
    state.set("webhooks", {"url": "http://x", "secret": "s"})
    assert webhooks.target(state) == Target("http://x", "s")
    state.set("webhooks", {"url": "http://x", "enabled": False})
    assert webhooks.target(state) is None


def test_retries_follow_their_delays_and_then_end() -> None:
    state, policy = State(), RetryPolicy((5.0, 10.0))
    _emit(state, "a")
    moments = []
    now = NOW
    while moment := webhooks.next_due(state):
        now = moment
        (delivery,) = webhooks.due(state, now, policy)
        moments.append(now - NOW)
        webhooks.settle(state, delivery, None, now, policy)
    assert moments == [timedelta(), timedelta(seconds=5), timedelta(seconds=15)]
