"""What all connectors share: how every kind of answer ends, what is never sent, and what goes nowhere else."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.connectors.remote import CLIENT, TOKEN, USER

from deskbridge.connectors.shared import (
    Account,
    Api,
    Line,
    Reply,
    Site,
    Way,
    exactly,
    is_json,
    multipart,
    require_signature,
    said,
)
from deskbridge.kit.clock import ManualClock
from deskbridge.kit.outbound import MAX_ANSWER, Answer, GuardedTransport
from deskbridge.sync.connector import AuthFailed, Failure, NewAttachment, Rejected, RetryLater, Unknown

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


def _refusal(answer: Answer) -> Failure | None:
    return Rejected(said(answer)) if is_json(answer) else None


def _api(handler: Handler, account: Account = TOKEN, rate: float = 100.0, burst: float = 100.0) -> Api:
    clock = ManualClock(NOW)
    line = Line(httpx.MockTransport(handler), clock, clock.advance)
    site = Site("https://tracker.example.org", account)
    return Api(site, line, rate=rate, burst=burst, refusal=_refusal, token_path="/token")


def _always(status: int, text: str = "", headers: dict[str, str] | None = None) -> Handler:
    return lambda request: httpx.Response(status, text=text, headers=headers)


def _id(reply: Reply) -> str:
    return str(reply.data["id"])


HTML = "<html><script>let secret = 1</script><h1>Sorry</h1></html>"


@pytest.mark.parametrize(
    ("status", "text", "read", "write"),
    [
        (200, "", RetryLater, Unknown),
        (200, HTML, RetryLater, Unknown),
        (200, '{"id": "1"', RetryLater, Unknown),
        (200, '{"other": 1}', RetryLater, Unknown),
        (200, "[" * 100_000, RetryLater, Unknown),
        (301, "", RetryLater, Unknown),
        (400, "{}", Rejected, Rejected),
        (400, HTML, RetryLater, Rejected),
        (401, "{}", AuthFailed, AuthFailed),
        (403, HTML, RetryLater, Rejected),
        (404, HTML, RetryLater, Rejected),
        (408, "", RetryLater, Unknown),
        (429, "", RetryLater, RetryLater),
        (500, "{}", RetryLater, Unknown),
        (502, HTML, RetryLater, Unknown),
        (503, HTML, RetryLater, Unknown),
        (503, "{}", RetryLater, RetryLater),
    ],
)
def test_every_answer_ends_as_what_its_caller_is_to_do(
    status: int, text: str, read: type[Failure], write: type[Failure]
) -> None:
    with pytest.raises(Failure) as failure:
        _api(_always(status, text)).read("/x", _id)
    assert type(failure.value) is read
    with pytest.raises(Failure) as failure:
        _api(_always(status, text)).write("POST", "/x", _id, json={})
    assert type(failure.value) is write
    assert "secret" not in failure.value.reason


@pytest.mark.parametrize(
    ("error", "write"),
    [
        (httpx.ConnectError("refused"), RetryLater),
        (httpx.ConnectTimeout("slow"), RetryLater),
        (httpx.ReadTimeout("slow"), Unknown),
        (httpx.RemoteProtocolError("hung up"), Unknown),
        (httpx.WriteError("reset"), Unknown),
    ],
)
def test_no_answer_is_unknown_only_when_something_was_sent(error: Exception, write: type[Failure]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(RetryLater):
        _api(handler).read("/x", _id)
    with pytest.raises(Failure) as failure:
        _api(handler).write("POST", "/x", _id, json={})
    assert type(failure.value) is write


def test_an_answer_without_end_is_not_read_to_it() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    with pytest.raises(RetryLater, match=str(MAX_ANSWER)):
        _api(lambda request: httpx.Response(200, content=endless())).read("/x", _id)


def test_an_address_that_is_not_public_is_for_the_operator_to_allow() -> None:
    clock = ManualClock(NOW)
    line = Line(GuardedTransport(), clock, clock.advance)
    api = Api(Site("http://127.0.0.1:9", TOKEN), line, rate=1, burst=1, refusal=_refusal)
    with pytest.raises(AuthFailed, match="OUTBOUND_ALLOW"):
        api.read("/x", _id)


def test_only_the_trackers_own_404_means_gone() -> None:
    assert _api(_always(404, '{"error": "gone"}')).look("/x", _id) is None
    with pytest.raises(RetryLater):
        _api(_always(404, HTML)).look("/x", _id)


def test_a_404_that_means_a_right_is_missing_is_no_record_gone() -> None:
    clock = ManualClock(NOW)
    line = Line(httpx.MockTransport(_always(404, "{}")), clock, clock.advance)
    site = Site("https://tracker.example.org", TOKEN)
    api = Api(site, line, rate=9, burst=9, refusal=lambda _: AuthFailed("the whole project is closed to us"))
    with pytest.raises(AuthFailed):
        api.look("/x", _id)


# Signing in


def test_basic_and_bearer_are_sent_as_such() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={"id": "1"})

    for account in (USER, TOKEN):
        _api(handler, account).read("/x", _id)
    assert seen == ["Basic ZGVza0BleGFtcGxlLm9yZzpkZXNrLXRva2Vu", "Bearer desk-token"]


@pytest.mark.parametrize("secret", ["tökén", "two words", "a\nb: c", ""])
def test_what_no_header_can_carry_is_no_token_and_is_not_sent(secret: str) -> None:
    with pytest.raises(AuthFailed) as failure:
        _api(_always(200, '{"id": "1"}'), Account(Way.BEARER, secret)).read("/x", _id)
    assert not secret or secret not in failure.value.reason


class _Tokens:
    """A tracker that takes the token it issued last, while `is_open`."""

    def __init__(self) -> None:
        self.issued = 0
        self.calls: list[str] = []
        self.is_open = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url.path)
        request.read()
        if request.url.path == "/token":
            self.issued += 1
            return httpx.Response(200, json={"access_token": f"token-{self.issued}"})
        good = self.is_open and request.headers["Authorization"] == f"Bearer token-{self.issued}"
        return httpx.Response(200 if good else 401, json={"id": "1"})


def test_a_token_is_kept_and_renewed_once_when_it_ran_out() -> None:  # 21
    tracker = _Tokens()
    api = _api(tracker, CLIENT)
    assert [api.read("/x", _id), api.write("POST", "/x", _id, json={})] == ["1", "1"]
    assert tracker.calls == ["/token", "/x", "/x"]
    tracker.issued += 1  # what we have is worth nothing now
    assert api.write("POST", "/x", _id, json={}) == "1"
    assert tracker.calls[3:] == ["/x", "/token", "/x"]


def test_a_renewed_token_that_is_refused_too_is_the_end() -> None:  # 21
    tracker = _Tokens()
    api = _api(tracker, CLIENT)
    api.read("/x", _id)
    tracker.is_open = False
    with pytest.raises(AuthFailed):
        api.read("/x", _id)
    assert tracker.calls[2:] == ["/x", "/token", "/x"]


def test_a_file_is_not_sent_again_for_a_token_since_its_chunks_are_gone() -> None:
    tracker = _Tokens()
    api = _api(tracker, CLIENT)
    api.read("/x", _id)
    tracker.issued += 1
    with pytest.raises(RetryLater):
        api.write("POST", "/x", _id, content=iter([b"a"]))
    assert tracker.calls[2:] == ["/x"]
    assert api.write("POST", "/x", _id, content=iter([b"a"])) == "1"


def test_a_client_whose_secret_is_refused_has_to_be_authorised_anew() -> None:
    with pytest.raises(AuthFailed) as failure:
        _api(_always(400, '{"error": "invalid_client"}'), CLIENT).read("/x", _id)
    assert "desk-secret" not in failure.value.reason
    with pytest.raises(RetryLater):
        _api(_always(503), CLIENT).write("POST", "/x", _id, json={})


def test_credentials_are_in_no_representation() -> None:
    assert "desk-token" not in repr(Site("https://x", TOKEN, webhook_secret="hush"))
    assert "hush" not in repr(Site("https://x", TOKEN, webhook_secret="hush"))


# Pace


def test_our_own_pace_is_kept_by_waiting() -> None:
    api = _api(_always(200, '{"id": "1"}'), rate=2, burst=2)
    for _ in range(6):
        api.read("/x", _id)
    assert api.clock.now() - NOW == timedelta(seconds=2)


def test_told_to_wait_nothing_is_sent_before_and_everything_after() -> None:  # 19
    answers = [httpx.Response(429, headers={"Retry-After": "30"}), httpx.Response(200, json={"id": "1"})]
    api = _api(lambda request: answers.pop(0))
    with pytest.raises(RetryLater):
        api.read("/x", _id)
    with pytest.raises(RetryLater) as told:
        api.write("POST", "/x", _id, json={})
    assert told.value.after == timedelta(seconds=30)
    assert len(answers) == 1
    assert isinstance(api.clock, ManualClock)
    api.clock.advance(timedelta(seconds=30))
    assert api.read("/x", _id) == "1"


@pytest.mark.parametrize("status", [403, 429])
def test_a_tracker_may_say_in_its_own_words_that_it_wants_us_to_wait(status: int) -> None:
    clock = ManualClock(NOW)
    answer = httpx.Response(status, json={}, headers={"Retry-After": "9"})
    line = Line(httpx.MockTransport(lambda request: answer), clock, clock.advance)
    words = RetryLater("the hour's calls are used up", quota=True)
    api = Api(Site("https://tracker.example.org", TOKEN), line, rate=9, burst=9, refusal=lambda _: words)
    with pytest.raises(RetryLater) as told:
        api.write("POST", "/x", _id, json={})
    assert (told.value.after, told.value.quota) == (timedelta(seconds=9), True)


# Files


def test_a_files_content_cannot_end_its_form() -> None:
    content = b"a\r\n--+++--\r\nb"
    file = NewAttachment('x"\r\ny.txt', "text/plain\r\nX: y", len(content), iter([content]))
    headers, chunks = multipart("file", file, [("resource", "{}")])
    body = b"".join(chunks)
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()
    assert len(body) == int(headers["Content-Length"])
    assert body.count(b"--" + boundary) == 3
    assert body.split(b"\r\n\r\n", 2)[2] == content + b"\r\n--" + boundary + b"--\r\n"
    assert b'filename="x%22%0D%0Ay.txt"' in body
    assert b"\r\nX: y" not in body


@pytest.mark.parametrize("size", [3, 5])
def test_a_file_of_another_length_is_refused_while_it_is_sent(size: int) -> None:
    with pytest.raises(Rejected):
        list(exactly(NewAttachment("a.txt", "text/plain", size, iter([b"te", b"xt"]))))


def test_a_download_is_bounded_and_its_redirects_lead_nowhere() -> None:
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if request.url.path == "/long":
            return httpx.Response(200, content=b"x" * 11)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example.org/"})

    with pytest.raises(RetryLater), _api(handler).open("/moved", 10) as chunks:
        b"".join(chunks)
    with pytest.raises(Rejected), _api(handler).open("/long", 10) as chunks:
        b"".join(chunks)
    with _api(handler).open("/long", 11) as chunks:
        assert b"".join(chunks) == b"x" * 11
    assert set(hosts) == {"tracker.example.org"}


# Webhooks


def test_a_signature_is_of_the_raw_body_and_of_the_secret() -> None:  # 11
    body = b'{"a": 1}'
    good = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    require_signature("hush", body, f"sha256={good}")
    require_signature("hush", body, good.upper())
    for secret, raw, given in (
        ("hush", body + b" ", good),
        ("other", body, good),
        ("hush", body, ""),
        ("", body, good),
    ):
        with pytest.raises(AuthFailed):
            require_signature(secret, raw, given)
    with pytest.raises(AuthFailed):
        require_signature("hush", body, "sha256=é")
