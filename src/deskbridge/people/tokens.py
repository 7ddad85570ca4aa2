"""Access tokens (JWT): ours, and those of an external auth service that shares our key."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from deskbridge.kit.errors import Unauthenticated
from deskbridge.kit.ids import fingerprint, new_id
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Role

ISSUER = "deskbridge"
ALGORITHM = "HS256"
PUBLIC_ALGORITHMS = ("RS256", "ES256")
ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=14)
FOREIGN_ROLES = {"DEVOPS_ENGINEER": Role.AGENT}
LAST_SECOND = datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp()
MAX_TOKEN_LENGTH = 8192
MAX_KEY_LENGTH = 200
MAX_KNOWN_TOKENS = 10_000


@dataclass(frozen=True)
class OwnToken:
    """A token we issued: the role is read from the database at each request, the family may have been revoked."""

    user_id: UUID
    family_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class ForeignToken:
    """A token of the external auth service; the person is keyed by (issuer, subject)."""

    issuer: str
    subject: str
    name: str
    email: str | None
    role: Role
    expires_at: datetime


def issue_access_token(
    key: str, user_id: UUID, name: str, email: str | None, role: Role, family_id: UUID, now: datetime
) -> str:
    """Return a signed access token that lives for `ACCESS_LIFETIME`."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": str(user_id),
        "username": name,
        "email": email,
        "role": role.value,
        "type": "access",
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFETIME).timestamp()),
        "jti": str(new_id()),
        "fam": str(family_id),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def signed_by(token: str) -> tuple[str, str] | None:
    """Return the key id and the algorithm of a token signed with a private key (RS256, ES256); None of any other."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return None
    return (str(header.get("kid", "")), header["alg"]) if header.get("alg") in PUBLIC_ALGORITHMS else None


class TokenReader:
    """Reads access tokens. One that our key signed is verified once, and known by its digest until it expires.

    One of the auth service's own keys is verified each time, since its keys come and go.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._known: dict[bytes, tuple[OwnToken | ForeignToken, float]] = {}

    def read(self, token: str, now: datetime, public_key: jwt.PyJWK | None = None) -> OwnToken | ForeignToken:
        """Return what a bearer token says; raises `Unauthenticated` for any that is not ours or our auth service's.

        With the `public_key` that `signed_by` asks for, the token is the auth service's and can never be one of ours.
        """
        if public_key is not None:
            return _verified(public_key, token, now)[0]
        digest = fingerprint(token)
        said, expires = self._known.get(digest, (None, 0.0))
        if said is None or expires <= now.timestamp():
            self._known.pop(digest, None)
            said, expires = _verified(self._key, token, now)
            self._remember(digest, said, expires)
        return said

    def _remember(self, digest: bytes, said: OwnToken | ForeignToken, expires: float) -> None:
        if len(self._known) >= MAX_KNOWN_TOKENS:
            del self._known[next(iter(self._known))]
        self._known[digest] = said, expires


def _verified(key: str | jwt.PyJWK, token: str, now: datetime) -> tuple[OwnToken | ForeignToken, float]:
    """Return what a token signed with this key says, and the timestamp it expires at."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise Unauthenticated("This access token is too long to be one.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM if isinstance(key, str) else key.algorithm_name],
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        expires = float(claims["exp"])
        if expires <= now.timestamp():
            raise Unauthenticated("This access token has expired.")
        if claims.get("type") != "access":
            raise Unauthenticated("This is not an access token.")
        own = claims.get("iss") == ISSUER
        if own and not isinstance(key, str):
            raise Unauthenticated("This access token is not valid.")
        return (_own(claims) if own else _foreign(claims)), expires
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError) as error:
        raise Unauthenticated("This access token is not valid.") from error


def _own(claims: dict[str, Any]) -> OwnToken:
    return OwnToken(UUID(claims["sub"]), UUID(claims["fam"]), _expiry(claims))


def _foreign(claims: dict[str, Any]) -> ForeignToken:
    role = str(claims.get("role", ""))
    email = clean_line(str(claims.get("email") or ""))
    subject = _key(claims["sub"])
    return ForeignToken(
        issuer=_key(claims.get("iss") or "auth-service"),
        subject=subject,
        name=(clean_line(str(claims.get("username") or "")) or email or subject)[:MAX_KEY_LENGTH],
        email=email[:254] or None,
        role=FOREIGN_ROLES.get(role) or Role(role),
        expires_at=_expiry(claims),
    )


def _expiry(claims: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(min(float(claims["exp"]), LAST_SECOND), UTC)


def _key(claim: object) -> str:
    """Return a claim that people are keyed by, whole: cut short or tidied up it could be somebody else's."""
    text = str(claim)
    if not 1 <= len(text) <= MAX_KEY_LENGTH or "\x00" in text:
        raise ValueError("not a usable issuer or subject")
    return text
