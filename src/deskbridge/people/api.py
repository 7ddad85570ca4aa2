"""The API's doors to signing in, to oneself, and to personal API tokens."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.api import OPEN, WITH_OR_WITHOUT, Body, Moment, Word, answers, unkeyed
from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import Forbidden, Unauthenticated
from deskbridge.kit.http import json_response, versioned_response
from deskbridge.kit.pace import address_of
from deskbridge.people import passwords, queries, service
from deskbridge.people.access import Access, ApiTokenCredential
from deskbridge.people.actor import Actor
from deskbridge.people.service import NewUser, Refreshed
from deskbridge.people.signin import check_password
from deskbridge.people.tokens import ACCESS_LIFETIME, OwnToken, issue_access_token

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])

SECRET_ANSWER = unkeyed("the answer is a secret, and kept nowhere.")


class Login(Body):
    username: Word = Field(max_length=254, description="E-mail address, phone number or customer ID.")
    password: str = Field(max_length=passwords.MAX_LENGTH)


class RefreshBody(Body):
    refresh_token: Word = Field(max_length=200)


class LogoutBody(Body):
    refresh_token: Word | None = Field(None, max_length=200)


class Registration(Body):
    name: Word = Field(max_length=200)
    email: Word | None = Field(None, max_length=254)
    phone: Word | None = Field(None, max_length=40)
    password: str = Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)
    address: Word = Field("", max_length=500)
    organisation: Word = Field("", max_length=200)
    locale: Word = "en"
    time_zone: Word = "UTC"


class TokenRequest(Body):
    name: Word = Field(min_length=1, max_length=100)
    scopes: list[Word] = Field(["read"], max_length=3, description="Any of read, write, admin.")
    expires_at: Moment | None = None


class Tokens(msgspec.Struct):
    """An API sign-in. `expires_in` is the access token's remaining life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "bearer"  # noqa: S105 - a scheme, not a secret


class TokenList(msgspec.Struct):
    """Personal API tokens, newest first."""

    items: list[queries.TokenInfo]


def access_of(request: Request) -> Access:
    """Return the application's way to its use cases."""
    access: Access = request.app.state.access
    return access


@router.post(
    "/login", responses=answers(200, Tokens, 400, 429), response_class=Response, openapi_extra=OPEN | SECRET_ANSWER
)
async def login(request: Request, body: Login) -> Response:
    """Sign in with an e-mail address, phone number or customer ID and a password."""
    access = access_of(request)
    record = await check_password(access.desk, body.username, body.password, address_of(request))
    family = await access.desk.write(service.start_token_family, record.user_id)
    return json_response(_tokens(access, family))


@router.post(
    "/refresh", responses=answers(200, Tokens, 400), response_class=Response, openapi_extra=OPEN | SECRET_ANSWER
)
async def refresh(request: Request, body: RefreshBody) -> Response:
    """Trade a refresh token, once, for new tokens. Using one a second time ends the whole sign-in."""
    access = access_of(request)
    family = await access.desk.write(service.rotate_refresh_token, body.refresh_token)
    if family is None:
        raise Unauthenticated("This refresh token is not valid any more. Sign in again.")
    return json_response(_tokens(access, family))


def _tokens(access: Access, family: Refreshed) -> Tokens:
    user = family.user
    token = issue_access_token(
        access.settings.JWT_SECRET_KEY.get_secret_value(),
        user.id,
        user.name,
        user.email,
        user.role,
        family.family_id,
        access.desk.database.clock.now(),
    )
    return Tokens(token, family.refresh_token, int(ACCESS_LIFETIME.total_seconds()))


@router.post(
    "/logout",
    status_code=204,
    responses=answers(204, None, 400),
    response_class=Response,
    openapi_extra=WITH_OR_WITHOUT | unkeyed("what has ended stays so."),
)
async def logout(request: Request, body: LogoutBody | None = None) -> Response:
    """End this sign-in: its access and refresh tokens are refused from now on."""
    access = access_of(request)
    if body is not None and body.refresh_token:
        await access.desk.write(service.revoke_family_of_refresh_token, body.refresh_token)
        return Response(status_code=204)
    credential = access.credential(request)
    if not isinstance(credential, OwnToken):
        raise Unauthenticated("Send the access token, or the refresh token, of the sign-in to end.")
    await access.desk.write(service.revoke_token_family, credential.family_id)
    return Response(status_code=204)


@router.post(
    "/register",
    status_code=201,
    responses=answers(201, queries.Profile, 400, 409),
    response_class=Response,
    openapi_extra=OPEN | unkeyed("nobody is signed in, and a second registration finds its address in use."),
)
async def register(request: Request, body: Registration) -> Response:
    """Register as a customer."""
    password_hash = await passwords.hash_in_background(body.password)
    new = NewUser(**body.model_dump(exclude={"password"}), password_hash=password_hash)

    def join(uow: UnitOfWork) -> queries.Profile:
        return queries.profile(uow, service.add_user(uow, None, new).id)

    return versioned_response(await access_of(request).desk.write(join), 201)


@router.get("/me", responses=answers(200, queries.Profile), response_class=Response)
async def me(request: Request) -> Response:
    """Return who is signed in."""

    def own_profile(reader: Reader, actor: Actor) -> queries.Profile:
        return queries.profile(reader, _own_id(actor))

    return versioned_response(await access_of(request).read(request, own_profile))


@router.get("/tokens", responses=answers(200, TokenList), response_class=Response)
async def list_tokens(request: Request) -> Response:
    """Return one's own personal API tokens, without their secrets."""

    def own_tokens(reader: Reader, actor: Actor) -> TokenList:
        return TokenList(queries.api_tokens_of(reader, _own_id(actor)))

    return json_response(await access_of(request).read(request, own_tokens))


@router.post(
    "/tokens",
    status_code=201,
    responses=answers(201, service.NewApiToken, 400, 403),
    response_class=Response,
    openapi_extra=SECRET_ANSWER,
)
async def create_token(request: Request, body: TokenRequest) -> Response:
    """Make a personal API token. This answer is the only time its secret is shown; another token cannot ask for it."""
    access = access_of(request)
    if isinstance(access.credential(request), ApiTokenCredential):
        raise Forbidden("Sign in to make a token: one token makes no other.")
    made = await access.write(request, service.create_api_token, body.name, body.scopes, body.expires_at)
    return json_response(made, 201)


@router.delete("/tokens/{id}", status_code=204, responses=answers(204, None, 400, 404), response_class=Response)
async def revoke_token(request: Request, token_id: Annotated[UUID, Path(alias="id")]) -> Response:
    """Revoke one of one's own personal API tokens."""
    return await access_of(request).answer(request, 204, service.revoke_api_token, token_id)


def _own_id(actor: Actor) -> UUID:
    if actor.id is None:
        raise Unauthenticated
    return actor.id
