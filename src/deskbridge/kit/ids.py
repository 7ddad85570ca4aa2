"""Identifiers and secrets."""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a UUIDv7: unique, and ordered by the time of the call within this process."""
    return uuid7()


def derived_id(at: datetime, *parts: str, place: int = 0) -> UUID:
    """Return the one UUIDv7 of something that has its identity (`parts`) and its time elsewhere.

    The same call always gives the same id. Ids of one millisecond are in order of `place`, below 2**20.
    """
    milliseconds = int(at.timestamp() * 1000)
    tail = int.from_bytes(hashlib.sha256(msgspec.json.encode(parts)).digest()[:7], "big") & ((1 << 54) - 1)
    high = milliseconds << 80 | 0x7 << 76 | (place >> 8 & 0xFFF) << 64
    return UUID(int=high | 0b10 << 62 | (place & 0xFF) << 54 | tail)


def new_secret(prefix: str = "") -> str:
    """Return 256 random bits as URL-safe text, after `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def fingerprint(secret: str) -> bytes:
    """Return the SHA-256 of a secret: what the database keeps in its place, compared byte for byte."""
    return hashlib.sha256(secret.encode()).digest()
