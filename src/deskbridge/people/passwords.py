"""Passwords: argon2id, computed away from the event loop and never more than a few at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from deskbridge.kit.errors import FieldError, Invalid

MIN_LENGTH, MAX_LENGTH = 10, 200
AT_ONCE = 2

_hasher = PasswordHasher()
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
_nobody = _hasher.hash("the password of nobody: compared with where there is no account, so that both take as long")


def require_good_password(password: str, field: str = "password") -> None:
    """Raise `Invalid` for a password that is too short or too long; length is the only rule, as NIST advises."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise Invalid([FieldError(field, f"Use {MIN_LENGTH} to {MAX_LENGTH} characters.")])


def hash_password(password: str) -> str:
    """Return the argon2id hash; takes tens of milliseconds of one core."""
    return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Tell whether this is the password; takes as long when there is no hash."""
    try:
        _hasher.verify(password_hash or _nobody, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


async def hash_in_background(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_pool, hash_password, password)


async def check_in_background(password_hash: str | None, password: str) -> bool:
    return await asyncio.get_running_loop().run_in_executor(_pool, is_password, password_hash, password)
