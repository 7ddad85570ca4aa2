"""Polarion's time amounts: `1w 2d 3h 30m`, whole, decimal or fractional (`5 1/2d`).

A week has 5 days, a day 8 hours.
"""

import re
from fractions import Fraction

_MINUTES = {"w": 5 * 8 * 60, "d": 8 * 60, "h": 60, "m": 1}
_AMOUNT = re.compile(r"(?:(\d{1,9}(?:\.\d{1,6})?)|(?:(\d{1,9})\s+)?(\d{1,9})/(\d{1,9}))\s*([wdhm])\s*")


def parse_minutes(text: str) -> Fraction | None:
    """The minutes in `text`, exactly; None when it is not a time amount."""
    total = Fraction(0)
    at = 0
    text = text.strip()
    while at < len(text):
        match = _AMOUNT.match(text, at)
        if match is None or (match[4] is not None and int(match[4]) == 0):
            return None
        plain, whole, numerator, denominator, unit = match.groups()
        amount = Fraction(plain) if plain else Fraction(int(whole or 0)) + Fraction(int(numerator), int(denominator))
        total += amount * _MINUTES[unit]
        at = match.end()
    return total if text else None


def format_minutes(minutes: Fraction) -> str:
    """The amount in days, hours and minutes: `1d 2h 30m`; a part of a minute stays a fraction."""
    days, rest = divmod(minutes, _MINUTES["d"])
    hours, rest = divmod(rest, _MINUTES["h"])
    whole, part = divmod(rest, 1)
    spelled = [f"{amount}{unit}" for amount, unit in ((days, "d"), (hours, "h")) if amount]
    if whole or part:
        spelled.append(
            " ".join(text for text in (str(whole) if whole else "", str(part) if part else "") if text) + "m"
        )
    return " ".join(spelled) or "0h"
