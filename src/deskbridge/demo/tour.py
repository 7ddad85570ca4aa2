"""The demo's pages that say where to click to see a change travel from one tracker to the next."""

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.demo.people import NEWCOMER, PASSWORD
from deskbridge.kit.db import Reader
from deskbridge.people.actor import Actor
from deskbridge.people.front import front_of, require_agent

PATH = "/desk/tour"
CUSTOMERS_PATH = "/portal/tour"


def tour_of(trackers: Mapping[str, str], account: str, secret: str) -> APIRouter:
    """Return the doors of the tour past these trackers (address by name), where everybody signs in by this account."""
    router = APIRouter(include_in_schema=False)
    shared = {"trackers": trackers, "password": PASSWORD, "newcomer": NEWCOMER.email}

    @router.get(PATH)
    async def tour(request: Request) -> Response:
        front = front_of(request)
        actor, _ = await front.read(request, _agent)
        context = shared | {"account": account, "secret": secret, "view_now": "tour"}
        return front.page(request, actor, "demo/tour.html", context)

    @router.get(CUSTOMERS_PATH)
    async def customers_tour(request: Request) -> Response:
        front = front_of(request)
        actor, _ = await front.read(request, _anybody)
        return front.page(request, actor, "demo/portal_tour.html", shared)

    return router


def _anybody(_reader: Reader, _actor: Actor) -> None:
    """Let everybody in who is signed in."""


def _agent(_reader: Reader, actor: Actor) -> None:
    require_agent(actor)
