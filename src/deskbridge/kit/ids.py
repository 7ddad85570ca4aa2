"""Identifiers and secrets."""

import hashlib
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a UUIDv7: unique, and ordered by the time of the call within this process."""
    return uuid7()


def new_secret(prefix: str = "") -> str:
    """Return 256 random bits as URL-safe text, after `prefix`."""
    return prefix + secrets.token_urlsafe(32)


def fingerprint(secret: str) -> bytes:
    """Return the SHA-256 of a secret: what the database keeps in its place, compared byte for byte."""
    return hashlib.sha256(secret.encode()).digest()
