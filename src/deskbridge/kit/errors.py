"""What can go wrong, said as facts of the domain: a code, a sentence, data. No HTTP here; each door renders them."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One thing wrong with one field of the input; `field` is its name as the caller wrote it, dotted when nested."""

    field: str
    message: str


class DomainError(Exception):
    """The base of every error a caller can act on.

    `detail` is a sentence for a person; `data` is added to the answer as it is and never holds internals.
    """

    code: ClassVar[str] = "ERROR"
    summary: ClassVar[str] = "Something went wrong."

    def __init__(self, detail: str = "", *, data: Mapping[str, object] | None = None) -> None:
        super().__init__(detail or self.summary)
        self.detail = detail or self.summary
        self.data: Mapping[str, object] = data or {}


class Malformed(DomainError):
    """The request could not be read at all: broken JSON, a parameter of the wrong form, a cursor of another list."""

    code = "MALFORMED_REQUEST"
    summary = "The request could not be read."

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = list(errors)


class Invalid(DomainError):
    """The input was read and is wrong; every bad field is named at once."""

    code = "VALIDATION_FAILED"
    summary = "Some fields are not right."

    def __init__(self, errors: Sequence[FieldError], detail: str = "") -> None:
        super().__init__(detail or "; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = list(errors)


class Unauthenticated(DomainError):
    """Nobody is signed in, or the credentials are wrong, expired or revoked."""

    code = "UNAUTHENTICATED"
    summary = "Sign in first."


class Forbidden(DomainError):
    """The thing is visible to the actor, the action is not theirs."""

    code = "FORBIDDEN"
    summary = "You are not allowed to do this."


class NotFound(DomainError):
    """There is no such thing, or none that the actor may see: the two are never told apart."""

    code = "NOT_FOUND"
    summary = "There is nothing here under this address."


class Conflict(DomainError):
    """The action does not fit the present state of things."""

    code = "CONFLICT"
    summary = "This does not fit the present state."


class PreconditionFailed(DomainError):
    """The version named in `If-Match` is not the present one; `data` holds the present one."""

    code = "PRECONDITION_FAILED"
    summary = "Somebody changed this in the meantime. Read it again and repeat your change."


def require_version(expected: int | None, present: int) -> None:
    """Raise `PreconditionFailed` when the caller has seen another version than the present one; None is any."""
    if expected is not None and expected != present:
        raise PreconditionFailed(data={"version": present})


class TooLarge(DomainError):
    """The body or the file is over the limit, which `detail` names."""

    code = "TOO_LARGE"
    summary = "This is too large."


class UnsupportedMedia(DomainError):
    """The content type is not one this address reads."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    summary = "This kind of content is not accepted here."


class RateLimited(DomainError):
    """Too many tries; `retry_after` is in whole seconds."""

    code = "RATE_LIMITED"
    summary = "Too many tries. Wait a little."

    def __init__(self, retry_after: int, detail: str = "") -> None:
        super().__init__(detail or f"Too many tries. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class Unavailable(DomainError):
    """The desk itself cannot work just now (its database is away or overloaded); the same call may succeed later."""

    code = "UNAVAILABLE"
    summary = "The desk cannot answer just now. Try again in a moment."
