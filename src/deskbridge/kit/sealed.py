"""Secrets that must be read again (a tracker's credentials), sealed with SECRET_KEY: AES-256-GCM, a nonce each."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deskbridge.kit.errors import Conflict

_FORM = b"\x01"
_NONCE = 12


class Unreadable(Conflict):
    """A sealed secret cannot be opened: it was sealed with another SECRET_KEY, for another place, or was altered."""

    code = "SECRET_UNREADABLE"
    summary = "A stored secret cannot be read with this SECRET_KEY. Enter the credentials again."


class Seal:
    """Seals and opens. What is sealed for one place (a row and a column, say) opens only there."""

    def __init__(self, secret_key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"deskbridge stored secrets").derive(secret_key.encode())
        self._cipher = AESGCM(derived)

    def seal(self, secret: str, place: str) -> bytes:
        """Return a secret as it may be stored."""
        nonce = secrets.token_bytes(_NONCE)
        return _FORM + nonce + self._cipher.encrypt(nonce, secret.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Return what was sealed; raises `Unreadable`."""
        try:
            if sealed[:1] != _FORM:
                raise Unreadable
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], place.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise Unreadable from error
