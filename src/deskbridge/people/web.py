"""The web's doors to signing in and out, registering, one's profile and sessions."""

from functools import cache
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Conflict, Invalid, RateLimited, Unauthenticated
from deskbridge.kit.ids import fingerprint
from deskbridge.kit.pace import address_of
from deskbridge.people import passwords, queries, service
from deskbridge.people.access import COOKIE
from deskbridge.people.actor import Actor
from deskbridge.people.front import LANGUAGE_COOKIE, YEAR, complaints, front_of, local_path, see_other
from deskbridge.people.service import NewUser
from deskbridge.people.signin import check_password
from deskbridge.ui.languages import LANGUAGES, N_, said

router = APIRouter(include_in_schema=False)

LONGEST_NAME = 254
Fields = dict[str, str]


@router.get("/")
async def start(request: Request) -> Response:
    """Send everyone to where they begin: agents to the desk, customers to their requests."""
    actor = await front_of(request).visitor(request)
    return see_other(_home(actor) if actor else "/portal")


def _home(actor: Actor) -> str:
    return "/desk/tickets" if actor.is_agent else "/portal/tickets"


# Signing in and out


@router.get("/sign-in")
async def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - what it is called in addresses
    front = front_of(request)
    actor = await front.visitor(request)
    if actor is not None:
        return see_other(local_path(next))
    return _sign_in_page(request, {"next": local_path(next)})


