"""Salesforce record ids: three characters for the object, twelve for the record, three that spell out their case."""

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_INSTANCE = "Sx"
"""Two characters that every id of one org shares."""


def make(prefix: str, number: int) -> str:
    """The 18-character id of the n-th record of an object; ids of one object sort in the order of their numbers."""
    short = f"{prefix}{_INSTANCE}{_base62(number):0>10}"
    return short + _suffix(short)


def normalise(text: str) -> str | None:
    """An id of 15 or 18 characters as the one with 18; None when it is no id (a wrong check suffix included)."""
    if not _ID.fullmatch(text):
        return None
    short, given = text[:15], text[15:]
    full = short + _suffix(short)
    return full if not given or given.upper() == full[15:] else None


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def _suffix(short: str) -> str:
    """One character per five: which of them are upper case, so that ids survive a tool that folds case."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECK[sum(1 << place for place, char in enumerate(chunk) if char.isupper())] for chunk in chunks)
