"""/composite: several calls in one, where later ones may refer to what earlier ones answered."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from deskbridge.simulators.salesforce.call import Call, mapping, reply
from deskbridge.simulators.salesforce.errors import ApiError, UnparsableError
from deskbridge.simulators.wire import Request, Response

MAX_CALLS = 25
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_METHODS = frozenset({"GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"})


class HaltedError(Exception):
    """With allOrNone, the first failure takes everything back; `answers` say what became of each call."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        super().__init__("rolled back")
        self.answers = answers


def composite(call: Call) -> Response:
    """POST /composite: at most 25 calls, answered in order; all or nothing when `allOrNone` says so."""
    body = call.body()
    wanted = _requests(body)
    all_or_none = body.get("allOrNone") is True
    try:
        with call.org.state.transaction():
            answers = _run(call, wanted, all_or_none=all_or_none)
    except HaltedError as halted:
        answers = halted.answers
    return reply({"compositeResponse": answers})


def _requests(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    wanted = body.get("compositeRequest")
    if not isinstance(wanted, list) or not wanted:
        raise UnparsableError("compositeRequest: a list of subrequests is required")
    if len(wanted) > MAX_CALLS:
        message = f"Cannot process more than {MAX_CALLS} subrequests in one composite call"
        raise ApiError(400, "INVALID_INPUT", message)
    checked = [_checked(entry) for entry in wanted]
    references = [entry["referenceId"] for entry in checked]
    twice = next((name for place, name in enumerate(references) if name in references[:place]), None)
    if twice is not None:
        raise ApiError(400, "INVALID_INPUT", f"The referenceId {twice} is used more than once")
    return checked


def _checked(entry: object) -> dict[str, Any]:
    wanted = mapping(entry)
    for name in ("method", "url", "referenceId"):
        if not isinstance(wanted.get(name), str):
            raise ApiError(400, "INVALID_INPUT", f"{name} is required in each subrequest")
    if wanted["method"].upper() not in _METHODS:
        raise ApiError(400, "INVALID_INPUT", f"HTTP method not supported in a subrequest: {wanted['method'][:20]}")
    if not wanted["url"].startswith("/services/data/") or "/composite" in wanted["url"].partition("?")[0]:
        raise ApiError(400, "INVALID_INPUT", f"Cannot be called in a composite: {wanted['url'][:200]}")
    return wanted


def _run(call: Call, wanted: list[dict[str, Any]], *, all_or_none: bool) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    known: dict[str, Any] = {}
    for entry in wanted:
        answer = _one(call, entry, known)
        answers.append(answer)
        failed = answer["httpStatusCode"] >= 400
        if not failed:
            known[entry["referenceId"]] = answer["body"]
        elif all_or_none:
            raise HaltedError(_rolled_back(wanted, answers))
    return answers


def _one(call: Call, entry: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    try:
        request = _request(call, entry, known)
    except ApiError as error:
        return _answer(entry, error.status, [error.as_json()], {})
    response = call.again(request, call.org)
    body = json.loads(response.body) if response.body else None
    return _answer(entry, response.status, body, {})


def _request(call: Call, entry: Mapping[str, Any], known: Mapping[str, Any]) -> Request:
    url = _resolved(entry["url"], known)
    path, _, query = str(url).partition("?")
    headers = {**call.request.headers, "content-type": "application/json"}
    given = entry.get("httpHeaders") or {}
    headers |= {name.lower(): str(value) for name, value in mapping(given).items()}
    body = json.dumps(_resolved(entry["body"], known)).encode() if entry.get("body") is not None else b""
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(entry["method"].upper(), path, pairs, headers, body, call.request.scheme)


def _resolved(value: Any, known: Mapping[str, Any]) -> Any:
    """A JSON value with each `@{reference.path}` replaced by what that call answered."""
    if isinstance(value, dict):
        return {name: _resolved(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    if match := _REFERENCE.fullmatch(value):
        return _looked_up(match, known)
    return _REFERENCE.sub(lambda match: str(_looked_up(match, known)), value)


def _looked_up(match: re.Match[str], known: Mapping[str, Any]) -> Any:
    name, steps = match.groups()
    try:
        value = known[name]
        for key, place in _STEP.findall(steps):
            value = value[key] if key else value[int(place)]
    except (KeyError, IndexError, TypeError):
        message = f"Invalid reference specified. No value for {name}{steps} found in {name}"
        raise ApiError(400, "PROCESSING_HALTED", message) from None
    return value


def _rolled_back(wanted: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each call answers when the last of `answers` failed: the failure itself, and that the rest was halted."""
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = [{"errorCode": "PROCESSING_HALTED", "message": message}]
    failed = len(answers) - 1
    return [
        answers[failed] if place == failed else _answer(entry, 400, halted, {}) for place, entry in enumerate(wanted)
    ]


def _answer(entry: Mapping[str, Any], status: int, body: object, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "body": body,
        "httpHeaders": headers,
        "httpStatusCode": status,
        "referenceId": entry["referenceId"],
    }
