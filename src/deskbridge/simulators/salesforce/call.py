"""What an endpoint is given, and how it reads a body and writes an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.salesforce import objects
from deskbridge.simulators.salesforce.errors import ApiError, NotFoundError, UnparsableError
from deskbridge.simulators.salesforce.org import Org
from deskbridge.simulators.salesforce.schema import SObject
from deskbridge.simulators.wire import BadBodyError, Pairs, Request, Response, json_response


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `again` answers another request as part of it (composite)."""

    request: Request
    org: Org
    params: Mapping[str, str]
    again: "Callable[[Request, Org], Response]"

    @property
    def sobject(self) -> SObject:
        """The object named in the path."""
        found = objects.find(self.params["sobject"])
        if found is None:
            raise NotFoundError
        return found

    def body(self) -> dict[str, Any]:
        """The body as a JSON object; 415 when it says it is something else."""
        media = self.request.header("content-type").split(";")[0].strip().lower()
        if media not in {"application/json", ""}:
            message = f"Unsupported media type: {media[:80]}. This request takes application/json"
            raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
        try:
            value = self.request.json()
        except BadBodyError as error:
            raise UnparsableError(str(error)) from error
        return mapping(value)


Endpoint = Callable[[Call], Response]


def mapping(value: object) -> dict[str, Any]:
    """A JSON value that must be an object."""
    if not isinstance(value, dict):
        token = "START_ARRAY" if isinstance(value, list) else "VALUE"
        raise UnparsableError(f"Cannot deserialize instance of an object from {token} value or the body is empty")
    return value


def reply(value: object, status: int = 200, headers: Pairs = ()) -> Response:
    return json_response(status, value, headers, media="application/json;charset=UTF-8")
