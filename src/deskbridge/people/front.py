"""What the web's doors share: who is looking, forms that were made for them, pages, and errors as pages."""

import gzip
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import DomainError, Forbidden, Invalid, Unauthenticated, Unavailable
from deskbridge.kit.http import error_headers, status_of
from deskbridge.kit.http_headers import PAGE_POLICY
from deskbridge.kit.ids import new_secret
from deskbridge.people.access import COOKIE, Access
from deskbridge.people.actor import Actor
from deskbridge.ui.assets import Assets, takes_gzip
from deskbridge.ui.languages import N_, choose, said
from deskbridge.ui.pages import Pages, View

P = ParamSpec("P")
T = TypeVar("T")

VISITOR_COOKIE = "deskbridge_visitor"
LANGUAGE_COOKIE = "deskbridge_language"
YEAR = 365 * 24 * 3600
SMALLEST_ZIPPED = 600  # bytes; below, gzip gains nothing

PROBLEMS: Mapping[int, str] = {
    400: N_("We could not read that"),
    403: N_("You may not do this"),
    404: N_("There is nothing here"),
    405: N_("This address does not take that"),
    409: N_("That does not fit any more"),
    413: N_("That is too large"),
    429: N_("Too many tries"),
    500: N_("Something went wrong on our side"),
    503: N_("The desk cannot answer just now"),
}


