"""Salesforce's errors: always a JSON list of `{"message", "errorCode", "fields"}`, whatever the status."""

from collections.abc import Sequence
from typing import Any

from deskbridge.simulators.wire import Pairs, Response, json_response


class ApiError(Exception):
    """One refusal. `fields` None leaves the key out, as Salesforce does for errors that concern no record."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] | None = None, headers: Pairs = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = headers

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return body if self.fields is None else body | {"fields": list(self.fields)}

    def as_save_error(self) -> dict[str, Any]:
        """The shape used for each record of an sObject collection."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields or [])}


class SaveError(ApiError):
    """A record that cannot be stored as given."""

    def __init__(self, code: str, message: str, *fields: str) -> None:
        super().__init__(400, code, message, fields)


class NotFoundError(ApiError):
    def __init__(self, message: str = "The requested resource does not exist", code: str = "NOT_FOUND") -> None:
        super().__init__(404, code, message)


class UnparsableError(ApiError):
    """A request body that is not the JSON which this call takes."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "JSON_PARSER_ERROR", message)


def unsupported(what: str) -> ApiError:
    """A part of the real API that this simulator leaves out, refused by its name."""
    return NotFoundError(f"The requested resource does not exist: {what} is not part of this simulated org")


def error_response(error: ApiError) -> Response:
    return json_response(error.status, [error.as_json()], error.headers, media="application/json;charset=UTF-8")
