"""Access: the one way a door over HTTP reaches a use case.

It reads the credentials of a request (a bearer token or the session cookie), and hands the use case to the database
runner; who is acting is looked up in the same transaction that then does the work.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from jwt import PyJWK
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit import idempotency
from deskbridge.kit.db import Desk, Reader, UnitOfWork
from deskbridge.kit.errors import DomainError, Forbidden, Unauthenticated
from deskbridge.kit.http import JSON_TYPE, encode, etag
from deskbridge.kit.ids import fingerprint
from deskbridge.kit.pace import Pace
from deskbridge.people import queries, service
from deskbridge.people.actor import Actor
from deskbridge.people.keys import KeySet
from deskbridge.people.tokens import ForeignToken, OwnToken, TokenReader, signed_by
from deskbridge.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

COOKIE = "deskbridge_session"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class SessionCredential:
    """The digest of a session cookie's secret."""

    digest: bytes


@dataclass(frozen=True)
class ApiTokenCredential:
    """The digest of a personal API token."""

    digest: bytes
    writes: bool


KeptCredential = SessionCredential | ApiTokenCredential
"""What has a row of its own, which tells when it was last used."""

Credential = OwnToken | ForeignToken | KeptCredential


class Access:
    """Runs use cases for whoever sent a request."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self.desk = desk
        self.settings = settings
        self._tokens = TokenReader(settings.JWT_SECRET_KEY.get_secret_value())
        self._form_key = settings.SECRET_KEY.get_secret_value().encode()
        self._trust_admin = settings.AUTH_PROVISION_ADMIN
        url = settings.AUTH_SERVICE_URL
        self._keys = KeySet(url, desk.database.clock) if url else None
        self._pace = Pace(settings.person_limit, desk.database.clock)

    # Who is asking

    def credential(self, request: Request) -> Credential:
        """Return what a request identifies itself with; raises `Unauthenticated` if nothing, or nothing usable."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            if token.startswith(service.API_TOKEN_PREFIX):
                return ApiTokenCredential(fingerprint(token), writes=request.method not in SAFE_METHODS)
            token = token.strip()
            return self._tokens.read(token, self.desk.database.clock.now(), self._public_key(token))
        if scheme:
            raise Unauthenticated("Send the access token as `Authorization: Bearer …`.")
        secret = request.cookies.get(COOKIE)
        if not secret:
            raise Unauthenticated
        return SessionCredential(fingerprint(secret))

    def _public_key(self, token: str) -> PyJWK | None:
        signed = signed_by(token) if self._keys else None
        return self._keys.get(*signed) if self._keys and signed else None

    async def _known_credential(self, request: Request) -> Credential:
        """Return the credential of a request, once the auth service's key that signed it has been fetched."""
        if self._keys:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            signed = signed_by(token.strip()) if scheme.lower() == "bearer" else None
            if signed and self._keys.wants_fetch(signed[0]):
                await asyncio.to_thread(self._keys.fetch, signed[0])
        return self.credential(request)

    def _actor(self, reader: Reader, credential: Credential) -> Actor:
        match credential:
            case OwnToken():
                return queries.actor_of_token(reader, credential)
            case ForeignToken():
                return queries.actor_of_foreign_token(reader, credential, trust_admin=self._trust_admin)
            case SessionCredential() | ApiTokenCredential():
                return self._recent(reader, credential).actor

    def _recent(self, reader: Reader, credential: KeptCredential) -> queries.RecentActor:
        match credential:
            case SessionCredential(digest):
                return queries.actor_of_session(reader, digest)
            case ApiTokenCredential(digest, writes):
                return queries.actor_of_api_token(reader, digest, writes=writes)

    def _touch(self, uow: UnitOfWork, credential: KeptCredential) -> None:
        """Note that a session or a token is in use."""
        touch = service.touch_session if isinstance(credential, SessionCredential) else service.touch_api_token
        touch(uow, credential.digest)

    def _admitted(self, request: Request, actor: Actor) -> Actor:
        """Return the actor once their request is counted, however often it goes to the database.

        Raises `RateLimited`. The access log finds here whose request it was.
        """
        if getattr(request.state, "actor_id", None) is None:
            request.state.actor_id = str(actor.id)
            self._pace.take(str(actor.id))
        return actor

    async def _provisioning(self, credential: Credential, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run an attempt; the first time somebody comes from the external auth service, add them and run it again."""
        try:
            return await attempt()
        except queries.UnknownForeigner:
            if not isinstance(credential, ForeignToken):
                raise
            await self.desk.write(service.provision, credential, trust_admin=self._trust_admin)
            return await attempt()

    async def admit(self, request: Request) -> tuple[Credential, Actor]:
        """Return who sent a request, and by what that will be asked again of a connection that lasts."""
        actor = await self.read(request, lambda _reader, found: found)
        return await self._known_credential(request), actor

    # Running use cases

    async def read(
        self, request: Request, query: Callable[Concatenate[Reader, Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a short indexed query for whoever sent the request."""
        return await self._reading(request, self.desk.read, lambda reader, actor: query(reader, actor, *args, **kwargs))

    async def scan(
        self, request: Request, query: Callable[Concatenate[Reader, Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a query that may take long for whoever sent the request."""
        return await self._reading(request, self.desk.scan, lambda reader, actor: query(reader, actor, *args, **kwargs))

    async def _reading(self, request: Request, run: Any, query: Callable[[Reader, Actor], T]) -> T:
        credential = await self._known_credential(request)
        if isinstance(credential, KeptCredential):
            return await self._read_and_touch(request, credential, run, query)

        def as_actor(reader: Reader) -> T:
            return query(reader, self._admitted(request, self._actor(reader, credential)))

        return await self._provisioning(credential, lambda: run(as_actor))

    async def _read_and_touch(
        self, request: Request, credential: KeptCredential, run: Any, query: Callable[[Reader, Actor], T]
    ) -> T:
        """Run a query for a signed-in browser or an API token, and every few minutes note that it is in use."""

        def with_use(reader: Reader) -> tuple[T, bool]:
            recent = self._recent(reader, credential)
            return query(reader, self._admitted(request, recent.actor)), recent.stale

        result, stale = await run(with_use)
        if stale:
            await self.desk.write(self._touch, credential)
        found: T = result
        return found

    async def write(
        self,
        request: Request,
        use_case: Callable[Concatenate[UnitOfWork, Actor, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a use case for whoever sent the request."""
        credential = await self._known_credential(request)
        if isinstance(credential, SessionCredential):
            self.require_same_origin(request)

        def as_actor(uow: UnitOfWork) -> T:
            if not isinstance(credential, KeptCredential):
                return use_case(uow, self._admitted(request, self._actor(uow, credential)), *args, **kwargs)
            found = self._recent(uow, credential)
            if found.stale:
                self._touch(uow, credential)
            return use_case(uow, self._admitted(request, found.actor), *args, **kwargs)

        return await self._provisioning(credential, lambda: self.desk.write(as_actor))

    async def answer(
        self,
        request: Request,
        status: int | Callable[[Any], int],
        use_case: Callable[Concatenate[UnitOfWork, Actor, P], Any],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """Run a use case and answer with what it returns, once per `Idempotency-Key`.

        The status is given, or found from what is returned. A returned object with a `version` gets an `ETag`; None
        gives an empty body.
        """
        body = await request.body() if "idempotency-key" in request.headers else b""
        return await self.answer_to(request, body, status, use_case, *args, **kwargs)

    async def answer_to(
        self,
        request: Request,
        body: bytes,
        status: int | Callable[[Any], int],
        use_case: Callable[Concatenate[UnitOfWork, Actor, P], Any],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """Answer like `answer`, where `body` is what makes two requests the same: a digest of what was streamed."""
        key = request.headers.get("idempotency-key")
        if key is None:
            result = await self.write(request, use_case, *args, **kwargs)
            return _response(_status(status, result), *_rendered(result))
        stored_under, earlier = await self._claim(request, key, body)
        if earlier is not None:
            return earlier

        def once(uow: UnitOfWork, actor: Actor) -> tuple[int, bytes, str]:
            result = use_case(uow, actor, *args, **kwargs)
            answer = _status(status, result), *_rendered(result)
            idempotency.store(uow, stored_under, answer[0], answer[2], answer[1])
            return answer

        try:
            return _response(*await self.write(request, once))
        except DomainError:
            await self.desk.write(idempotency.release, stored_under)
            raise

    async def answer_in_parts(self, request: Request, work: Callable[[], Awaitable[Any]]) -> Response:
        """Run work that is many transactions and answer with what it returns, once per `Idempotency-Key`.

        The answer is stored after the work: if this process dies between them, the key is free again in a minute and
        the work is done anew, so it has to be such that doing it twice is doing it once.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return _response(200, *_rendered(await work()))
        stored_under, earlier = await self._claim(request, key, await request.body())
        if earlier is not None:
            return earlier
        try:
            body, tag = _rendered(await work())
        except DomainError:
            await self.desk.write(idempotency.release, stored_under)
            raise
        await self.desk.write(idempotency.store, stored_under, 200, tag, body)
        return _response(200, body, tag)

    async def _claim(self, request: Request, key: str, body: bytes) -> tuple[bytes, Response | None]:
        """Claim a key for a request; return what it is stored under, and the answer that was given under it before."""
        target = f"{request.method} {request.url.path}?{request.url.query}\n"
        digest = hashlib.sha256(target.encode() + body).digest()

        def claimed(uow: UnitOfWork, actor: Actor) -> tuple[bytes, Response | None]:
            stored_under = idempotency.storage_key(actor.id, key)
            earlier = idempotency.claim(uow, stored_under, digest)
            return stored_under, _replayed(earlier) if earlier else None

        return await self.write(request, claimed)

    # Forms

    def form_token(self, secret: str) -> str:
        """Return a token that forms of this session (or of this anonymous visitor's cookie) carry.

        Each is another: pages are compressed, and the size of a fixed token among chosen words would betray it.
        """
        return self._form_token(secret, secrets.token_hex(8))

    def _form_token(self, secret: str, salt: str) -> str:
        return salt + hmac.new(self._form_key, f"form:{salt}:{secret}".encode(), hashlib.sha256).hexdigest()[:32]

    def require_form_token(self, secret: str, token: str) -> None:
        """Raise `Forbidden` unless the form was made for this session."""
        if not hmac.compare_digest(self._form_token(secret, token[:16]).encode(), token.encode()):
            raise Forbidden("This form has expired. Load the page again and repeat.")

    def require_same_origin(self, request: Request) -> None:
        """Raise `Forbidden` when a browser says that another site sent this request."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        own = {self.settings.base_url, f"{request.url.scheme}://{request.headers.get('host', '')}"}
        if (site is not None and site not in {"same-origin", "none"}) or (origin is not None and origin not in own):
            raise Forbidden("This request came from another site.")
        if site is None and origin is None:
            raise Forbidden("Send a bearer token, or call from the desk's own pages.")


def _status(status: int | Callable[[Any], int], result: Any) -> int:
    return status(result) if callable(status) else status


def _rendered(result: Any) -> tuple[bytes, str]:
    """Return the body and the entity tag of a use case's result."""
    if result is None:
        return b"", ""
    version = getattr(result, "version", None)
    return encode(result), etag(version) if isinstance(version, int) else ""


def _response(status: int, body: bytes, tag: str) -> Response:
    headers = {"ETag": tag} if tag else None
    return Response(body, status, headers, JSON_TYPE if body else None)


def _replayed(earlier: idempotency.StoredAnswer) -> Response:
    response = _response(earlier.status or 200, earlier.body or b"", earlier.tag or "")
    response.headers["Idempotency-Replayed"] = "true"
    return response
