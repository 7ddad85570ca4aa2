"""Keyset paging: a cursor says after which row the next page begins, and which list it belongs to."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from deskbridge.kit.errors import FieldError, Malformed

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class Page(msgspec.Struct, Generic[T]):
    """One page of a list; `next_cursor` is None on the last."""

    items: list[T]
    next_cursor: str | None


class CountedPage(Page[T], Generic[T]):
    """A page with the number of all rows, counted up to a cap."""

    total: int
    total_capped: bool


def list_key(*parts: object) -> str:
    """Return the identity of a list (what it shows, filtered by what, in which order) for its cursors to carry."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def encode_cursor(key: str, position: Sequence[object]) -> str:
    """Return a cursor for the rows after `position`, the sort values of the last row shown."""
    return base64.urlsafe_b64encode(msgspec.json.encode([key, *position])).decode().rstrip("=")


def decode_cursor(key: str, cursor: str, types: Sequence[Any]) -> list[Any]:
    """Return the position in a cursor of this very list, its parts read as `types`; raises `Malformed` on any other."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts = msgspec.json.decode(raw, type=list[Any])
        if len(parts) != len(types) + 1 or parts[0] != key:
            raise ValueError("another list")
        return [_converted(part, kind) for part, kind in zip(parts[1:], types, strict=True)]
    except (ValueError, OverflowError, binascii.Error, msgspec.DecodeError, msgspec.ValidationError) as error:
        complaint = "This cursor belongs to another list, or is none. Start again without it."
        raise Malformed(complaint, errors=[FieldError("cursor", complaint)]) from error


def _converted(part: object, kind: Any) -> Any:
    """Return one sort value; it raises for what no row could have, as somebody may have written the cursor by hand."""
    value = msgspec.convert(part, kind)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)
    return value
