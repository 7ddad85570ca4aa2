"""GitHub's own way to say no."""

from typing import Any

from deskbridge.simulators.wire import Pairs, Response, json_response

_DOCS = "https://docs.github.com/rest"


class RefusalError(Exception):
    """A failed call: a message, and for bad input what is wrong with which field."""

    def __init__(self, status: int, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    def response(self) -> Response:
        return refusal(self.status, self.message, self.errors)


def refusal(status: int, message: str, errors: list[dict[str, Any]] | None = None, headers: Pairs = ()) -> Response:
    body: dict[str, Any] = {"message": message}
    if errors is not None:
        body["errors"] = errors
    return json_response(status, {**body, "documentation_url": _DOCS, "status": str(status)}, headers)


def not_found() -> RefusalError:
    return RefusalError(404, "Not Found")


def invalid(field: str, value: object = None, *, code: str = "invalid", text: str = "") -> RefusalError:
    """422 Validation Failed, about one field of an issue."""
    error: dict[str, Any] = {"resource": "Issue", "field": field, "code": "custom" if text else code}
    if text:
        error["message"] = text
    elif value is not None:
        error["value"] = value
    return RefusalError(422, "Validation Failed", [error])
