"""Polarion's amounts of time: `1w 2d 3h 30m`, whole, decimal or fractional (`5 1/2d`)."""

import re
from fractions import Fraction

# A server fresh from the box counts days of eight hours and weeks of five days
_MINUTES = {"w": 5 * 8 * 60, "d": 8 * 60, "h": 60, "m": 1}
_AMOUNT = re.compile(r"(?:(\d{1,9}(?:\.\d{1,6})?)|(?:(\d{1,9})\s+)?(\d{1,9})/([1-9]\d{0,8}))\s*([wdhm])\s*")


def minutes_of(text: str) -> int:
    """Return an amount in whole minutes, the nearest; ValueError when it is none."""
    text, total, at = text.strip(), Fraction(0), 0
    while at < len(text):
        found = _AMOUNT.match(text, at)
        if found is None:
            raise ValueError("not an amount of time")
        plain, whole, numerator, denominator, unit = found.groups()
        amount = Fraction(plain) if plain else int(whole or 0) + Fraction(int(numerator), int(denominator))
        total += amount * _MINUTES[unit]
        at = found.end()
    return round(total)


def amount_of(minutes: int) -> str:
    """Return whole minutes in hours and minutes, which mean the same on every server."""
    hours, rest = divmod(minutes, 60)
    return " ".join(f"{count}{unit}" for count, unit in ((hours, "h"), (rest, "m")) if count) or "0h"