class Front:
    """The web's side of the application: pages for whoever is looking, with forms that only they can send."""

    def __init__(self, access: Access, assets: Assets, *, guided: bool = False) -> None:
        self.access, self.guided = access, guided
        self.pages = Pages(assets)
        self._speculation = f'"{assets.url("speculation.json")}"'

    # Who is looking

    async def visitor(self, request: Request) -> Actor | None:
        """Return who is signed in, or None."""
        try:
            return await self.access.read(request, _who)
        except Unauthenticated:
            return None

    async def require_signed_in(self, request: Request) -> None:
        """Raise `Unauthenticated` unless somebody is signed in: asked before a body is read."""
        await self.access.read(request, _who)

    async def read(
        self, request: Request, query: Callable[Concatenate[Reader, Actor, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Actor, T]:
        """Run a query for whoever is signed in; return them with its result."""

        def with_actor(reader: Reader, actor: Actor) -> tuple[Actor, T]:
            return actor, query(reader, actor, *args, **kwargs)

        return await self.access.read(request, with_actor)

    async def write(
        self,
        request: Request,
        use_case: Callable[Concatenate[UnitOfWork, Actor, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a use case for whoever is signed in."""
        return await self.access.write(request, use_case, *args, **kwargs)

    # Forms

    async def form(self, request: Request, *, signed_in: bool = True) -> dict[str, str]:
        """Return the fields of a form that we made for this browser; raises `Forbidden` for any other.

        Of a field that was sent more than once the last counts; `many` returns all. Where somebody has to be
        `signed_in`, nobody being it is `Unauthenticated`.
        """
        if signed_in and COOKIE not in request.cookies:
            raise Unauthenticated
        form = await self._checked_form(request)
        return {name: value for name, value in form.multi_items() if isinstance(value, str) and name != "csrf_token"}

    async def many(self, request: Request, name: str) -> list[str]:
        """Return every value of a field of a form that we made for this browser."""
        form = await self._checked_form(request)
        return [value for value in form.getlist(name) if isinstance(value, str)]

    def fields(self, request: Request, form: FormData) -> dict[str, str]:
        """Return the fields of a form that was read with its files; raises `Forbidden` for one that is not ours."""
        self.access.require_same_origin(request)
        self._require_token(request, form)
        return {name: value for name, value in form.multi_items() if isinstance(value, str) and name != "csrf_token"}

    async def _checked_form(self, request: Request) -> FormData:
        self.access.require_same_origin(request)
        form = await request.form(max_files=0, max_fields=200)
        self._require_token(request, form)
        return form

    def _require_token(self, request: Request, form: FormData) -> None:
        token = form.get("csrf_token")
        secret = self._secret(request)
        if not secret or not isinstance(token, str):
            raise Forbidden(N_("This form has expired. Load the page again and repeat."))
        self.access.require_form_token(secret, token)

    def _secret(self, request: Request) -> str:
        """Return what ties forms to this browser: its session, or before that its visitor's cookie."""
        return request.cookies.get(COOKIE) or request.cookies.get(VISITOR_COOKIE) or ""

    # Pages

    def view(self, request: Request, actor: Actor | None) -> View:
        """Return how whoever is looking sees pages."""
        language = self.language(request, actor)
        secret = self._secret(request)
        return View(
            language=language,
            time_zone=actor.time_zone if actor else "UTC",
            path=request.url.path,
            csrf=self.access.form_token(secret) if secret else "",
            person=actor,
            guided=self.guided,
        )

    def language(self, request: Request, actor: Actor | None = None) -> str:
        """Return the language code of whoever is looking."""
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        return choose(actor.locale if actor else None, chosen, request.headers.get("accept-language", ""))

    def page(
        self,
        request: Request,
        actor: Actor | None,
        template: str,
        context: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Return a rendered page."""
        body = self.pages.render(template, context, self.view(request, actor))
        response = Response(body, status, headers, "text/html")
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["Vary"] = "Accept-Encoding, Cookie"
        if request.url.path.startswith("/desk/"):
            response.headers["Speculation-Rules"] = self._speculation
        return _zipped(request, response)

    def form_page(self, request: Request, template: str, context: Mapping[str, object], status: int = 200) -> Response:
        """Return a page with a form for somebody who is not signed in: the form is tied to a cookie of theirs."""
        secret = self._secret(request)
        if secret:
            return self.page(request, None, template, context, status)
        request.cookies[VISITOR_COOKIE] = new_secret()
        response = self.page(request, None, template, context, status)
        self.set_cookie(response, VISITOR_COOKIE, request.cookies[VISITOR_COOKIE])
        return response

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie that scripts cannot read; until the browser closes, or for so many seconds."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            secure=self.access.settings.base_url.startswith("https:"),
            httponly=True,
            samesite="lax",
        )

    # Errors

    async def refuse(self, request: Request, error: DomainError) -> Response:
        """Return an error as a page, or the way to the sign-in page where somebody has to sign in."""
        if isinstance(error, Unauthenticated):
            return to_sign_in(request)
        if isinstance(error, ForAgents) and request.method == "GET":
            return see_other(request.url.path.replace("/desk/", "/portal/", 1))
        actor = None if isinstance(error, Unavailable) else await self.visitor(request)
        return self._problem(request, actor, status_of(error), error.detail, headers=error_headers(error))

    def failed(self, request: Request, reference: str) -> Response:
        """Return the page for a fault of ours, with a number to quote."""
        return self._problem(request, None, 500, N_("We have been told, and look into it."), reference=reference)

    def _problem(
        self,
        request: Request,
        actor: Actor | None,
        status: int,
        text: str,
        *,
        reference: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        language = self.language(request, actor)
        title = said(language, PROBLEMS.get(status, PROBLEMS[400]))
        context = {"title": title, "text": said(language, text), "reference": reference}
        return self.page(request, actor, "error.html", context, status, headers)


def front_of(request: Request) -> Front:
    """Return the application's web side."""
    front: Front = request.app.state.front
    return front


def _who(_reader: Reader, actor: Actor) -> Actor:
    return actor


def _zipped(request: Request, response: Response) -> Response:
    """Compress a page for browsers that take it. Each page has other form tokens, so sizes tell nothing of them."""
    if len(response.body) >= SMALLEST_ZIPPED and takes_gzip(request.headers.get("accept-encoding", "")):
        response.body = gzip.compress(bytes(response.body), 5, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


class ForAgents(Forbidden):
    """A page of the desk was asked for by a customer; its twin on the portal may be what they look for."""

    summary = "The desk is for agents."


def require_agent(actor: Actor) -> None:
    """Raise `ForAgents` for a customer: the desk's pages show more than theirs do."""
    if not actor.is_agent:
        raise ForAgents


def see_other(path: str) -> Response:
    """Return the redirect that follows a form that was taken."""
    return RedirectResponse(path, 303)


def to_sign_in(request: Request) -> Response:
    """Send the browser to the sign-in page, and from there back to what it was looking at."""
    here = local_path(_looking_at(request))
    target = f"/sign-in?next={quote(here, safe='')}"
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": target})
    return see_other(target)


def _looking_at(request: Request) -> str:
    """Return the address of the page in the browser's window: a form's own address is nothing to come back to."""
    if request.method == "GET" and not request.headers.get("hx-request"):
        return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    shown = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    return f"{shown.path}?{shown.query}" if shown.query else shown.path


def local_path(wish: str) -> str:
    """Return the address if it is one of ours, else the start page: nobody is sent elsewhere by a link to us."""
    ours = wish.startswith("/") and not wish.startswith("//") and wish.isprintable() and "\\" not in wish
    return wish if ours else "/"


def complaints(language: str, error: Invalid) -> dict[str, str]:
    """Return what was wrong by field, the first thing for each. A page shows the choices that the API has to list."""
    return {
        field: said(language, N_("Choose from the list.") if message.startswith("Choose one of ") else message)
        for field, message in reversed(error.errors)
    }
