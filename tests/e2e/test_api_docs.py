"""Swagger UI and ReDoc show the schema under their content security policy, without the internet."""

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from tests.e2e.browser import ThreadServer, complaints

from deskbridge.kit.http_headers import SecurityHeaders
from deskbridge.ui.assets import Assets
from deskbridge.ui.pages import Pages, View, api_docs

pytestmark = pytest.mark.browser

SCHEMA = {
    "openapi": "3.1.0",
    "info": {"title": "Deskbridge", "version": "1"},
    "paths": {"/tickets": {"get": {"summary": "List tickets", "responses": {"200": {"description": "Tickets"}}}}},
}


@pytest.fixture(scope="module")
def server():
    assets = Assets()
    pages = Pages(assets)

    def answer(request):
        return HTMLResponse(pages.render("api_docs.html", api_docs(request.url.path[1:], "/openapi.json"), View()))

    routes = [
        Route("/docs", answer),
        Route("/redoc", answer),
        Route("/openapi.json", lambda request: JSONResponse(SCHEMA)),
        Mount("/", assets),
    ]
    with ThreadServer(SecurityHeaders(Starlette(routes=routes), strict_transport=False)) as running:
        yield running


@pytest.mark.parametrize("name", ["docs", "redoc"])
def test_the_schema_is_shown(server, context_of, name):
    page = context_of().new_page()
    said = complaints(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.address}/{name}")
    page.get_by_text("List tickets").first.wait_for()
    assert [address for address in asked if not address.startswith((server.address, "data:", "blob:"))] == []
    assert said == []
