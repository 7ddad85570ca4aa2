"""Text as people write it, brought into the one form we keep."""

import re
import unicodedata

import phonenumbers

INVISIBLE = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b\u2060\ufeff]")


def clean_line(text: str) -> str:
    """Return one line: composed characters, no control or zero-width ones, single spaces, none around."""
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def clean_text(text: str) -> str:
    """Return running text with its line breaks as \\n and without control characters."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return INVISIBLE.sub("", text).strip()


def email_key(email: str) -> str:
    """Return what two spellings of one mail address have in common."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def parse_phone(text: str) -> str | None:
    """Return a phone number in E.164 (`+390471123456`), or None if it is none; it must carry its country code."""
    candidate = text.strip()
    if candidate.startswith("00"):
        candidate = "+" + candidate[2:]
    try:
        number = phonenumbers.parse(candidate, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
