"""The API's description for people: Swagger UI and ReDoc, from files of our own."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deskbridge.kit.http_headers import DOCS_POLICY
from deskbridge.people.front import front_of

router = APIRouter(include_in_schema=False)

SWAGGER = {
    "styles": ("vendor/swagger-ui/swagger-ui.css",),
    "scripts": ("vendor/swagger-ui/swagger-ui-bundle.js", "js/docs.js"),
}
REDOC = {"styles": (), "scripts": ("vendor/redoc/redoc.standalone.js", "js/redoc.js")}


@router.get("/docs")
async def swagger(request: Request) -> Response:
    return _page(request, SWAGGER)


@router.get("/redoc")
async def redoc(request: Request) -> Response:
    return _page(request, REDOC)


def _page(request: Request, files: dict[str, tuple[str, ...]]) -> Response:
    context = {"title": "Deskbridge API", "spec": "/openapi.json", **files}
    headers = {"Content-Security-Policy": DOCS_POLICY}
    return front_of(request).page(request, None, "api_docs.html", context, headers=headers)
