"""What can go wrong when the desk is called, named by what the caller can do about it."""

from collections.abc import Mapping, Sequence

import httpx
import msgspec

from deskbridge.kit.clock import SystemClock
from deskbridge.kit.errors import FieldError
from deskbridge.kit.outbound import retry_after


class ClientError(Exception):
    """The base of every error a call can end with; its text holds no secret."""


class NotReached(ClientError):
    """The desk was never reached: nothing happened there."""


class AnswerLost(ClientError):
    """The desk may have heard the call; what became of it is not known."""


class UnreadableAnswer(ClientError):
    """Something answered, but not with what the desk's API answers: perhaps the address is not a desk's."""


class Refused(ClientError):
    """The desk refused the call.

    `status` is HTTP's, `code` one of docs/reference/errors.md, `detail` a sentence, `fields` the bad fields, `data`
    what else the answer says, `retry_after` the seconds to wait where the desk names them.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        fields: Sequence[FieldError] = (),
        data: Mapping[str, object] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in fields) or detail)
        self.status, self.code, self.detail = status, code, detail
        self.fields, self.data, self.retry_after = list(fields), data or {}, retry_after


def refusal(response: httpx.Response) -> Refused:
    """Return what an answer of 400 or above says; a proxy's page instead of our JSON says little."""
    wait = retry_after(response.headers, SystemClock().now())
    seconds = None if wait is None else wait.total_seconds()
    try:
        body = msgspec.json.decode(response.content, type=dict[str, object])
        fields = msgspec.convert(body.pop("errors", []), list[dict[str, str]])
        found = [FieldError(field["field"], field["message"]) for field in fields]
        detail, code = str(body.pop("detail")), str(body.pop("error_code"))
    except (msgspec.MsgspecError, KeyError):
        detail = f"The desk answered {response.status_code} {response.reason_phrase}."
        return Refused(response.status_code, "UNKNOWN", detail, retry_after=seconds)
    return Refused(response.status_code, code, detail, found, body, seconds)
