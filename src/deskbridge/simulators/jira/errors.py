"""Jira's own way to say no."""

from collections.abc import Mapping, Sequence

from deskbridge.simulators.wire import Pairs, Response, json_response

JSON = "application/json;charset=UTF-8"


class JiraError(Exception):
    """A failed call: `messages` concern the whole of it, `errors` single fields."""

    def __init__(
        self,
        status: int,
        messages: Sequence[str] = (),
        errors: Mapping[str, str] | None = None,
        headers: Pairs = (),
    ) -> None:
        super().__init__("; ".join([*messages, *(f"{field}: {text}" for field, text in (errors or {}).items())]))
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})
        self.headers = headers

    def response(self) -> Response:
        body = {"errorMessages": self.messages, "errors": self.errors}
        return json_response(self.status, body, self.headers, JSON)


def bad(message: str) -> JiraError:
    return JiraError(400, [message])


def bad_field(field: str, message: str) -> JiraError:
    return JiraError(400, errors={field: message})


def not_settable(field: str) -> JiraError:
    return bad_field(field, f"Field '{field}' cannot be set. It is not on the appropriate screen, or unknown.")


def not_found(message: str) -> JiraError:
    return JiraError(404, [message])


def no_issue() -> JiraError:
    return not_found("Issue does not exist or you do not have permission to see it.")


def unauthorized() -> Response:
    """401 as Jira sends it for wrong or missing credentials (not in the shape of its other errors)."""
    body = {"message": "Client must be authenticated to access this resource.", "status-code": 401}
    headers = [
        ("WWW-Authenticate", 'Basic realm="protected-area"'),
        ("X-Seraph-LoginReason", "AUTHENTICATED_FAILED"),
    ]
    return json_response(401, body, headers, JSON)


def captcha(base: str) -> Response:
    """403 of a Server site that no longer believes this user's password without a CAPTCHA in the browser."""
    headers = [
        ("X-Authentication-Denied-Reason", f"CAPTCHA_CHALLENGE; login-url={base}/login.jsp"),
        ("X-Seraph-LoginReason", "AUTHENTICATION_DENIED"),
    ]
    return json_response(
        403, {"errorMessages": ["Basic Authentication Failure - Reason : AUTHENTICATION_DENIED"]}, headers, JSON
    )
