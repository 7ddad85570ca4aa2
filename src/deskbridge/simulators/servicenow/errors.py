"""Failures as a ServiceNow instance words them."""

from deskbridge.simulators.wire import Pairs, Response, json_response


class FailureError(Exception):
    """An answer other than success: `message` and `detail` become the instance's error body."""

    def __init__(self, status: int, message: str, detail: str | None = None, headers: Pairs = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.headers = headers

    def response(self) -> Response:
        body = {"error": {"message": self.message, "detail": self.detail}, "status": "failure"}
        return json_response(self.status, body, self.headers)


def not_authenticated(realm: str = "BASIC") -> FailureError:
    header = ("WWW-Authenticate", f'{realm} realm="Service-now"')
    return FailureError(401, "User Not Authenticated", "Required to provide Auth information", [header])


def not_found() -> FailureError:
    return FailureError(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def no_such_resource() -> FailureError:
    return FailureError(400, "Requested URI does not represent any resource")


def invalid_table(name: str) -> FailureError:
    return FailureError(400, f"Invalid table {name}")


def bad_request(message: str, detail: str | None = None) -> FailureError:
    return FailureError(400, message, detail)


def acl(operation: str) -> FailureError:
    """`operation` is Insert, Update or Delete."""
    return FailureError(403, "Operation Failed", f"ACL Exception {operation} Failed due to security constraints")


def data_policy(labels: list[str]) -> FailureError:
    """Mandatory fields are missing, named by their labels."""
    detail = f"Data Policy Exception: The following fields are mandatory: {', '.join(labels)}"
    return FailureError(403, "Operation Failed", detail)


def aborted(table: str, rule: str, reason: str) -> FailureError:
    """A before business rule set an error message and aborted the action."""
    detail = f"Operation against file '{table}' was aborted by Business Rule '{rule}'. {reason}"
    return FailureError(403, "Operation Failed", detail)


def duplicate(sys_id: str) -> FailureError:
    detail = f"Unique Key violation detected by database (Duplicate entry '{sys_id}' for key 'PRIMARY')"
    return FailureError(403, "Operation Failed", detail)
