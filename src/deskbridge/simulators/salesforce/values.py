"""What clients may write into a field, and how Salesforce keeps it; moments as Salesforce writes and reads them."""

import base64
import binascii
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from deskbridge.simulators.salesforce import ids
from deskbridge.simulators.salesforce.errors import SaveError, UnparsableError
from deskbridge.simulators.salesforce.schema import Field

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def stamp(moment: datetime) -> str:
    """A moment as Salesforce writes it: UTC, whole seconds under a pretence of milliseconds. Sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def moment(text: str) -> datetime:
    """A stored stamp as an aware datetime."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def stored(field: Field, value: object) -> Any:
    """A JSON value as the field keeps it (None for an empty one); SaveError or UnparsableError when it cannot.

    Text loses the blanks around it, references become 18 characters long, numbers are rounded to the field's scale.
    """
    if value is None:
        return False if field.type == "boolean" else None
    if field.type == "boolean":
        return _boolean(value)
    if field.type == "double":
        return _number(field, value)
    if field.type == "base64":
        return _bytes(field, value)
    text = _text(field, value)
    return _checked(field, text) if text else None


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise UnparsableError(_undeserialisable("boolean", value))


def _number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnparsableError(_undeserialisable("double", value))
    most = 10 ** (field.digits - field.scale)
    if not -most < value < most:
        message = f"{field.title}: value outside of valid range on numeric field: {str(value)[:40]}"
        raise SaveError("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
    step = Decimal(1).scaleb(-field.scale)
    return float(Decimal(str(value)).quantize(step, ROUND_HALF_UP))


def _bytes(field: Field, value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise UnparsableError(_undeserialisable("base64Binary", value))
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        message = f"{field.name}: Value is not a valid base64 encoded string"
        raise UnparsableError(message) from None


def _text(field: Field, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise UnparsableError(_undeserialisable("reference" if field.type == "reference" else "string", value))
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise UnparsableError(f"Invalid UTF-16 surrogate detected in the value of {field.name}")
    return value.strip()


def _checked(field: Field, text: str) -> str:
    if field.type == "reference":
        return _reference(field, text)
    size = len(text.encode()) if field.bytes_limited else len(text)
    if size > field.length:
        message = f"{field.title}: data value too large: {text[:80]} (max length={field.length})"
        raise SaveError("STRING_TOO_LONG", message, field.name)
    if field.type == "email" and not _EMAIL.fullmatch(text):
        message = f"{field.title}: invalid email address: {text}"
        raise SaveError("INVALID_EMAIL_ADDRESS", message, field.name)
    return _choice(field, text) if field.choices else text


def _reference(field: Field, text: str) -> str:
    record_id = ids.normalise(text)
    if record_id is None:
        message = f"{field.title}: id value of incorrect type: {text[:80]}"
        raise SaveError("MALFORMED_ID", message, field.name)
    return record_id


def _choice(field: Field, text: str) -> str:
    """A picklist's value in its own spelling; only a restricted picklist refuses others."""
    known = next((choice.value for choice in field.choices if choice.value.casefold() == text.casefold()), None)
    if known is None and field.restricted:
        message = f"{field.title}: bad value for restricted picklist field: {text[:80]}"
        raise SaveError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)
    return known or text


def _undeserialisable(kind: str, value: object) -> str:
    tokens = {dict: "START_OBJECT", list: "START_ARRAY", str: "VALUE_STRING", bool: "VALUE_TRUE"}
    token = tokens.get(type(value), "VALUE_NUMBER")
    shown = f" value {str(value)[:80]}" if isinstance(value, (str, int, float)) else ""
    return f"Cannot deserialize instance of {kind} from {token}{shown} or request may be missing a required field"


def unique_key(value: object) -> str | None:
    """What makes a value of a unique text field unique: `ABC` and `abc` are the same."""
    return None if value is None else str(value).casefold()