def _sign_in_page(
    request: Request, sent: Fields, *, errors: Fields | None = None, problem: str = "", status: int = 200
) -> Response:
    context = {
        "sent": sent,
        "next": local_path(sent.get("next", "/")),
        "errors": errors or {},
        "problem": problem,
        "ended": COOKIE in request.cookies,
    }
    return front_of(request).form_page(request, "people/sign_in.html", context, status)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Check the password and start a session; its cookie is a new one, whatever the browser had before."""
    front = front_of(request)
    form = await front.form(request, signed_in=False)
    language = front.language(request)
    identifier, password = form.get("username", "").strip(), form.get("password", "")
    errors = _missing(language, identifier, password)
    if errors:
        return _sign_in_page(request, form, errors=errors, status=422)
    desk, address = front.access.desk, address_of(request)
    try:
        record = await check_password(desk, identifier, password, address)
    except (Unauthenticated, RateLimited) as error:
        status = 429 if isinstance(error, RateLimited) else 401
        return _sign_in_page(request, form, problem=said(language, error.detail), status=status)
    agent = request.headers.get("user-agent", "")
    secret = await desk.write(service.start_session, record.user_id, agent, address)
    response = see_other(local_path(form.get("next", "/")))
    front.set_cookie(response, COOKIE, secret, int(service.SESSION_LIFETIME.total_seconds()))
    return response


def _missing(language: str, identifier: str, password: str) -> Fields:
    errors = {}
    if not 1 <= len(identifier) <= LONGEST_NAME:
        errors["username"] = said(language, N_("Enter your e-mail address, phone number or customer ID."))
    if not 1 <= len(password) <= passwords.MAX_LENGTH:
        errors["password"] = said(language, N_("Enter your password."))
    return errors


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session; what the browser kept of its pages goes with it."""
    front = front_of(request)
    await front.form(request)
    if secret := request.cookies.get(COOKIE):
        await front.access.desk.write(service.end_session, fingerprint(secret))
    response = see_other("/portal")
    response.delete_cookie(COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


# Registering


@router.get("/register")
async def register_page(request: Request) -> Response:
    actor = await front_of(request).visitor(request)
    return see_other(_home(actor)) if actor else _register_page(request, {})


def _register_page(
    request: Request, sent: Fields, *, errors: Fields | None = None, problem: str = "", status: int = 200
) -> Response:
    context = {"sent": sent, "errors": errors or {}, "problem": problem}
    return front_of(request).form_page(request, "people/register.html", context, status)


@router.post("/register")
async def register(request: Request) -> Response:
    """Register a customer and sign them in."""
    front = front_of(request)
    form = await front.form(request, signed_in=False)
    password = form.pop("password", "")
    try:
        passwords.require_good_password(password)
        user_id = await _join(request, form, await passwords.hash_in_background(password))
    except Invalid as error:
        errors = complaints(front.language(request), error)
        return _register_page(request, form, errors=errors, status=422)
    except Conflict as error:
        problem = said(front.language(request), error.detail)
        return _register_page(request, form, problem=problem, status=409)
    agent = request.headers.get("user-agent", "")
    secret = await front.access.desk.write(service.start_session, user_id, agent, address_of(request))
    response = see_other("/portal/tickets/new")
    front.set_cookie(response, COOKIE, secret, int(service.SESSION_LIFETIME.total_seconds()))
    return response


async def _join(request: Request, form: Fields, password_hash: str) -> UUID:
    front = front_of(request)
    new = NewUser(
        name=form.get("name", ""),
        email=form.get("email") or None,
        phone=form.get("phone") or None,
        organisation=form.get("organisation", "")[:200],
        locale=front.language(request),
        time_zone=service.known_time_zone(form.get("time_zone", "")),
        password_hash=password_hash,
    )
    return (await front.access.desk.write(service.add_user, None, new)).id


# One's profile, language and sessions


@router.get("/profile")
async def profile_page(request: Request, saved: bool = False) -> Response:
    return await _profile_page(request, saved=saved)


async def _profile_page(
    request: Request,
    sent: Fields | None = None,
    errors: Fields | None = None,
    *,
    saved: bool = False,
    status: int = 200,
) -> Response:
    front = front_of(request)
    secret = request.cookies.get(COOKIE, "")
    actor, (person, sessions) = await front.read(request, _profile, fingerprint(secret))
    context = {
        "shell": "desk.html" if actor.is_agent else "portal.html",
        "person": person,
        "sessions": sessions,
        "sent": sent or {},
        "errors": errors or {},
        "saved": saved,
        "choices": {
            "languages": [(language.code, language.name) for language in LANGUAGES.values()],
            "time_zones": time_zones(),
        },
    }
    return front.page(request, actor, "people/profile.html", context, status)


@cache
def time_zones() -> list[tuple[str, str]]:
    """The time zones to choose from: those named after places, and UTC."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [(zone, zone.replace("_", " ")) for zone in ("UTC", *places)]


def _profile(reader: Reader, actor: Actor, current: bytes) -> tuple[queries.Profile, list[queries.SessionInfo]]:
    assert actor.id is not None
    return queries.profile(reader, actor.id), queries.sessions_of(reader, actor.id, current)


@router.post("/profile")
async def save_profile(request: Request) -> Response:
    """Keep the language and the time zone somebody chose."""
    front = front_of(request)
    form = await front.form(request)
    try:
        await front.write(request, service.change_settings, form.get("locale", ""), form.get("time_zone", ""))
    except Invalid as error:
        errors = complaints(front.language(request, await front.visitor(request)), error)
        return await _profile_page(request, form, errors, status=422)
    return see_other("/profile?saved=1")


@router.post("/sessions/{id}/end")
async def end_session(request: Request, session_id: Annotated[UUID, Path(alias="id")]) -> Response:
    """Sign another browser of one's own out."""
    front = front_of(request)
    await front.form(request)
    await front.write(request, service.revoke_session, session_id)
    return see_other("/profile?saved=1")


@router.post("/language")
async def choose_language(request: Request) -> Response:
    """Remember a language in this browser, and in the profile of somebody who is signed in."""
    front = front_of(request)
    front.access.require_same_origin(request)
    form = await request.form(max_files=0, max_fields=10)
    code, back = str(form.get("to", "")), local_path(str(form.get("back", "/")))
    response = see_other(back)
    if code in LANGUAGES:
        front.set_cookie(response, LANGUAGE_COOKIE, code, YEAR)
        if await front.visitor(request) is not None:
            await front.write(request, service.change_settings, code, None)
    return response
