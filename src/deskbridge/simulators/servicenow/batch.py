"""The Batch API: several requests in one, each answered for itself."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from deskbridge.simulators.servicenow.errors import bad_request
from deskbridge.simulators.servicenow.table_api import json_body
from deskbridge.simulators.wire import Request, Response, json_response

Handler = Callable[[Request], Response]


def run(request: Request, handle: Handler) -> Response:
    """Answer `{"batch_request_id", "rest_requests"}`; the ids come back as text, bodies travel as base64."""
    body = json_body(request)
    if not isinstance(body, dict) or not isinstance(body.get("rest_requests"), list):
        raise bad_request("Exception while reading request", "rest_requests is missing")
    serviced = [_serviced(request, item, handle) for item in body["rest_requests"]]
    answer = {"batch_request_id": str(body.get("batch_request_id", "")), "serviced_requests": serviced}
    return json_response(200, {**answer, "unserviced_requests": []})


def _serviced(outer: Request, item: object, handle: Handler) -> dict[str, Any]:
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("method", "url")):
        raise bad_request("Exception while reading request", "a rest_request needs id, method and url")
    response = handle(_inner(outer, item))
    return {
        "id": str(item.get("id", "")),
        "body": base64.b64encode(response.body).decode(),
        "status_code": response.status,
        "headers": [{"name": name, "value": value} for name, value in response.headers],
        "execution_time": 0,
    }


def _inner(outer: Request, item: Mapping[str, Any]) -> Request:
    """The request inside, from the same caller at the same address."""
    path, _, query = item["url"].partition("?")
    headers = {name: outer.header(name) for name in ("host", "authorization")}
    for pair in item.get("headers") or []:
        if isinstance(pair, dict) and str(pair.get("name", "")).lower() not in headers:
            headers[str(pair.get("name", "")).lower()] = str(pair.get("value", ""))
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(item["method"].upper(), path, pairs, headers, _body(item), outer.scheme)


def _body(item: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(item.get("body") or ""), validate=True)
    except binascii.Error as error:
        raise bad_request("Exception while reading request", f"body is not base64: {error}") from error
