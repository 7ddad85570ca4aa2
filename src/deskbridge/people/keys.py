"""The public keys of an external auth service (JWKS): fetched when first needed, kept, and fetched again in time."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import msgspec
import structlog

from deskbridge.kit.clock import Clock
from deskbridge.kit.outbound import GuardedTransport, Outbound, OutboundError

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
WELL_KNOWN = "/.well-known/jwks.json"
LIFETIME = timedelta(hours=1)
PATIENCE = timedelta(seconds=30)
MAX_KEYS, MAX_ANSWER = 50, 256 * 1024
READ_SECONDS = 5.0

log = structlog.get_logger(__name__)


class KeySet:
    """The keys by their ids. Of a service that cannot be reached, the keys last seen go on counting.

    `url` is the service's address, or that of the document itself when it ends in `.json`. It is what the operator set,
    so it may be a private one.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        parts = urlsplit(url)
        self._path = parts.path if parts.path.endswith(".json") else parts.path.rstrip("/") + WELL_KNOWN
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 443)
        transport = GuardedTransport([f"{parts.hostname}:{port}"])
        self._server = Outbound(f"{parts.scheme}://{parts.netloc}", transport, read_seconds=READ_SECONDS)
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._lock = threading.Lock()

    def get(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """Return the key of this id if it is one for this algorithm; no network."""
        key = self._keys.get(kid)
        return key if key is not None and key.algorithm_name == algorithm else None

    def wants_fetch(self, kid: str) -> bool:
        """Tell whether to fetch before looking for a key: unknown ones are asked for once in `PATIENCE`."""
        if self._fetched_at is None:
            return True
        age = self._clock.now() - self._fetched_at
        return age >= (PATIENCE if kid not in self._keys else LIFETIME)

    def fetch(self, kid: str) -> None:
        """Fetch the keys, one caller at a time; blocks for seconds at most. A failure is logged and leaves the keys."""
        with self._lock:
            if not self.wants_fetch(kid):
                return
            self._fetched_at = self._clock.now()
            try:
                answer = self._server.call("GET", self._path, max_answer=MAX_ANSWER)
                if answer.status != 200:
                    raise ValueError(f"status {answer.status}")
                self._keys = _read(answer.body)
            except (OutboundError, ValueError, msgspec.DecodeError) as error:
                log.warning("auth_service.keys_not_fetched", reason=str(error)[:200])


def _read(body: bytes) -> dict[str, jwt.PyJWK]:
    """Return the signing keys of a JWKS document; those of other kinds are left out."""
    document = msgspec.json.decode(body, type=dict[str, Any])
    keys: dict[str, jwt.PyJWK] = {}
    for entry in list(document.get("keys") or [])[:MAX_KEYS]:
        algorithm = next((name for name, kind in ALGORITHMS.items() if _is(entry, name, kind)), None)
        if algorithm is None:
            continue
        try:
            keys[str(entry["kid"])] = jwt.PyJWK(entry, algorithm)
        except jwt.PyJWTError:
            continue
    return keys


def _is(entry: Any, algorithm: str, kind: str) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kty") == kind
        and entry.get("alg", algorithm) == algorithm
        and entry.get("use", "sig") == "sig"
        and "kid" in entry
    )
