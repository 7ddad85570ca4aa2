"""Places in the order of events, as the readers of streams get them: sealed.

A reader hands its last one back to go on from there. How far apart two are would tell a customer how much is going on
that they do not see, so none can be told from any other; and only what we sealed is believed.
"""

import base64
import hashlib
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
PLACE = struct.Struct(">q")
LONGEST = 100


class Bookmarks:
    """Seals and opens places with a key that all web processes share."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"live stream:" + secret).digest())

    def seal(self, place: int) -> bytes:
        """Return a place as text; each call another one."""
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, PLACE.pack(place), None)
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=")

    def open(self, text: str) -> int | None:
        """Return the place that was sealed; None for anything else."""
        if len(text) > LONGEST:
            return None
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            (place,) = PLACE.unpack(self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None))
        except (ValueError, InvalidTag):
            return None
        found: int = place
        return found
